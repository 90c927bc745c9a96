"""Which groups of several agents are one thing: what grouping would have done, had all been reports of one agent.

The same shapes, odds and thresholds as within an agent; no text is looked at. What is one thing within an agent was
settled there: of groups of texts no two of one agent come together, by whatever way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from feedback.mining import odds, vectors
from feedback.mining.clusters import Clusters
from feedback.mining.errors import families
from feedback.mining.grouper import PARTS
from feedback.mining.interface import Group, Kind
from feedback.mining.lives import BOUND, Lives, closeness
from feedback.mining.meaning import neutral
from feedback.mining.texts import THRESHOLD, Centroids

_ROUNDS = 12
_BLOCK = 512
_MARGIN = 1.0
"""By so much groups have to be likelier one than within an agent, for all are compared with all, and that is final."""

Numbers = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Placed:
    """A group, and the agent it is of."""

    group: Group
    agent: int


def together(kind: Kind, groups: Sequence[Placed]) -> list[int]:
    """For each group of one kind, the position of the first one that it is one thing with, its own if there is none.

    Cost: 20 000 groups of texts with meaning take 15 s, of errors 1 s.
    """
    if kind is Kind.ERROR:
        return families([placed.group.signature for placed in groups])
    if kind is Kind.MISLABEL:
        firsts: dict[str, int] = {}
        return [firsts.setdefault(placed.group.signature, at) for at, placed in enumerate(groups)]
    found = list(range(len(groups)))
    for has, join in ((True, _by_meaning), (False, _by_words)):
        some = [at for at, placed in enumerate(groups) if bool(placed.group.meaning) is has]
        for at, first in zip(some, join(kind, [groups[at] for at in some]), strict=True):
            found[at] = some[first]
    return found


def _by_words(kind: Kind, groups: Sequence[Placed]) -> list[int]:
    """Each group joins the first that its words are near enough to, the larger ones first."""
    book, firsts, found = Centroids([], []), list[int](), list(range(len(groups)))
    at_home: list[set[int]] = []
    for at in sorted(range(len(groups)), key=lambda at: (-groups[at].group.size, at)):
        vector = vectors.of_centroid(groups[at].group.centroid)
        if vector is None:
            continue
        number, similarity = book.nearest(vector)
        if similarity < THRESHOLD or groups[at].agent in at_home[number]:
            number = book.add(vector)
            firsts.append(at)
            at_home.append(set())
        else:
            book.join(number, vector)
        found[at] = firsts[number]
        at_home[number].add(groups[at].agent)
    return found


def _by_meaning(kind: Kind, groups: Sequence[Placed]) -> list[int]:
    if not groups:
        return []
    pool = _Pool(kind, groups)
    for _ in range(_ROUNDS):
        if not pool.join():
            break
    return pool.firsts()


class _Pool:
    """Groups by their sums, as seen from the middle of all; those that are likelier to be one come together."""

    def __init__(self, kind: Kind, groups: Sequence[Placed]) -> None:
        clusters = Clusters(neutral(), PARTS[kind], [placed.group.meaning for placed in groups])
        self._sums, self._sizes = clusters.seen()
        self._parts = PARTS[kind]
        self._strict = odds.strictness(len(groups), int(self._sizes.sum())) + _MARGIN
        self._into = np.arange(len(groups))
        self._first, self._last = (
            np.array([getattr(placed.group, name) for placed in groups], dtype=np.int64) for name in ("first", "last")
        )
        self._span = int(self._last.max() - self._first.min(where=self._first > 0, initial=self._last.max()))
        agents = {agent: number for number, agent in enumerate(dict.fromkeys(placed.agent for placed in groups))}
        self._home = np.zeros((len(groups), len(agents)), dtype=np.float32)
        for at, placed in enumerate(groups):
            self._home[at, agents[placed.agent]] = 1

    def firsts(self) -> list[int]:
        """The first group of what each one is in now."""
        first: dict[int, int] = {}
        return [first.setdefault(into, at) for at, into in enumerate(self._into.tolist())]

    def join(self) -> bool:
        """Puts together those pairs that are likeliest one, each group once at most; whether there were any."""
        groups = np.flatnonzero(self._sizes)
        into: dict[int, int] = {}
        taken: set[int] = set()
        for _, one, other in sorted(self._pairs(groups)):
            if one not in taken and other not in taken:
                taken |= {one, other}
                into[max(one, other)] = min(one, other)
        for goes, stays in into.items():
            if self._first[goes] and self._first[stays]:
                self._first[stays] = min(self._first[stays], self._first[goes])
                self._last[stays] = max(self._last[stays], self._last[goes])
            for column in (self._sums, self._sizes, self._home):
                column[stays] += column[goes]
                column[goes] = 0
        self._into = np.array([into.get(at, at) for at in self._into.tolist()], dtype=np.int64)
        return bool(into)

    def _pairs(self, groups: Whole) -> Iterator[tuple[float, int, int]]:
        """For each group the one it is most likely one with, as (−gain, group, other)."""
        sums, sizes, home = self._sums[groups], self._sizes[groups], self._home[groups]
        squares = (sums.astype(np.float64) ** 2).sum(axis=1)
        own = odds.of_group(squares, np.minimum(sizes, 2 * odds.MOST), self._parts)
        lives = Lives(sizes, self._first[groups], self._last[groups])
        for start in range(0, len(groups), _BLOCK):
            at = slice(start, min(start + _BLOCK, len(groups)))
            both = np.minimum(sizes[at, None] + sizes, 2 * odds.MOST)
            together = odds.of_group(squares[at, None] + squares + 2 * (sums[at] @ sums.T), both, self._parts)
            gains = together - own[at, None] - own - self._strict
            gains[home[at] @ home.T > 0] = -np.inf
            gains[np.arange(at.stop - at.start), np.arange(at.start, at.stop)] = -np.inf
            ones, others = np.nonzero(gains > -BOUND)
            gains[ones, others] += closeness(lives.of(ones + start), lives.of(others), self._span)
            for row, best in enumerate(gains.argmax(axis=1).tolist()):
                if gains[row, best] > 0:
                    yield -float(gains[row, best]), int(groups[start + row]), int(groups[best])
