"""Looks at all texts at once and puts right what the first look got wrong, by the same odds.

While texts come one by one, early ones are placed before much is known. Here each may change to the group it now most
likely belongs to, groups that are several things come apart, and groups that are one thing come together; nothing is
done that makes the whole less likely. Groups keep their names: of one that comes apart, the largest part.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from feedback.mining import odds
from feedback.mining.clusters import SCALE, Points
from feedback.mining.lives import BOUND, Lives, closeness

ROUNDS = 2
_LEAN = 0.8
"""With all texts at hand the estimate of α may lean towards fewer groups: each it leaves out draws it further."""
_NEAR = 32
_BLOCK = 256
_LEAST_TO_SPLIT = 4
_MOST_TO_SPLIT = 600
_MARGIN = 1.2
"""By so much a text parts have to be likelier than the whole: what many say always has some grain."""

Numbers = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


def settle(points: Points, names: Sequence[int], place: bytes, parts: int = 1, times: Sequence[int] = ()) -> list[int]:
    """The name of each text's group, after all was put right; names that were not given before are negative.

    `place` is the middle of all texts, `times` are when they came, as in interface.Item. Cost: about 1 ms a text with
    10 000 groups.
    """
    seen = points.astype(np.float64) * SCALE - np.frombuffer(place, dtype="<i4")
    came = np.array(times or [0] * len(points), dtype=np.int64)
    span = int(came.max(initial=0) - came[came > 0].min(initial=came.max(initial=0)))
    places = seen / np.maximum(np.sqrt((seen * seen).sum(axis=1, keepdims=True)), 1e-9)
    seats = _Seats(places, names, parts, came, span)
    for _ in range(ROUNDS):
        seats.reseat()
        seats.reseat()
        seats.split()
        seats.merge()
    seats.reseat()
    return seats.names()


class _Seats:
    """Who sits where: texts, by their places as seen from the middle, in numbered groups."""

    def __init__(self, texts: Numbers, names: Sequence[int], parts: int, came: Whole, span: int) -> None:
        self._texts, self._parts = texts, parts
        self._came, self._span = came, span
        self._names = list(dict.fromkeys(names))
        numbers = {name: number for number, name in enumerate(self._names)}
        self._at = np.array([numbers[name] for name in names], dtype=np.int64)
        self._count = len(self._names)
        room = self._count + len(texts)
        self._sums = np.zeros((self._count + _BLOCK, texts.shape[1]))
        self._sizes = np.bincount(self._at, minlength=room)
        np.add.at(self._sums, self._at, texts)
        self._first, self._last = np.zeros(room, dtype=np.int64), np.zeros(room, dtype=np.int64)
        for group in range(self._count):
            self._live(group)

    def names(self) -> list[int]:
        named = self._names + [-number - 1 for number in range(self._count - len(self._names))]
        return [named[number] for number in self._at]

    def _strict(self) -> float:
        return odds.strictness(int(np.count_nonzero(self._sizes)), len(self._texts), _LEAN)

    def _own(self, groups: npt.NDArray[np.int64]) -> Numbers:
        sums = self._sums[groups]
        return odds.of_group((sums * sums).sum(axis=1), self._sizes[groups], self._parts)

    def reseat(self) -> None:
        """Each text goes to the group that it most likely belongs to now, or sits alone."""
        strict = self._strict()
        for start in range(0, len(self._texts), _BLOCK):
            at = range(start, min(start + _BLOCK, len(self._texts)))
            for text, near in zip(at, self._near(at), strict=True):
                self._leave(text)
                self._sit(text, self._best(text, near, strict))

    def _near(self, at: range) -> npt.NDArray[np.int64]:
        """For each text the groups that it may belong to."""
        sums, sizes = self._sums[: self._count], self._sizes[: self._count]
        squares = (sums * sums).sum(axis=1)
        own = odds.of_group(squares, sizes, self._parts)
        pull = odds.pull(sizes + 1, self._parts)
        base = odds.of_group(squares + 1, sizes + 1, self._parts) - own
        base[sizes == 0] = -np.inf
        gains = base + 2 * pull * (self._texts[at.start : at.stop] @ sums.T)
        if self._count <= _NEAR:
            return np.tile(np.arange(self._count), (len(at), 1))
        return np.argpartition(gains, self._count - _NEAR, axis=1)[:, -_NEAR:]

    def _best(self, text: int, near: npt.NDArray[np.int64], strict: float) -> int:
        """The likeliest group for a text that sits nowhere; a new one if that is likelier."""
        groups = np.union1d(near, self._at[text])
        groups = groups[(self._sizes[groups] > 0) & (self._sizes[groups] <= odds.MOST)]
        place = self._texts[text]
        if len(groups):
            sums, sizes = self._sums[groups], self._sizes[groups]
            squares = (sums * sums).sum(axis=1)
            together = odds.of_group(squares + 2 * (sums @ place) + 1, sizes + 1, self._parts)
            alone = odds.of_group(np.ones(1), np.ones(1, dtype=np.int64), self._parts)[0]
            gains = together - odds.of_group(squares, sizes, self._parts) - alone - strict
            gains += closeness(Lives.at(int(self._came[text])), self._lives().of(groups), self._span)
            best = int(gains.argmax())
            if gains[best] > 0:
                return int(groups[best])
        # A group that it was the last one of is still its own.
        return int(self._at[text]) if not self._sizes[self._at[text]] else self._new()

    def _leave(self, text: int) -> None:
        group = self._at[text]
        self._sums[group] -= self._texts[text]
        self._sizes[group] -= 1
        if self._came[text] in (self._first[group], self._last[group]):
            self._live(group, without=text)

    def _sit(self, text: int, group: int) -> None:
        self._at[text] = group
        self._sums[group] += self._texts[text]
        self._sizes[group] += 1
        if came := self._came[text]:
            self._first[group] = min(came, self._first[group] or came)
            self._last[group] = max(came, self._last[group])

    def _live(self, group: int, without: int = -1) -> None:
        """Finds anew when a group's first and last text came."""
        members = np.flatnonzero(self._at == group)
        came = self._came[members[members != without]]
        came = came[came > 0]
        self._first[group], self._last[group] = (came.min(), came.max()) if len(came) else (0, 0)

    def _lives(self) -> Lives:
        return Lives(self._sizes, self._first, self._last)

    def _new(self) -> int:
        self._count += 1
        if self._count > len(self._sums):
            self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)])
        if self._count > len(self._sizes):
            for name in ("_sizes", "_first", "_last"):
                setattr(self, name, np.concatenate([getattr(self, name), np.zeros_like(getattr(self, name))]))
        return self._count - 1

    def split(self) -> None:
        """Groups whose texts are likelier to be several come apart; the largest part stays."""
        strict = self._strict()
        members = defaultdict(list)
        for text, group in enumerate(self._at.tolist()):
            members[group].append(text)
        for texts in members.values():
            if _LEAST_TO_SPLIT <= len(texts) <= _MOST_TO_SPLIT:
                for part in self._parts_of(texts, strict):
                    group = self._new()
                    for text in part:
                        self._leave(text)
                        self._sit(text, group)

    def _parts_of(self, texts: Sequence[int], strict: float) -> Iterator[list[int]]:
        """All parts of a group but the largest, if it is likelier that they are apart."""
        alone = _Seats(self._texts[texts], range(len(texts)), self._parts, self._came[texts], self._span)
        alone.merge(strict)
        alone.merge(strict)
        taken = Counter(alone._at.tolist())
        apart = float(alone._own(np.array(list(taken))).sum()) + len(taken) * strict
        whole = float(self._own(self._at[texts[:1]])[0]) + strict
        if apart > whole + _MARGIN * self._parts * len(texts):
            largest = min(taken, key=lambda group: (-taken[group], group))
            for group in taken:
                if group != largest:
                    yield [text for text, at in zip(texts, alone._at.tolist(), strict=True) if at == group]

    def merge(self, strict: float | None = None) -> None:
        """Groups that are likelier to be one come together, the likeliest pairs first; the older one's name stays."""
        strict = self._strict() if strict is None else strict
        for _ in range(12):
            groups = np.flatnonzero(self._sizes[: self._count] > (0 if self._count <= 2000 else 1))
            found = sorted(self._pairs(groups, strict))
            taken: set[int] = set()
            into: dict[int, int] = {}
            for _gain, one, other in found:
                if one not in taken and other not in taken:
                    taken |= {one, other}
                    into[max(one, other)] = min(one, other)
            if not into:
                return
            for goes, stays in into.items():
                self._sums[stays] += self._sums[goes]
                self._sizes[stays] += self._sizes[goes]
                self._sums[goes], self._sizes[goes] = 0, 0
            self._at = np.array([into.get(group, group) for group in self._at.tolist()], dtype=np.int64)
            for stays in set(into.values()):
                self._live(stays)

    def _pairs(self, groups: npt.NDArray[np.int64], strict: float) -> Iterator[tuple[float, int, int]]:
        """For each group the one it is most likely one with, as (−gain, group, other)."""
        sums, sizes, own = self._sums[groups], self._sizes[groups], self._own(groups)
        squares = (sums * sums).sum(axis=1)
        for start in range(0, len(groups), _BLOCK):
            at = slice(start, min(start + _BLOCK, len(groups)))
            both = np.minimum(sizes[at, None] + sizes, 2 * odds.MOST)
            together = odds.of_group(squares[at, None] + squares + 2 * (sums[at] @ sums.T), both, self._parts)
            gains = together - own[at, None] - own - strict
            gains[np.arange(at.stop - at.start), np.arange(at.start, at.stop)] = -np.inf
            ones, others = np.nonzero(gains > -BOUND)
            lives = self._lives().of(groups)
            gains[ones, others] += closeness(lives.of(ones + start), lives.of(others), self._span)
            for row, best in enumerate(gains.argmax(axis=1).tolist()):
                if gains[row, best] > 0:
                    yield -float(gains[row, best]), int(groups[start + row]), int(groups[best])
