"""Words and phrases that several sources used independently, and how a sentence takes them.

All are of safe words, see safewords.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final

import re2

from feedback.mining.safewords import BREAK, NAME, safe_words
from feedback.mining.stems import stem
from feedback.mining.subjects import ARTICLES, PREPOSITIONS, is_noun, is_subject, is_verb, tells, written

MAX_TERM = 24
MAX_TERMS = 5
# Names need a sample of the evidence, not all of it: these bound what one group costs.
MAX_SOURCES = 300
MAX_TEXTS = 5
_MOST_FORMS = 30

_Roots = tuple[str, ...]
_TERM = re2.compile(rf"^(?:\p{{N}}{{1,4}}[A-Za-z]{{0,3}}|{NAME})$")


def terms(texts_by_source: Mapping[str, Sequence[str]], min_sources: int = 3, *, judging: bool = False) -> list[str]:
    """Words, pairs and triples that at least `min_sources` sources used and that name a subject, best first.

    At most MAX_TERMS, letters, digits and hyphens only, each at most MAX_TERM characters; written as most sources do
    inside a sentence. Between the words of a phrase there may be "of", "the" and their like. Reads at most 300 sources
    with 5 texts each. A word in a chosen phrase is not repeated. With `judging`, also words that judge or are too broad
    to name a subject.
    """
    said = _read(texts_by_source)
    names = _names(said)
    return [_named(term, names) for term in _without_overlap(_ranked(said, min_sources, judging=judging))]


def telling(texts_by_source: Mapping[str, Sequence[str]], found: Sequence[str], min_sources: int = 3) -> list[str]:
    """These terms for a label; where they are lone words, with what a third of the sources, at least two, say of them.

    "tire" and "pressure" become "tire pressure", "life" and "meaning" the "meaning of life", "car" becomes "wash the
    car" or "car" and "shop". What names something comes first: "vacation days, left"; a verb alone is left open:
    "suggest …".
    """
    told = _fuller(texts_by_source, found, min_sources)
    lone = [term for term in told[:1] if " " not in term]
    words = _lower(_read(texts_by_source).values()) if lone else []
    if len(told) == 1 and lone and is_verb(lone[0].lower(), words):
        return [f"{lone[0]} …"]
    if not lone or is_noun(lone[0].lower(), words):
        return told
    named = next((term for term in told if " " in term or is_noun(term.lower(), words)), "")
    return sorted(told, key=lambda term: term != named)


def _lower(said: Iterable[Sequence[str]]) -> list[list[str]]:
    return [list(map(str.lower, safe_words(text))) for texts in said for text in texts]


def _fuller(texts_by_source: Mapping[str, Sequence[str]], found: Sequence[str], min_sources: int) -> list[str]:
    """Lone terms with what is said of them, the rest as they are."""
    if any(" " in term for term in found):
        return list(found)
    taken = {stem(term.lower()) for term in found}
    least = max(min(2, min_sources), -(-sum(any(texts) for texts in texts_by_source.values()) // 3))
    said = _read(texts_by_source)
    ranked = _ranked(said, least, judging=not found)
    pairs = (
        term for roots, term in ranked.items() if len(roots) > 1 and len(taken & _roots(term)) >= min(2, len(taken))
    )
    fuller = next(pairs, "") if taken else ""
    if fuller:
        return [_named(fuller, _names(said)), *(term for term in found if stem(term.lower()) not in _roots(fuller))]
    if len(found) > 1:
        return list(found)
    beside = [_named(term, _names(said)) for term in _without_overlap(ranked)]
    return [*found, *(term for term in beside if taken.isdisjoint(_roots(term)))][:2]


def _roots(term: str) -> set[str]:
    return {stem(word) for word in term.lower().split()}


def apart(these: Mapping[str, Sequence[str]], those: Mapping[str, Sequence[str]], min_sources: int = 3) -> list[str]:
    """The terms of at least `min_sources` of `these` that tell them from `those`, best first, at most MAX_TERMS.

    A share of them at least twice as large as of `those` says so. Empty where either says nothing.
    """
    own, other = (
        _support({source: texts for source, texts in _read(said).items() if any(texts)}) for said in (these, those)
    )
    if not own.sources or not other.sources:
        return []
    shares = {
        roots: (count / own.sources, (other.counts[roots] + 1) / (other.sources + 2))
        for roots, count in own.counts.items()
        if count >= min_sources and tells(own.shown(roots).split(" ")[-1])
    }
    telling = {roots: here * math.log(here / there) for roots, (here, there) in shares.items() if here >= 2 * there}
    best = sorted(telling, key=lambda roots: (-telling[roots] * _WORTH[len(roots)], roots))
    return _spelt(_without_overlap({roots: own.shown(roots) for roots in best}), these)


def _ranked(said: Mapping[str, Sequence[str]], min_sources: int, *, judging: bool = False) -> dict[_Roots, str]:
    """All words and phrases of enough sources as most of them write them, the best first."""
    support = _support(said)
    shown = {roots: support.shown(roots) for roots, count in support.counts.items() if count >= min_sources}
    enough = [roots for roots, surface in shown.items() if judging or is_subject(surface.split(" "))]
    # Of equals what stands side by side: "refund deadline" before "deadline for digital".
    small = {roots: shown[roots].count(" ") - " ".join(roots).count(" ") for roots in enough}
    enough.sort(key=lambda roots: (-_worth(roots, support), small[roots], -len(roots), roots))
    return {roots: shown[roots] for roots in enough}


def _worth(roots: _Roots, support: "_Support") -> float:
    """How much a word or phrase says: a pair is preferred to its words down to three fifths of their support.

    Where they stand side by side more often than apart, and in a third of the sources, down to a half.
    """
    count = support.counts[roots]
    most = max(support.counts[root,] for root in roots)
    beside = len(roots) == 2 and support.shown(roots).count(" ") == 1
    together = beside and 2 * count > most and 3 * count >= support.sources
    return max(count * _WORTH[len(roots)], most if together else 0)


@dataclass(frozen=True, slots=True)
class _Support:
    """How many sources there are, how many of them used each word or phrase, and how they wrote it."""

    sources: int
    counts: Counter[_Roots]
    surfaces: Mapping[_Roots, Counter[str]]

    def shown(self, roots: _Roots) -> str:
        return _most_used(self.surfaces[roots])


def _support(said: Mapping[str, Sequence[str]]) -> _Support:
    counts: Counter[_Roots] = Counter()
    surfaces: defaultdict[_Roots, Counter[str]] = defaultdict(Counter)
    used = [_phrases(texts) for texts in said.values()]
    one_of = _one_of(root for phrases in used for roots in phrases if len(roots) == 1 for root in roots)
    for phrases in used:
        of_source = set()
        for roots, surface in phrases.items():
            joined = tuple(one_of.get(root, root) for root in roots)
            if len(set(joined)) == len(joined):
                of_source.add(joined)
                surfaces[joined][surface] += 1
        counts.update(of_source)
    return _Support(len(said), counts, surfaces)


def _one_of(stems: Iterable[str]) -> dict[str, str]:
    """The shortest stem for each of those that are of one word: "apologi" for "apologis"."""
    found: dict[str, str] = {}
    head = ""
    for one in sorted(set(stems), key=lambda root: (root.replace("z", "s"), root)):
        if " " not in one and "-" not in one and head and alike(head, one):
            found[one] = head
        else:
            head = one
    return found


def topics(texts_by_source: Mapping[str, Sequence[str]], min_sources: int = 3) -> list[str]:
    """The terms of at least half of the sources as a sentence takes them: "the delivery date", "islands".

    At most MAX_TERMS, best first. Where no term reaches half, those of a third. In quotes if the texts use none of
    them as a noun; beside a lone word also what else half say: "the card", "“arrive”".
    """
    forms = _forms(texts_by_source, min_sources, 2) or _forms(texts_by_source, min_sources, 3)
    nouns = {roots: form for roots, form in forms.items() if form[0] != "“"}
    chosen = _without_overlap(nouns or forms)
    if len(chosen) == 1 and " " not in bare(chosen[0]):
        chosen = _without_overlap(nouns | forms)[:2]
    return _spelt(chosen, texts_by_source)


def asides(texts_by_source: Mapping[str, Sequence[str]], min_sources: int = 3) -> list[str]:
    """The terms of at least a third of the sources as a sentence takes them, best first, at most MAX_TERMS."""
    return _spelt(_without_overlap(_forms(texts_by_source, min_sources, 3)), texts_by_source)


def _forms(texts_by_source: Mapping[str, Sequence[str]], min_sources: int, share: int) -> dict[_Roots, str]:
    said = {source: texts for source, texts in _read(texts_by_source).items() if any(texts)}
    found = _ranked(said, max(min_sources, -(-len(said) // share)))
    words = _lower(said.values())
    return {roots: written(term, words) for roots, term in islice(found.items(), _MOST_FORMS)}


def _spelt(forms: Sequence[str], texts_by_source: Mapping[str, Sequence[str]]) -> list[str]:
    names = _names(_read(texts_by_source))
    return [_named(form, names) for form in forms]


def bare(topic: str) -> str:
    """A topic without its article or its quotes."""
    if topic[:1] == "“" and topic[-1:] == "”":
        return topic[1:-1]
    return topic.removeprefix("the ")


def _read(texts_by_source: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    return {source: texts_by_source[source][:MAX_TEXTS] for source in sorted(texts_by_source)[:MAX_SOURCES]}


def _names(said: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Words that most texts write with capitals inside a sentence, by their lower case: "pin" is "PIN"."""
    written_as: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for texts in said.values():
        for text in texts:
            for word in _inside(safe_words(text)):
                written_as[word.lower()][word] += 1
    best = {word: min(forms, key=lambda form: (-forms[form], form)) for word, forms in written_as.items()}
    return {w: form for w, form in best.items() if form != w and 2 * written_as[w][form] > written_as[w].total()}


def _inside(found: Sequence[str]) -> list[str]:
    """The words of a text that do not begin anything; none of a text that shouts."""
    if 2 * sum(word.isupper() for word in found) > sum(word.isalpha() for word in found):
        return []
    return [word for at, word in enumerate(found) if at and found[at - 1] and word]


def _named(term: str, names: Mapping[str, str]) -> str:
    marks = ("“", "”") if term[0] == "“" else ("", "")
    return marks[0] + " ".join(names.get(word, word) for word in term.strip("“”").split(" ")) + marks[1]


def _phrases(texts: Iterable[str]) -> dict[_Roots, str]:
    """Stems of the words, pairs and triples one source used, with the first way they were written."""
    used: dict[_Roots, str] = {}
    for text in texts:
        for chain in _chains(_term_words(text)):
            for size in (1, 2, 3):
                for at in range(len(chain) - size + 1):
                    _use(chain[at : at + size], used)
    return used


_WORTH = {1: 1.0, 2: 1.6, 3: 2.4}
_PARTICLES: Final = frozenset({"up", "out", "off", "down", "back"})
"""Behind a word they make another of it: "top up", "sign out"."""
_SMALL: Final = ARTICLES | PREPOSITIONS
_MOST_SMALL = 2


def _chains(words: Iterable[str]) -> Iterator[list[tuple[str, str]]]:
    """Content words that belong together, each with the small words before it: "refund of my order" is one chain."""
    chain: list[tuple[str, str]] = []
    small: list[str] = []
    for word in (*words, BREAK):
        if chain and word in _SMALL and len(small) < _MOST_SMALL:
            small.append("the" if word in ARTICLES else word)
        elif chain and word in _PARTICLES and not small:
            prefix, verb = chain[-1]
            chain[-1] = (prefix, verb if " " in verb else f"{verb} {word}")
        elif word and tells(word):
            chain.append(("".join(f"{one} " for one in small), word))
            small = []
        else:
            if chain:
                yield chain
            chain, small = [], []


def _use(part: Sequence[tuple[str, str]], used: dict[_Roots, str]) -> None:
    roots = tuple(" ".join((stem(word), *particle)) for word, *particle in (said.split(" ") for _, said in part))
    surface = part[0][1] + "".join(f" {small}{word}" for small, word in part[1:])
    lone_number = len(part) == 1 and part[0][1].isdigit()
    if not lone_number and len(surface) <= MAX_TERM and len(set(roots)) == len(roots):
        used.setdefault(roots, surface)


def _term_words(text: str) -> list[str]:
    return [word if len(word) <= MAX_TERM and _is_term(word) else BREAK for word in map(str.lower, safe_words(text))]


@lru_cache(maxsize=1 << 14)
def _is_term(word: str) -> bool:
    return bool(_TERM.search(word))


def _without_overlap(ordered: Mapping[_Roots, str]) -> list[str]:
    chosen: list[str] = []
    taken: set[str] = set()
    for roots, term in ordered.items():
        if not any(alike(one, other) for one in roots for other in taken):
            chosen.append(term)
            taken.update(roots)
        if len(chosen) == MAX_TERMS:
            break
    return chosen


def alike(one: str, other: str) -> bool:
    """Whether two stems are of one word: those of "delivered" and "delivery", or of "top" and "top-up"."""
    # "apologise" as "apologize"
    one, other = (stem.replace(" ", "-").replace("z", "s") for stem in (one, other))
    if "-" in one + other:
        return not set(one.split("-")).isdisjoint(other.split("-"))
    short, long = sorted((one, other), key=len)
    return short == long or (len(short) >= 5 and len(long) - len(short) <= 3 and long.startswith(short))


def _most_used(counts: Counter[str]) -> str:
    # Of equals the plural: it speaks of more than one case.
    return min(counts, key=lambda surface: (-counts[surface], surface[-1:] != "s", surface))
