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
# When, where, how much, and what goes on in somebody's head: these say nothing of a thing, not even in a label.
_FILLING = """
    between among amongst against during within across toward towards near around along behind beside besides beyond
    despite upon soon sooner later earlier lately recently often sometimes usually yet quite rather pretty
    perhaps probably apparently somehow somewhere today tonight yesterday tomorrow ago already actually simply totally
    completely constantly twice somebody someone anybody anyone everybody everyone nobody nothing anything everything
    think thinks thinking thought feel feels felt believe believes guess suppose hope hoping wish wonder wondering mean
    means meant know knows known knew understand happen happens happened happening hello sorry instead either neither
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
_FILLERS = frozenset(_FILLING.split())
_OUT = _stems(_NEVER) | frozenset(_JUDGED)
# As they are written, for their stems are those of other words too: "timer" is not "time".
_BROAD = frozenset(_VAGUE.split())

# Words before a word that tell how it is used.
_THE = "the a an my your our their his her its this each every another"
_QUANTITY = "these those no any some more much many all both fewer less"
_PREPOSITION = "of for about with in on at from by without per"
_BEFORE_VERB = """
    i you we they he she it to can could will would should must may might did do does don't not cannot please who
    that didn't doesn't won't can't
"""
_ASKING = "what which whose"
ARTICLES, PREPOSITIONS = frozenset(_THE.split()), frozenset(_PREPOSITION.split())
_VERBAL = frozenset(_BEFORE_VERB.split())
_NOMINAL = ARTICLES.union(PREPOSITIONS, _QUANTITY.split(), _ASKING.split())


def tells(word: str) -> bool:
    """Whether a lower-case word says something of a thing: it has a content, and is more than a filler."""
    return is_content(word) and word not in _FILLERS


def is_subject(words: Sequence[str]) -> bool:
    """Whether a lower-case word or several can name a subject."""
    telling = [word for word in words if tells(word)]
    broad = [word in _BROAD or word.removesuffix("s") in _BROAD or word.isdigit() for word in telling]
    # "error message" is said of itself, "verdict in the first" is the beginning of something.
    cut = len(telling) < len(words) and (broad[0] or broad[-1])
    return not cut and not all(broad) and _OUT.isdisjoint(map(stem, telling))


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

    `texts` are lists of lower-case words, "" for whatever stands between two words.
    """
    uses = list(_uses([stem(word) for word in term.split() if is_content(word)], texts))
    noun = [found for use in uses if (found := _as_noun(*use, alone=" " not in term)) is not None]
    inner = sum(earlier in ARTICLES and is_content(before) and not is_content(after) for earlier, before, after in uses)
    if not noun and inner * 2 >= len(uses):  # "card" in "my new card", but not "lost" in "my card lost"
        noun = [True] * inner
    verb = sum(before in _VERBAL for _, before, _ in uses)
    words = term.split(" ")
    last = words[-1] if is_content(words[-1]) else ""
    if not noun or len(noun) < verb or any(_is_past(word) for word in (last, words[0] if len(words) > 2 else "")):
        return f"“{term}”"
    return f"the {term}" if sum(noun) * 2 >= len(noun) and _is_singular(last) else term


def is_noun(word: str, texts: Iterable[Sequence[str]]) -> bool:
    """Whether lists of lower-case words, as for `written`, ever use a word as a noun."""
    return any(_as_noun(*use, alone=True) is not None for use in _uses([stem(word)], texts))


def is_verb(word: str, texts: Iterable[Sequence[str]]) -> bool:
    """Whether they never use it so, and half of the time as something that is done: "define it", "please define"."""
    uses = list(_uses([stem(word)], texts))
    done = sum(before in _VERBAL or (not before and after in ARTICLES) for _, before, after in uses)
    return 0 < len(uses) <= 2 * done and all(_as_noun(*use, alone=True) is None for use in uses)


def _as_noun(earlier: str, before: str, after: str, *, alone: bool) -> bool | None:
    """Whether this use as a noun has an article; None where it may be no noun.

    "the declined transfer" does not make a noun of "declined": another word must not follow a lone one.
    """
    if alone and after and is_content(after):
        return None
    if before.endswith("est"):  # "the nearest"
        return earlier in ARTICLES
    return before in ARTICLES if before in _NOMINAL else None


def _uses(roots: Sequence[str], texts: Iterable[Sequence[str]]) -> Iterator[tuple[str, str, str]]:
    """The two words before and the one after content words in any of their forms; "" at either end of a text.

    Small words may stand between them.
    """
    for words in texts:
        padded = ["", "", *words, ""]
        spoken = [stem(word) for word in padded]
        for at in range(2, len(words) + 2):
            end = _end(roots, spoken, padded, at)
            if end:
                yield padded[at - 2], padded[at - 1], padded[end]


def _end(roots: Sequence[str], spoken: Sequence[str], words: Sequence[str], at: int) -> int:
    """Where a phrase that begins here ends; 0 where it does not."""
    for number, root in enumerate(roots):
        while number and at < len(words) and (words[at] in ARTICLES or words[at] in PREPOSITIONS):
            at += 1
        if at >= len(spoken) or spoken[at] != root:
            return 0
        at += 1
    return at if at < len(words) else 0


def _is_past(word: str) -> bool:
    return word.endswith("ed") and not word.endswith("eed")


def _is_singular(word: str) -> bool:
    return not word.endswith("ing") and (not word.endswith("s") or word.endswith(("ss", "us", "is")))
