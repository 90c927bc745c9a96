"""Words for a group that a person can read at a glance, and that no hostile text can get through.

Whatever leaves this module is made of words of letters and digits; addresses, e-mail, markup, control and
invisible characters cannot occur in it. Only what several sources said independently is said at all.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import re2

from feedback.mining.changes import Change, diff
from feedback.mining.cleaning import clean
from feedback.mining.errors import PLACEHOLDER, readable
from feedback.mining.interface import Kind
from feedback.mining.stems import is_content, stem
from feedback.mining.subjects import is_subject, written

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

_BREAK = ""
_ADDRESS = re2.compile(r"://|@|\p{L}\.\p{L}|[/\\]{2}|^www\.|\d+\.\d+\.\d+|[\p{L}\d]+/[\p{L}\d]*/")
_TOKEN = re2.compile(r"\p{N}{1,9}(?:[.,]\p{N}{1,9})?%?|\p{L}[\p{L}\p{N}]*(?:-[\p{L}\p{N}]+)*|[^\s\p{L}\p{N}]")
_SAFE = re2.compile(r"^(?:\p{N}{1,9}(?:[.,]\p{N}{1,9})?%?|\p{L}[\p{L}\p{N}]*(?:-[\p{L}\p{N}]+)*)$")
_TERM = re2.compile(r"^(?:\p{N}{1,4}|\p{L}[\p{L}\p{N}]*(?:-[\p{L}\p{N}]+)*)$")
_INNER_DOT = re2.compile(r"\.(\p{L})")  # no host name survives: "evil.example" becomes "evil example"
_NOT_IN_LABEL = re2.compile(r"[^\p{L}\p{N} _.,:;()'…→-]")


def safe_words(text: str) -> list[str]:
    """The first 200 words and numbers of a text as written; "" stands for anything else between two words."""
    found: list[str] = []
    for chunk in clean(text).split()[:_MAX_WORDS]:
        if len(chunk) > _MAX_CHUNK or _ADDRESS.search(chunk):
            found.append(_BREAK)
            continue
        found.extend(token if _SAFE.search(token) else _BREAK for token in _TOKEN.findall(chunk))
    return found[:_MAX_WORDS]


def content_terms(text: str, limit: int = 8) -> tuple[str, ...]:
    """The first `limit` different content words of one text, lower case, each at most MAX_TERM characters."""
    found: dict[str, str] = {}
    for word in _term_words(text):
        if word and is_content(word) and not word.isdigit():
            found.setdefault(stem(word), word)
        if len(found) == limit:
            break
    return tuple(found.values())


def terms(texts_by_source: Mapping[str, Sequence[str]], min_sources: int = 3, *, judging: bool = False) -> list[str]:
    """Words and pairs of adjacent ones that at least `min_sources` sources used and that name a subject, best first.

    At most MAX_TERMS, lower case, letters, digits and hyphens only (a pair has one space), each at most
    MAX_TERM characters. Reads at most 300 sources with 5 texts each. A word in a chosen pair is not repeated.
    With `judging`, also words that judge or are too broad to name a subject.
    """
    support: Counter[tuple[str, ...]] = Counter()
    surfaces: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for source in sorted(texts_by_source)[:_MAX_SOURCES]:
        used = _phrases(texts_by_source[source][:_MAX_TEXTS])
        support.update(used.keys())
        for roots, surface in used.items():
            surfaces[roots][surface] += 1
    enough = [roots for roots, count in support.items() if count >= min_sources and (judging or is_subject(roots))]
    # A pair says more than its words: it is preferred down to three fifths of their support.
    enough.sort(key=lambda roots: (-support[roots] * (1.6 if len(roots) == 2 else 1), roots))
    return [_most_used(surfaces[roots]) for roots in _without_overlap(enough)]


def topics(texts_by_source: Mapping[str, Sequence[str]], min_sources: int = 3) -> list[str]:
    """The terms of at least half of the sources as a sentence takes them: "the delivery date", "islands".

    At most MAX_TERMS, best first. Where no term reaches half, those of a third. In quotes if the texts use none of
    them as a noun.
    """
    said = {source: texts[:_MAX_TEXTS] for source, texts in texts_by_source.items() if any(texts)}
    least = (max(min_sources, -(-len(said) // share)) for share in (2, 3))
    found = next(filter(None, (terms(said, sources) for sources in least)), [])
    words = [list(map(str.lower, safe_words(text))) for source in sorted(said)[:_MAX_SOURCES] for text in said[source]]
    forms = [written(term, words) for term in found]
    return [form for form in forms if form[0] != "“"] or forms


def _phrases(texts: Iterable[str]) -> dict[tuple[str, ...], str]:
    """Stems of the words and pairs one source used, with the first way they were written."""
    used: dict[tuple[str, ...], str] = {}
    for text in texts:
        found = [word if is_content(word) else _BREAK for word in _term_words(text)]
        for word in found:
            if word and not word.isdigit():
                used.setdefault((stem(word),), word)
        for first, second in pairwise(found):
            if first and second and first != second and len(first) + len(second) < MAX_TERM:
                used.setdefault((stem(first), stem(second)), f"{first} {second}")
    return used


def _term_words(text: str) -> list[str]:
    return [
        word if len(word) <= MAX_TERM and _TERM.search(word) else _BREAK for word in map(str.lower, safe_words(text))
    ]


def _without_overlap(ordered: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    chosen: list[tuple[str, ...]] = []
    taken: set[str] = set()
    for roots in ordered:
        if taken.isdisjoint(roots):
            chosen.append(roots)
            taken.update(roots)
        if len(chosen) == MAX_TERMS:
            break
    return chosen


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
    "Tool … timed out after …", "Billing → refund".
    """
    if kind is Kind.ERROR:
        text = readable(template)
    elif kind is Kind.MISLABEL:
        text = f"{predicted or 'nothing'} → {expected}" if expected else ""
    elif changed:
        text = f"{changed[0]} → {changed[1]}"
    else:
        text = ", ".join(found[:3])
    return _sentence(text) or _WITHOUT_WORDS[kind]


_WITHOUT_WORDS = {
    Kind.COMPLAINT: "Complaints in different words",
    Kind.CORRECTION: "Corrections in different words",
    Kind.ERROR: "Errors without a message",
    Kind.MISLABEL: "Wrong labels",
    Kind.SUCCESS: "Praise in different words",
}


def _sentence(text: str) -> str:
    plain = _INNER_DOT.sub(r" \1", clean(text)).replace(PLACEHOLDER, "…")
    line = " ".join(_NOT_IN_LABEL.sub(" ", plain).split())
    if len(line) > MAX_LABEL:
        line = line[: MAX_LABEL - 1].rsplit(" ", 1)[0].rstrip(" ,:;") + "…"
    return line[:1].upper() + line[1:]
