"""What the times at which texts came say of whether they are about one thing.

What is broken is reported while it is broken. Half of all things are said at any time, evenly; the others within some
part of the time that an agent's texts span: a half of it, a quarter, and so on to a sixty-fourth, each as likely. So
texts of one thing are nearer each other in time than chance would have it, and texts far apart are a little less likely
to be about one thing. Times alone never put anything together: they count for so much at most, either way, whenever
something is asked of two groups, and nothing is lost where a thing comes back long after.
Parts of a span are without unit, so it does not matter whether an agent hears of a thing in hours or in months.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BOUND = 2.0
"""The most that times count for, as a logarithm of odds."""
_BRIEF = 0.5
"""The share of things that come within some part of the time."""
_PARTS = [2.0**-halvings for halvings in range(1, 7)]
_MOST = 30
"""So many texts tell as much as more would."""
_CROWDED = [np.array([part**-size for size in range(_MOST + 1)]) for part in _PARTS]

Numbers = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lives:
    """How many texts groups have, and when the first and the last of each came, in seconds; 0 where nobody knows."""

    sizes: Whole
    first: Whole
    last: Whole

    @classmethod
    def at(cls, moment: int) -> "Lives":
        """The life of one text."""
        return cls(np.ones(1, dtype=np.int64), np.array([moment]), np.array([moment]))

    def of(self, groups: Whole | list[int]) -> "Lives":
        """Those of some of the groups."""
        return Lives(self.sizes[groups], self.first[groups], self.last[groups])


def closeness(one: Lives, other: Lives, span: int) -> Numbers:
    """By how much it is likelier for their times that groups are one, within ±BOUND; 0 where nobody knows.

    `span` is the time that all texts of the agent came in, in seconds. Either may be one for all of the others.
    """
    known = (one.first > 0) & (other.first > 0)
    if span <= 0:
        return np.zeros(known.shape)
    longest = np.maximum(one.last, other.last) - np.minimum(one.first, other.first)
    sizes = np.concatenate([one.sizes + other.sizes, one.sizes, other.sizes])
    spans = np.concatenate([longest, one.last - one.first, other.last - other.first])
    found = _of_times(sizes, spans / span)  # all at once: many short rows would cost three times as much
    ones, others = len(longest), len(longest) + len(one.sizes)
    gains = found[:ones] - found[ones:others] - found[others:]
    return np.where(known, gains.clip(-BOUND, BOUND), 0.0)


def _of_times(sizes: Whole, shares: Numbers) -> Numbers:
    """How much likelier so many times within such a share of the span are for one thing than by chance."""
    counted = np.minimum(sizes, _MOST)
    brief = np.zeros(len(shares))
    for part, crowded in zip(_PARTS, _CROWDED, strict=True):
        brief += np.maximum(part - shares, 0) * crowded[counted]
    found = np.log(1 - _BRIEF + _BRIEF / len(_PARTS) * brief)
    return np.where(counted > 1, found, 0.0)
