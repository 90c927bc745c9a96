"""What reports are about, apart from what they say of it: "the refund deadline is wrong" is about the deadline."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from feedback.mining.stems import is_content, stem

_VERDICTS = {
    "wrong": "wrong wrongly incorrect incorrectly false inaccurate mistaken mistake untrue nonsense invented told said",
    "outdated": "outdated stale obsolete",
    "unsafe": "unsafe dangerous harmful risky",
    "incomplete": "incomplete unfinished",
    "too_long": "lengthy verbose wordy rambling essay essays endless",
    "too_short": "terse curt",
    "style": "rude robotic condescending unfriendly impolite",
    "slow": "slow slowly slower sluggish",
    "refused": "refuses refusing refusal",
}
"""Words that mean one reason code, whatever else is said. Who complains of what they were told, contradicts it."""

# Judging, saying, wanting, trying, and when: never part of a subject.
_NEVER = """
    asked ask asks asking tells telling saying gave given gives wrote writes answered
    answering replied responded mentioned promised
    tried tries works working worked keep keeps kept keeping looking find found sent sends stop stopped stops
    expired dead fake bad worse worst terrible awful useless annoying broken unhelpful helpful perfect
    today tonight yesterday tomorrow ago already actually simply totally completely constantly twice
    someone somebody anyone anybody everyone nobody nothing anything everything
    hello sorry instead off dont didn doesn isn wasn won ve re ll th
"""
# Too broad to be a subject alone, of use beside another word: "error message", "opening hours", "new card".
_VAGUE = """
    answer answers reply replies response responses message messages text texts word words line lines page pages
    bot chatbot agent assistant chat conversation user users customer customers people person time times day days
    week weeks month months year years hour hours minute minutes second seconds long longer short shorter new old
    good nice great right same different last first next real full whole half own big small little free able way
    lot sort stuff bit part problem problems issue issues question questions reason case example need wait waiting
    work use used change changed check called call start end number missing single
"""


def _stems(words: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words.split())


_JUDGED = {stem(word): code for code, words in _VERDICTS.items() for word in words.split()}
_OUT = _stems(_NEVER) | frozenset(_JUDGED)
_BROAD = _stems(_VAGUE)

# Words before a word that tell how it is used.
_THE = "the a an my your our their his her its this each every another"
_QUANTITY = "these those no any some more much many all both fewer less"
_PREPOSITION = "of for about with in on at from by without per"
_BEFORE_VERB = """
    i you we they he she it to can could will would should must may might did do does don't not cannot please who
    that didn't doesn't won't can't
"""
_ARTICLES, _VERBAL = frozenset(_THE.split()), frozenset(_BEFORE_VERB.split())
_NOMINAL = _ARTICLES.union(_QUANTITY.split(), _PREPOSITION.split())


def is_subject(stems: Sequence[str]) -> bool:
    """Whether a stem or a pair of stems can name a subject."""
    return _OUT.isdisjoint(stems) and not all(root in _BROAD or root.isdigit() for root in stems)


def verdict(texts_by_source: Mapping[str, Iterable[str]]) -> str:
    """The reason code that the words of at least half of the sources mean, or empty."""
    spoken = [texts for texts in texts_by_source.values() if any(texts)]
    meant: Counter[str] = Counter()
    for texts in spoken:
        words = (stem(word.strip(".,;:!?\"'()")) for text in texts for word in text[:2000].lower().split())
        meant.update({_JUDGED[word] for word in words if word in _JUDGED})
    code, sources = min(meant.items(), key=lambda item: (-item[1], item[0]), default=("", 0))
    return code if sources * 2 >= len(spoken) else ""


def written(term: str, texts: Iterable[Sequence[str]]) -> str:
    """A term as a sentence takes it: "the delivery date", "islands"; in quotes unless the texts use it as a noun.

    `texts` are lists of lower-case words, "" for whatever stands between two words. A term is one word or a pair.
    """
    uses = list(_uses(term, texts))
    # "the declined transfer" does not make a noun of "declined": another word must not follow a lone one.
    noun = [before for before, after in uses if before in _NOMINAL and (" " in term or not is_content(after))]
    verb = sum(before in _VERBAL for before, _ in uses)
    last = term.rsplit(" ", 1)[-1]
    if not noun or len(noun) < verb or (last.endswith("ed") and not last.endswith("eed")):
        return f"“{term}”"
    has_article = sum(before in _ARTICLES for before in noun) * 2 >= len(noun)
    return f"the {term}" if has_article and _is_singular(last) else term


def _uses(term: str, texts: Iterable[Sequence[str]]) -> Iterator[tuple[str, str]]:
    """The words before and after a term in any of its forms; "" at either end of a text."""
    roots = [stem(word) for word in term.split()]
    for words in texts:
        padded = ["", *words, ""]
        spoken = [stem(word) for word in padded]
        for at in range(1, len(words) + 1):
            if spoken[at : at + len(roots)] == roots:
                yield padded[at - 1], padded[at + len(roots)]


def _is_singular(word: str) -> bool:
    return not word.endswith("ing") and (not word.endswith("s") or word.endswith(("ss", "us", "is")))
