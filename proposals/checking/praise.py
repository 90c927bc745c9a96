"""Whether a change takes away or rewrites what people praise. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass

from feedback.mining.typical import Stems, stems_of

SHARED = 2
"""A line speaks of what is praised if it shares so many words with it."""


@dataclass(frozen=True, slots=True)
class Praised:
    """What recurs in praise: its label, how many sources said so, and its words by their stems."""

    label: str
    sources: int
    stems: Stems


def touched(lines: Sequence[str], praised: Sequence[Praised]) -> tuple[str, Praised] | None:
    """The first of these lines that speaks of something praised, with the one it shares most words with."""
    for line in lines:
        said = stems_of(line)
        best = max(praised, key=lambda one: (len(one.stems & said), one.sources), default=None)
        if best is not None and len(best.stems & said) >= SHARED:
            return line, best
    return None
