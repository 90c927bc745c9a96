"""How much likelier it is that texts are about one thing than that they are about several.

Every group has a centre of its own, drawn around the middle of all of an agent's texts, and its members lie around
that centre; both bells are round, and `SHARE` of the variance is the centres'. How many groups there are is not known:
the next text is of a group of n with odds n against α of a new one (a Chinese restaurant), and α is found from how many
groups so many texts made. So a pair of one-off texts has to be much alike to be put together where most are one-off,
and less so where few things are said by many; that is the test of a group against chance, made at every step.
Everything is asked of sums of points, so no member has to be looked at again.
"""

import math

import numpy as np
import numpy.typing as npt

SHARE = 0.35
DEGREES = 32.0
"""How many directions count, of the 384 that a point has: texts lie close to a thin sheet."""
MOST = 4096
"""So many members move a group; later ones only count."""
LEAST_STRICT, MOST_STRICT = 4.0, 6.0
CROWD = 2.0
"""α is no more than so many times the number of texts, down to its least: among few, hardly any are alike by chance."""

_RATIO = SHARE / (1 - SHARE)
_N = np.arange(2 * MOST + 2, dtype=np.float64)
_PULL = DEGREES / 2 * _RATIO / ((1 - SHARE) * (1 + _N * _RATIO))
_ROOM = DEGREES / 2 * np.array([math.log1p(n * _RATIO) for n in range(len(_N))])
_SEATS = np.array([math.lgamma(n) if n else 0.0 for n in range(len(_N))])

Numbers = npt.NDArray[np.float64]
Sizes = npt.NDArray[np.int64]


def of_group(square: Numbers, size: Sizes, parts: int = 1) -> Numbers:
    """The log-likelihood of groups; `square` is the squared length of the sum of a group's points (of one alone: 1).

    `parts` says how many texts an item is made of: two texts have twice as many directions.
    """
    found: Numbers = parts * (square * _PULL[size] - _ROOM[size]) + _SEATS[size]
    return found


def pull(size: Sizes, parts: int = 1) -> Numbers:
    """By how much the log-likelihood of a group grows with the squared length of its sum."""
    found: Numbers = parts * _PULL[size]
    return found


def strictness(groups: int, texts: int, lean: float = 0.0) -> float:
    """The logarithm of α where so many texts made so many groups, less `lean`, within bounds."""
    low = LEAST_STRICT
    high = max(low, min(MOST_STRICT, math.log(CROWD * max(texts, 1))))
    for _ in range(24):
        middle = (low + high) / 2
        alpha = math.exp(middle + lean)
        low, high = (middle, high) if alpha * math.log1p(texts / alpha) < groups else (low, middle)
    return (low + high) / 2
