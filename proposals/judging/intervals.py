"""How much better or worse: intervals that hold at every time of looking at once.

Each block gives one number from -1 to 1: the candidate's run less the others', on average, over the metric's scale.
Against every possible mean m two gamblers bet, one that the mean is above, one that it is below, each with several
fixed stakes side by side; m is in the interval as long as neither has multiplied their capital by 2/alpha. By Ville's
inequality the true mean is in all the intervals ever shown with probability 1 - alpha.

With fixed stakes the order of the blocks does not matter, so a count of each outcome is all that has to be kept.
Outcomes are kept in hundredths, rounded against us on either side.

* Waudby-Smith, Ramdas: Estimating means of bounded random variables by betting, JRSS B 86 (2024), with the
  diversified stakes of its section on Kelly betting.
* Howard, Ramdas, McAuliffe, Sekhon: Time-uniform, nonparametric, nonasymptotic confidence sequences, Annals of
  Statistics 49 (2021).
"""

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np

from proposals.judging.blocks import Blocks
from proposals.judging.metrics import Floats

STEPS = 100
"""Parts of one: outcomes are kept to the hundredth."""

STAKES = np.array([0.03, 0.06, 0.12, 0.22, 0.4, 0.65, 0.95])
"""Parts of the capital put on one block. A stake that an outcome of -1 could ruin is left out: its capital is 0."""


def outcomes(better: Floats, blocks: Blocks, scale: float) -> Floats:
    """By how much the candidate did better in each block, from -1 to 1; `better` is that of `bets.pulls`."""
    bounded = np.clip(better / scale, -1.0, 1.0)
    means: Floats = np.add.reduceat(bounded, blocks.starts) / blocks.sizes
    return means


def tally(found: Floats) -> tuple[Counter[int], Counter[int]]:
    """How often each hundredth came up: rounded down, and rounded up."""
    hundredths = found * STEPS
    return (
        Counter(np.floor(hundredths + 1e-9).astype(int).tolist()),
        Counter(np.ceil(hundredths - 1e-9).astype(int).tolist()),
    )


def mean(down: Mapping[int, int], up: Mapping[int, int]) -> float | None:
    """The mean outcome; None before the first block."""
    count = sum(down.values())
    total = sum(value * number for value, number in [*down.items(), *up.items()])
    return total / count / STEPS / 2 if count else None


def interval(down: Mapping[int, int], up: Mapping[int, int], confidence: float) -> tuple[float, float]:
    """Lowest and highest mean, from -1 to 1, that the outcomes so far do not speak against."""
    needed = math.log(2 / (1 - confidence))
    return _lowest(down, needed), -_lowest({-value: number for value, number in up.items()}, needed)


def _lowest(tallied: Mapping[int, int], needed: float) -> float:
    """The greatest mean that is refuted from below, or -1; capital only falls as the mean bet against rises."""
    values = np.array(list(tallied), dtype=np.float64) / STEPS
    counts = np.array(list(tallied.values()), dtype=np.float64)
    low, high = -1.0, 1.0
    if _log_capital(values, counts, low) < needed:
        return low
    while high - low > 1e-4:
        middle = (low + high) / 2
        if _log_capital(values, counts, middle) >= needed:
            low = middle
        else:
            high = middle
    return low


def _log_capital(values: Floats, counts: Floats, against: float) -> float:
    """Log capital of one who bets that the mean is above `against`."""
    stakes = STAKES[STAKES * (1 + against) < 1]
    gains = counts @ np.log1p(np.outer(values - against, stakes))
    top = float(gains.max())
    return top + math.log(float(np.exp(gains - top).sum() / len(STAKES)))
