"""Words for a group that a person can read at a glance, and that no hostile text can get through.

Whatever leaves this module is made of words of letters and digits; addresses, e-mail, markup, control and
invisible characters cannot occur in it. Only what several sources said independently is said at all.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final

import re2

from feedback.mining.changes import Change, diff
from feedback.mining.cleaning import clean
from feedback.mining.errors import PLACEHOLDER, readable
from feedback.mining.interface import Kind
from feedback.mining.stems import stem
from feedback.mining.subjects import ARTICLES, PREPOSITIONS, is_subject, tells, written

MAX_TERM = 24
MAX_TERMS = 5
MAX_PHRASE = 60
MAX_LABEL = 80

# Labels need a sample of the evidence, not all of it: these bound what one group costs.
_MAX_SOURCES = 300
_MAX_TEXTS = 5
_MAX_WORDS = 200
_MAX_CHUNK = 60
_MAX_PHRASE_WORDS = 6

_MOST_FORMS = 30

_Roots = tuple[str, ...]
_BREAK = ""
_ADDRESS = re2.compile(r"://|@|\p{L}\.\p{L}|[/\\]{2}|^www\.|\d+\.\d+\.\d+|[\p{L}\d]+/[\p{L}\d]*/")
_NUMBER = r"\p{N}{1,4}[A-Za-z]{1,3}\b|\p{N}{1,9}(?:[.,]\p{N}{1,9})?%?"  # "401k", "1,299.5", "20%"
_NAME = r"\p{L}[\p{L}\p{N}]*(?:-[\p{L}\p{N}]+)*"
_SHORT_FOR = r"\p{L}+['’](?:t|ll|ve|re|d|m)\b"  # "didn't", "you've": what is left of them is no word
_TOKEN = re2.compile(rf"(?i){_SHORT_FOR}|{_NUMBER}|{_NAME}|[^\s\p{{L}}\p{{N}}]")
_SAFE = re2.compile(rf"^(?:{_NUMBER}|{_NAME})$")
_TERM = re2.compile(rf"^(?:\p{{N}}{{1,4}}[A-Za-z]{{0,3}}|{_NAME})$")
_INNER_DOT = re2.compile(r"\.(\p{L})")  # no host name survives: "evil.example" becomes "evil example"
_DOTS = re2.compile(r"…(?:[ :;,.-]*…)+")
_LEADING = re2.compile(r"^(?:[… :;,.-]|\(\))+")
_PLAIN_WORD = re2.compile(r"^\p{L}\p{Ll}*(?:[ :;,]|$)")
_NOT_IN_LABEL = re2.compile(r"[^\p{L}\p{N} _.,:;()'…→-]")


def safe_words(text: str) -> list[str]:
    """The first 200 words and numbers of a text as written; "" stands for anything else between two words."""
    found: list[str] = []
    for chunk in clean(text).split()[:_MAX_WORDS]:
        found.extend(_safe(chunk) if len(chunk) <= _MAX_CHUNK else (_BREAK,))
    return found[:_MAX_WORDS]


@lru_cache(maxsize=1 << 14)
def _safe(chunk: str) -> tuple[str, ...]:
    """The words of what has no blank; kept, since most texts are made of the same ones."""
    if _ADDRESS.search(chunk):
        return (_BREAK,)
    return tuple(token if _SAFE.search(token) else _BREAK for token in _TOKEN.findall(chunk))


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

    "tire" and "pressure" become "tire pressure", "car" becomes "wash the car" or "car" and "shop".
    """
    if any(" " in term for term in found):
        return list(found)
    taken = {stem(term.lower()) for term in found}
    least = max(min(2, min_sources), -(-sum(any(texts) for texts in texts_by_source.values()) // 3))
    beside = terms(texts_by_source, least, judging=not found)
    fuller = next((term for term in beside if " " in term and len(taken & _roots(term)) >= min(2, len(taken)) > 0), "")
    if fuller:
        return [fuller, *(term for term in found if stem(term.lower()) not in _roots(fuller))]
    if len(found) > 1:
        return list(found)
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
    # A phrase says more than its words: a pair is preferred down to three fifths of their support.
    enough.sort(key=lambda roots: (-support.counts[roots] * _WORTH[len(roots)], roots))
    return {roots: shown[roots] for roots in enough}


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
    for texts in said.values():
        used = _phrases(texts)
        counts.update(used.keys())
        for roots, surface in used.items():
            surfaces[roots][surface] += 1
    return _Support(len(said), counts, surfaces)


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
    words = [list(map(str.lower, safe_words(text))) for texts in said.values() for text in texts]
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
    return {source: texts_by_source[source][:_MAX_TEXTS] for source in sorted(texts_by_source)[:_MAX_SOURCES]}


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
    for word in (*words, _BREAK):
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
    return [word if len(word) <= MAX_TERM and _is_term(word) else _BREAK for word in map(str.lower, safe_words(text))]


@lru_cache(maxsize=1 << 14)
def _is_term(word: str) -> bool:
    return bool(_TERM.search(word))


def _without_overlap(ordered: Mapping[_Roots, str]) -> list[str]:
    chosen: list[str] = []
    taken: set[str] = set()
    for roots, term in ordered.items():
        if not any(_alike(one, other) for one in roots for other in taken):
            chosen.append(term)
            taken.update(roots)
        if len(chosen) == MAX_TERMS:
            break
    return chosen


def _alike(one: str, other: str) -> bool:
    """Whether two stems are of one word: those of "delivered" and "delivery", or of "top" and "top-up"."""
    one, other = one.replace(" ", "-"), other.replace(" ", "-")
    if "-" in one + other:
        return not set(one.split("-")).isdisjoint(other.split("-"))
    short, long = sorted((one, other), key=len)
    return short == long or (len(short) >= 5 and len(long) - len(short) <= 3 and long.startswith(short))


def _most_used(counts: Counter[str]) -> str:
    # Of equals the plural: it speaks of more than one case.
    return min(counts, key=lambda surface: (-counts[surface], surface[-1:] != "s", surface))


def replacement(
    pairs_by_source: Mapping[str, Sequence[tuple[str, str]]], min_sources: int = 3
) -> tuple[str, str] | None:
    """The change (old phrase, new phrase) that most sources made, or None if fewer than `min_sources` agree.

    Takes (output, correction) pairs. Phrases have 1 to 6 words, at most MAX_PHRASE characters, written as
    most sources wrote them; case does not count in agreeing. A bare number takes the word after it along
    when the sources agree on that too: ("30 days", "14 days"). Numbers may hold one "." or "," and end in
    "%". Reads at most 300 sources with 5 pairs each.
    """
    support: Counter[tuple[str, str]] = Counter()
    surfaces: defaultdict[tuple[str, str], Counter[tuple[str, str]]] = defaultdict(Counter)
    for source in sorted(pairs_by_source)[:_MAX_SOURCES]:
        made: dict[tuple[str, str], tuple[str, str]] = {}
        for output, correction in pairs_by_source[source][:_MAX_TEXTS]:
            for pair in _replacements(output, correction):
                made.setdefault((pair[0].lower(), pair[1].lower()), pair)
        support.update(made.keys())
        for folded, pair in made.items():
            surfaces[folded][pair] += 1
    enough = [pair for pair, count in support.items() if count >= min_sources]
    if not enough:
        return None
    # Of equals the longer says more: "30 days" before "30".
    best = min(enough, key=lambda pair: (-support[pair], -len(pair[0]) - len(pair[1]), pair))
    return min(surfaces[best], key=lambda pair: (-surfaces[best][pair], pair))


def _replacements(output: str, correction: str) -> list[tuple[str, str]]:
    """Safe replacements in one correction, those of numbers also with the word after."""
    old, new = safe_words(output), safe_words(correction)
    found = []
    for change in diff([word.lower() for word in old], [word.lower() for word in new]):
        before, after = old[change.old_start : change.old_end], new[change.new_start : change.new_end]
        candidates = [(before, after)]
        if _is_number(before) and _is_number(after):
            candidates.append(_with_next(old, new, change))
        found += [(" ".join(a), " ".join(b)) for a, b in candidates if _is_phrase(a) and _is_phrase(b)]
    return found


def _is_number(phrase: Sequence[str]) -> bool:
    return len(phrase) == 1 and phrase[0][:1].isdigit()


def _with_next(old: Sequence[str], new: Sequence[str], change: Change) -> tuple[list[str], list[str]]:
    return list(old[change.old_start : change.old_end + 1]), list(new[change.new_start : change.new_end + 1])


def _is_phrase(phrase: Sequence[str]) -> bool:
    return 0 < len(phrase) <= _MAX_PHRASE_WORDS and all(phrase) and len(" ".join(phrase)) <= MAX_PHRASE


def label(
    kind: Kind,
    found: Sequence[str] = (),
    *,
    template: str = "",
    predicted: str = "",
    expected: str = "",
    changed: tuple[str, str] | None = None,
) -> str:
    """A short name for a group, sentence case, at most MAX_LABEL characters, never empty.

    `found` is from `terms`, `changed` from `replacement`, `template` is an error's signature, `predicted` and
    `expected` are a mislabel's. Examples: "Refund window, digital goods", "30 days → 14 days",
    "Tool … timed out after …", "Billing → refund (money back)", where `found` is from `apart`.
    """
    if kind is Kind.ERROR:
        text = readable(template)
    elif kind is Kind.MISLABEL:
        text = _told_apart(f"{predicted or 'nothing'} → {expected}", found) if expected else ""
    elif changed:
        text = f"{changed[0]} → {changed[1]}"
    else:
        text = ", ".join(found[:3])
    return _sentence(text, literal=kind is Kind.ERROR or bool(changed)) or _WITHOUT_WORDS[kind]


def _told_apart(text: str, words: Sequence[str]) -> str:
    """Both labels with up to two words that tell them apart, as far as there is room for them."""
    for most in (2, 1):
        fuller = f"{text} ({', '.join(words[:most])})"
        if words and len(fuller) <= MAX_LABEL:
            return fuller
    return text


_WITHOUT_WORDS = {
    Kind.COMPLAINT: "Complaints in different words",
    Kind.CORRECTION: "Corrections in different words",
    Kind.ERROR: "Errors without a message",
    Kind.MISLABEL: "Wrong labels",
    Kind.SUCCESS: "Praise in different words",
}


def _sentence(text: str, *, literal: bool = False) -> str:
    """One plain line; what is `literal` keeps its first letter where that is part of a name or a quotation."""
    plain = _INNER_DOT.sub(r" \1", clean(text)).replace(PLACEHOLDER, "…").replace("...", "…")
    line = _DOTS.sub(lambda _several: "…", " ".join(_NOT_IN_LABEL.sub(" ", plain).split()))
    if literal:
        line = _LEADING.sub("", line) or line
    if len(line) > MAX_LABEL:
        line = line[: MAX_LABEL - 1].rsplit(" ", 1)[0].rstrip(" ,:;…(") + "…"
    return line if literal and (" → " in line or not _PLAIN_WORD.search(line)) else line[:1].upper() + line[1:]
