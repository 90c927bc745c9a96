"""What the judge compares, and how it counts each as harm."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Metric:
    """One thing a run tells.

    `tilts` are the strengths of the bets placed side by side (see `bets`), per unit of the harm: log odds ratios for
    rates, powers of the latency, and so on; `stakes` the part of the capital each begins with. `scale` is the largest
    difference of two runs that counts fully in the interval. `unit` says how a difference is worded: in percentage
    points, as a ratio, or in points of a scale.
    """

    name: str
    title: str
    tilts: tuple[float, ...]
    stakes: tuple[float, ...]
    scale: float
    unit: Literal["points", "ratio", "scale"]
    more_is_better: bool

    def harm(self, values: Floats) -> Floats:
        """The values on a scale where more is worse; latencies as logarithms, so that ratios become differences."""
        if self.unit == "ratio":
            return np.log(np.clip(values, SHORTEST_MS, LONGEST_MS))
        return -values if self.more_is_better else values

    def difference(self, better: float) -> float:
        """Candidate less current (for latency candidate through current), from an outcome between -1 and 1."""
        worse = -better * self.scale
        if self.unit == "ratio":
            return math.exp(worse)
        return -worse if self.more_is_better else worse

    def bearable(self, margin: float) -> float:
        """The margin as a loss between 0 and 1, as outcomes are counted."""
        return (math.log(margin) if self.unit == "ratio" else margin) / self.scale

    def shown(self, mean: float) -> float:
        """A mean of what is summed up, as people read it."""
        return math.exp(mean) if self.unit == "ratio" else mean


SHORTEST_MS, LONGEST_MS = 1.0, 1e9
"""Latencies beyond count as these: an answer in no time is not infinitely faster than one in a millisecond."""

RATES = (0.4, 0.8, 1.2, 1.8, 2.6)
RATE_STAKES = (0.1, 0.25, 0.25, 0.25, 0.15)
EVENLY = (0.25, 0.25, 0.25, 0.25)
RARE = (1.0, 2.0, 3.0, 4.5)
"""What hardly ever comes up and then comes many times as often: the odds are multiplied, not raised by a third."""

METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            Metric("success", "success rate", RATES, RATE_STAKES, 1.0, "points", more_is_better=True),
            Metric("latency", "latency", (0.5, 1.2, 2.5, 6.0), EVENLY, 2.0, "ratio", more_is_better=False),
            Metric("negative", "negative feedback", RATES, RATE_STAKES, 1.0, "points", more_is_better=False),
            Metric("unsafe", "unsafe reports", RARE, EVENLY, 1.0, "points", more_is_better=False),
            Metric("quality", "quality", (0.3, 0.8, 1.6, 3.0), EVENLY, 4.0, "scale", more_is_better=True),
        )
    }
)
"""In the order in which they are shown, and in which the first that crossed gives the reason."""

GUARDS = frozenset({"unsafe"})
"""They roll back by any rules, and give the reason where another metric crossed at the same time."""
