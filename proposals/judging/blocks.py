"""Which runs of the two arms are held against each other.

A block is one run of one arm against one or more of the other: at a share of a half one against one, at a fifth one
candidate run against four current ones. Runs enter blocks in the order of their arrival, so a block compares runs of
about the same time: an outage that hits both arms, or a share that grew while traffic changed, moves no verdict.

Who goes with whom is decided by the arms and shares alone, never by how a run went. Given the arms, each block is
then fixed beforehand as far as outcomes are concerned, which is what makes its bet fair (see `bets`).
"""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from proposals.judging.metrics import Floats
from proposals.judging.observations import Bools

Ints = npt.NDArray[np.int64]

SURPLUS = 5
"""Runs that may wait beyond a full block before they join one that is larger than planned. Without waiting, uneven
arrivals make lopsided blocks, which tell less per run; with long waiting, what came last is not judged yet."""

LONGEST_WAIT = 20
"""Runs that may wait, beyond three blocks' worth, for an arm from which nothing comes; then the oldest are dropped."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocks by position: `lone[i]` stands against `others[starts[i]:starts[i] + sizes[i]]`; `closed_by[i]` is the
    position whose arrival completed it. `waiting` are the positions left over, in the order of their arrival."""

    lone: Ints
    lone_is_candidate: Bools
    others: Ints
    starts: Ints
    sizes: Ints
    closed_by: Ints
    waiting: Ints


def form(candidate: Bools, share: Floats, waited: int) -> Blocks:
    """Blocks of these runs. The first `waited` of them are left over from before and complete nothing by themselves;
    the same runs cut otherwise into calls make the same blocks."""
    return _form(candidate.tobytes(), share.tobytes(), waited)


@lru_cache(maxsize=2)
def _form(candidates: bytes, shares: bytes, waited: int) -> Blocks:
    """Remembered because metrics that every run reports have the same blocks."""
    candidate, share = np.frombuffer(candidates, dtype=np.bool_), np.frombuffer(shares)
    queue = _Queue(candidate[:waited].tolist())
    arrivals = zip(candidate[waited:].tolist(), share[waited:].tolist(), strict=True)
    for position, (is_candidate, now) in enumerate(arrivals, start=waited):
        queue.arrive(position, is_candidate, now)
    return queue.blocks()


@lru_cache(maxsize=1000)
def _plan(share: float) -> tuple[bool, int, int]:
    """(whether the candidate is the rarer arm, fewest and most runs of the other to one of the rarer)."""
    rarer = min(max(min(share, 1 - share), 0.01), 0.5)
    ratio = (1 - rarer) / rarer
    return share <= 0.5, math.floor(ratio + 1e-9), math.ceil(ratio - 1e-9)


class _Queue:
    def __init__(self, waiting: Iterable[bool]) -> None:
        self.waiting: tuple[deque[int], deque[int]] = (deque(), deque())
        for position, is_candidate in enumerate(waiting):
            self.waiting[is_candidate].append(position)
        self.lone: list[int] = []
        self.lone_is_candidate: list[bool] = []
        self.others: list[int] = []
        self.sizes: list[int] = []
        self.closed_by: list[int] = []

    def arrive(self, position: int, is_candidate: bool, share: float) -> None:
        self.waiting[is_candidate].append(position)
        candidate_is_rarer, fewest, most = _plan(share)
        rare, common = self.waiting[candidate_is_rarer], self.waiting[not candidate_is_rarer]
        while rare and len(common) >= fewest:
            count = max(min(len(common), most), len(common) - SURPLUS)
            self._close(position, rare, common, count, candidate_is_rarer)
        if common and len(rare) > SURPLUS:
            self._close(position, common, rare, len(rare) - SURPLUS, not candidate_is_rarer)
        longest = common if len(common) > len(rare) else rare
        if len(longest) > 3 * most + LONGEST_WAIT:
            longest.popleft()

    def _close(self, position: int, one: deque[int], many: deque[int], count: int, is_candidate: bool) -> None:
        self.lone.append(one.popleft())
        self.lone_is_candidate.append(is_candidate)
        for _ in range(count):
            self.others.append(many.popleft())
        self.sizes.append(count)
        self.closed_by.append(position)

    def blocks(self) -> Blocks:
        sizes = np.array(self.sizes, dtype=np.int64)
        return Blocks(
            np.array(self.lone, dtype=np.int64),
            np.array(self.lone_is_candidate, dtype=np.bool_),
            np.array(self.others, dtype=np.int64),
            np.cumsum(sizes) - sizes,
            sizes,
            np.array(self.closed_by, dtype=np.int64),
            np.array(sorted([*self.waiting[0], *self.waiting[1]]), dtype=np.int64),
        )
