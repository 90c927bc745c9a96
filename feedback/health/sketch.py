"""Latencies as counts on a ladder of widths that grow: any two can be added, and every quantile is near the true one.

The steps are those of DDSketch (Masson, Rim, Lee, VLDB 12, 2019): step i holds the values above GAMMA ** (i-1) and up
to GAMMA ** i, and stands for the value that is as far from both ends in proportion. A quantile read off the counts is
within ERROR of the true one, in proportion; what is below LEAST_MS counts as LEAST_MS. Adding is plain addition of
counts: in any order and any grouping it gives the same.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

ERROR: Final = 0.05
GAMMA: Final = (1 + ERROR) / (1 - ERROR)
LOG_GAMMA: Final = math.log(GAMMA)
LEAST_MS: Final = 1.0
"""Everything up to here is on the lowest step, number 0."""


def step_of(latency_ms: float) -> int:
    """The step of one latency. The database computes the same when it counts runs."""
    return 0 if latency_ms <= LEAST_MS else math.ceil(math.log(latency_ms) / LOG_GAMMA)


def value_of(step: int) -> float:
    """The milliseconds a step stands for."""
    return LEAST_MS if step == 0 else 2 * GAMMA**step / (GAMMA + 1)


@dataclass(frozen=True, slots=True)
class Sketch:
    """How many latencies fell on each step; steps without any are left out."""

    counts: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, latencies_ms: Iterable[float]) -> Self:
        counts: dict[int, int] = {}
        for latency in latencies_ms:
            step = step_of(latency)
            counts[step] = counts.get(step, 0) + 1
        return cls(counts)

    def __add__(self, other: "Sketch") -> "Sketch":
        counts = dict(self.counts)
        for step, count in other.counts.items():
            counts[step] = counts.get(step, 0) + count
        return Sketch(counts)

    @property
    def total(self) -> int:
        """How many latencies there are."""
        return sum(self.counts.values())

    def quantile(self, part: float) -> float | None:
        """Milliseconds that `part` of them, from 0 to 1, do not exceed; None without any."""
        if not self.counts:
            return None
        # The latency of this rank, the least having rank 1, as a sorted list would give it.
        rank, seen = max(1, math.ceil(part * self.total)), 0
        for step in sorted(self.counts):
            seen += self.counts[step]
            if seen >= rank:
                return value_of(step)
        return value_of(max(self.counts))
