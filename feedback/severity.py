"""How bad a pattern is, by a rule that can be said in one sentence. No Django.

Every source speaks for the worst of what it reported. A level holds when at least a quarter of the sources, and not
fewer than two, reported that or worse; "unsafe" from two sources is enough whatever the others say.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple


class Level(IntEnum):
    """From a matter of taste to harm."""

    NONE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        return self.name.lower()


_REASONS: Final[Mapping[str, tuple[Level, str]]] = {
    "unsafe": (Level.CRITICAL, "unsafe answers"),
    "wrong": (Level.HIGH, "wrong answers"),
    "outdated": (Level.HIGH, "outdated answers"),
    "wrong_tool": (Level.HIGH, "the wrong tool"),
    "refused": (Level.HIGH, "refusals"),
    "incomplete": (Level.MEDIUM, "incomplete answers"),
    "format": (Level.LOW, "the format"),
    "style": (Level.LOW, "the style"),
    "too_long": (Level.LOW, "length"),
    "too_short": (Level.LOW, "brevity"),
    "slow": (Level.LOW, "slowness"),
}
SAFETY: Final = frozenset(reason for reason, (level, _) in _REASONS.items() if level is Level.CRITICAL)
"""Typed reasons that speak of harm: one of them makes a run unsafe, unless it came with a thumb up."""
_FAILED: Final = (Level.HIGH, "failed runs")
_UNFINISHED: Final = (Level.HIGH, "tasks not completed")
_DOWN: Final = (Level.MEDIUM, "thumbs down")
_COMPLAINED: Final = (Level.MEDIUM, "complaints")
_MISSED: Final = (Level.MEDIUM, "wrong labels")
_CORRECTED: Final = (Level.MEDIUM, "corrections")
_HINT: Final = (Level.LOW, "signals without words")
_NOTHING: Final = (Level.NONE, "")


class Said(NamedTuple):
    """What one report says of how bad it is. `signals` are named as in `feedback.signals`."""

    source: Hashable
    failed: bool = False
    rating: str = ""
    reason_code: str = ""
    complained: bool = False
    missed: bool = False
    corrected: bool = False
    signals: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Severity:
    """The level, and why: so many of the sources reported mostly that."""

    level: Level
    sources: int
    among: int
    mostly: str


def severity(reports: Iterable[Said]) -> Severity:
    """See above. Of praise, and of nothing, the level is NONE."""
    worst: dict[Hashable, tuple[Level, str]] = defaultdict(lambda: _NOTHING)
    for report in reports:
        worst[report.source] = max(worst[report.source], _of(report))
    for level in sorted(Level, reverse=True):
        there = [words for reached, words in worst.values() if reached >= level]
        needed = 2 if level is Level.CRITICAL else max(2, -(-len(worst) // 4))
        if level and len(there) >= min(needed, len(worst) or 1):
            mostly = Counter(words for reached, words in worst.values() if reached >= level)
            named = min(mostly, key=lambda words: (-mostly[words], words))
            return Severity(level, len(there), len(worst), named)
    return Severity(Level.NONE, 0, len(worst), "")


def _of(report: Said) -> tuple[Level, str]:
    found = [_REASONS.get(report.reason_code, _NOTHING)]
    found += [_FAILED] * report.failed + [_MISSED] * report.missed + [_CORRECTED] * report.corrected
    if not report.reason_code:  # whoever says what is wrong says how bad it is
        found += [_DOWN] * (report.rating == "negative") + [_COMPLAINED] * report.complained
    found += [_UNFINISHED] * ("task_completed=false" in report.signals) + [_HINT] * bool(report.signals)
    return max(found) if report.rating != "positive" or report.corrected else _NOTHING
