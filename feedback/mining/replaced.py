"""What several sources replaced alike in their corrections."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from feedback.mining.changes import Change, diff
from feedback.mining.phrases import MAX_SOURCES, MAX_TEXTS
from feedback.mining.safewords import safe_words

MAX_PHRASE = 60
_MAX_PHRASE_WORDS = 6


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
    for source in sorted(pairs_by_source)[:MAX_SOURCES]:
        made: dict[tuple[str, str], tuple[str, str]] = {}
        for output, correction in pairs_by_source[source][:MAX_TEXTS]:
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
