"""How often something happens, how sure that is, and whether chance would explain it. Numbers only."""

import math
from dataclasses import dataclass
from typing import Final

Z: Final = 1.959964
"""Of a normal distribution, 95 % lie within so many standard deviations."""
SURE: Final = 0.05
"""What chance explains with less probability than this is not taken for chance."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`events` in `runs`: the share, and between which shares the true one lies with 95 % certainty (Wilson)."""

    events: int
    runs: int
    share: float
    low: float
    high: float


def rate(events: int, runs: int) -> Rate | None:
    """None without runs. Several events of one run count, but a share is never more than one."""
    if runs <= 0:
        return None
    share = min(events / runs, 1.0)
    return Rate(events, runs, share, *wilson(share, runs))


def wilson(share: float, runs: float) -> tuple[float, float]:
    """The limits of the 95 % interval around a share of so many runs, which need not be a whole number."""
    square = Z * Z
    middle = share + square / (2 * runs)
    spread = Z * math.sqrt(share * (1 - share) / runs + square / (4 * runs * runs))
    whole = 1 + square / runs
    # At the ends the limit is exact, and rounding would put it a hair beside.
    low = max(0.0, (middle - spread) / whole) if share > 0 else 0.0
    return low, min(1.0, (middle + spread) / whole) if share < 1 else 1.0


def by_chance(found: int, among: int, alike: float) -> float:
    """The probability that at least `found` of `among` say the same by chance, if each does with probability `alike`.

    By the Poisson distribution, which is on the safe side of the binomial one.
    """
    expected = among * alike
    if found <= 0 or expected <= 0:
        return 1.0 if found <= 0 else 0.0
    fewer = (math.exp(i * math.log(expected) - expected - math.lgamma(i + 1)) for i in range(found))
    return max(0.0, 1.0 - math.fsum(fewer))
