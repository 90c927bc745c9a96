"""One number for how an agent fares, between 0 and 1, in which the last days weigh most.

A day d days ago weighs 2 ** (-d / HALF_LIFE_DAYS). Three parts, each between 0 and 1, are averaged by PARTS:

* success: the share of runs that succeeded;
* content: one less the thumbs down per run, where there was any feedback at all;
* quality: (quality - 1) / 4, where runs tell one.

A part nobody reports is left out, and the others share its weight. Weighed runs are worth (sum of weights) squared over
the sum of squared weights; each part's 95 % interval is Wilson's at that worth, which for quality is on the safe side,
as nothing between 0 and 1 varies more than a yes or no of the same mean. The intervals are joined by the method of
variance estimates recovery (Zou, Donner: Construction of confidence limits about effect measures, Statistics in
Medicine 27, 2008). Below LEAST_RUNS worth of runs there is no score: too few runs to say.
"""

import math
from dataclasses import dataclass
from typing import Final

from feedback.rates import wilson

HALF_LIFE_DAYS: Final = 3.0
DAYS: Final = 21
"""Days looked back: what is older would weigh less than a hundredth."""
LEAST_RUNS: Final = 10.0
PARTS: Final = {"success": 0.6, "content": 0.2, "quality": 0.2}


@dataclass(frozen=True, slots=True)
class Weighed:
    """Sums over the last days, each day by its weight; `…_squared` by the square of it. `reports` is a plain count."""

    runs: float = 0.0
    runs_squared: float = 0.0
    successes: float = 0.0
    negative: float = 0.0
    reports: int = 0
    rated: float = 0.0
    rated_squared: float = 0.0
    quality_sum: float = 0.0


@dataclass(frozen=True, slots=True)
class Score:
    """The score and its 95 % interval; `worth` is in runs, `parts` are the averaged shares by name."""

    value: float
    low: float
    high: float
    worth: float
    parts: dict[str, float]


def weight(days_ago: int) -> float:
    """What a day weighs; today is 0 days ago."""
    return float(2 ** (-days_ago / HALF_LIFE_DAYS))


def score(weighed: Weighed) -> Score | None:
    """None where there are too few runs to say."""
    worth = _worth(weighed.runs, weighed.runs_squared)
    if worth < LEAST_RUNS:
        return None
    found = {"success": (weighed.successes / weighed.runs, worth)}
    if weighed.reports:
        found["content"] = (1 - min(weighed.negative / weighed.runs, 1.0), worth)
    if weighed.rated:
        quality = (weighed.quality_sum / weighed.rated - 1) / 4
        found["quality"] = (quality, _worth(weighed.rated, weighed.rated_squared))
    return _joined({name: (min(max(share, 0.0), 1.0), runs) for name, (share, runs) in found.items()}, worth)


def _joined(found: dict[str, tuple[float, float]], worth: float) -> Score:
    whole = math.fsum(PARTS[name] for name in found)
    value = below = above = 0.0
    for name, (share, runs) in found.items():
        part = PARTS[name] / whole
        low, high = wilson(share, runs)
        value += part * share
        below += (part * (share - low)) ** 2
        above += (part * (high - share)) ** 2
    low, high = max(0.0, value - math.sqrt(below)), min(1.0, value + math.sqrt(above))
    return Score(value, low, high, worth, {name: share for name, (share, _) in found.items()})


def _worth(total: float, squared: float) -> float:
    return total * total / squared if squared else 0.0
