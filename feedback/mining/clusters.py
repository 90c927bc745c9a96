"""Groups texts by meaning, one after the other, with sums alone: what came before is never looked at again.

A text joins the group it most likely belongs to, or begins one. A group that grew may take in another one that nobody
has seen yet, so the third text of a kind brings the first two together even where they had stayed apart.
Whatever decides is made of whole numbers and of tables, so the answer does not depend on machine, batch or the order
of additions.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from feedback.mining import odds
from feedback.mining.interface import Middle
from feedback.mining.lives import Lives, closeness
from feedback.mining.window import Windows

LENGTH = 400
"""The length of a point."""
SCALE = 16
"""The middle and the weights of texts are in sixteenths."""
_UNIT = float(SCALE * SCALE * LENGTH)
_HEAVIEST = 3 * SCALE
_NEUTRAL_TEXTS = 12
"""The neutral middle counts as much as so many texts."""
_FIRST_MIDDLE = 8
_GROWTH = 2
_NEAR = 32
"""So many groups, the likeliest for a text, are looked at closely."""
_BLOCK = 64
_COLUMNS: tuple[str, ...] = ("_sums", "_weights", "_moved", "_kept", "_rows", "_squares", "_own", "_base", "_pull")
_COLUMNS += ("_sizes", "_grown", "_pinned", "_alive", "_first", "_last")

Whole = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
Points = npt.NDArray[np.int8]


class Clusters:
    """The groups of one agent and kind, in order of creation; number i is the i-th of them.

    Memory: 3 KiB a group for 384 dimensions. Each text is compared with every group once, in blocks. Where there are
    windows, only groups that are in them or pinned may grow, and only they say how things stand; see window.Windows.
    """

    def __init__(
        self,
        neutral: Sequence[int],
        parts: int = 1,
        stored: Sequence[bytes] = (),
        kept: Sequence[bool] = (),
        middle: Middle | None = None,
        settled: int = 3,
        windows: Windows | None = None,
        sizes: Sequence[int] = (),
        grown: Sequence[int] = (),
        pinned: Sequence[bool] = (),
        lives: Sequence[tuple[int, int]] = (),
    ) -> None:
        """`neutral` is the middle of neutral texts; an item is made of so many of them, its `parts`, side by side.

        `stored` are groups from `stored()`, or empty for one that no text has moved; `kept` are those people formed.
        From `settled` members on a group may have been seen: it is not taken into another one by itself.
        With `windows` come the sizes of the groups, when each grew last, and which are pinned; `lives` says when the
        first and the last of each one's texts came, see interface.Group.

        Raises ValueError if a stored group has other dimensions than `neutral`.
        """
        self._parts, self._settled, self._windows = parts, settled, windows
        self._neutral = _side_by_side(neutral, parts)
        self.dimensions = len(self._neutral)
        self.changed: set[int] = set()
        self.sure: list[float] = []
        """Of each text taken, how probable it was that it belonged to the group it joined; 1 of one that began one."""
        self.merged: dict[int, int] = {}
        """Which group went into which."""
        self._read(stored)
        self._read_lives(kept, sizes, grown, pinned)
        for column, times in zip((self._first, self._last), zip(*lives, strict=True), strict=False):
            column[: len(times)] = times
        self._open_windows()
        self._texts = int(self._moved[self._alive].sum())
        self._groups = int(np.count_nonzero(self._moved[self._alive]))
        self.middle = middle or self._average(Middle(b"", 0))
        self._recenter()

    def _make_columns(self, room: int) -> None:
        """What is kept of each group, for so many of them."""
        self._sums = np.zeros((room, self.dimensions), dtype=np.int32)
        self._weights, self._moved = np.zeros(room, dtype=np.int64), np.zeros(room, dtype=np.int64)
        self._kept, self._pinned = np.zeros(room, dtype=bool), np.zeros(room, dtype=bool)
        self._alive = np.ones(room, dtype=bool)
        self._sizes, self._grown = np.zeros(room, dtype=np.int64), np.zeros(room, dtype=np.int64)
        self._first, self._last = np.zeros(room, dtype=np.int64), np.zeros(room, dtype=np.int64)
        self._rows = np.zeros((room, self.dimensions), dtype=np.float32)
        self._squares = np.zeros(room, dtype=np.int64)
        self._own, self._base, self._pull = (np.zeros(room) for _ in range(3))

    def _read(self, stored: Sequence[bytes]) -> None:
        if any(len(group) not in (0, 4 * (self.dimensions + 2)) for group in stored):
            raise ValueError("A stored group has other dimensions than the texts.")
        self.count = len(stored)
        self._make_columns(self.count + 4 * _BLOCK)
        for number, group in filter(itemgetter(1), enumerate(stored)):
            numbers = np.frombuffer(group, dtype="<i4")
            self._sums[number] = numbers[:-2]
            self._weights[number], self._moved[number] = numbers[-2:]

    def _read_lives(
        self, kept: Sequence[bool], sizes: Sequence[int], grown: Sequence[int], pinned: Sequence[bool]
    ) -> None:
        self._kept[: len(kept)], self._pinned[: len(pinned)] = kept, pinned
        self._sizes[: len(sizes)], self._grown[: len(grown)] = sizes, grown
        self._clock = int(self._grown.max())

    def stored(self, number: int) -> bytes:
        """The sum of a group's texts, their weight and their number, as little-endian 32-bit whole numbers."""
        numbers = [*self._sums[number].tolist(), int(self._weights[number]), int(self._moved[number])]
        return np.array(numbers, dtype="<i4").tobytes()

    def seen(self) -> tuple[npt.NDArray[np.float32], Whole]:
        """The sum of each group's texts as seen from the middle, where one text has length 1; and how many they are."""
        return self._rows[: self.count].copy(), self._moved[: self.count].copy()

    def grown(self, number: int) -> int:
        """When a group grew last, see interface.Group."""
        return int(self._grown[number])

    def life(self, number: int) -> tuple[int, int]:
        """When a group's first and last text came."""
        return int(self._first[number]), int(self._last[number])

    def take(self, points: Points, times: Sequence[int] = ()) -> list[int]:
        """Puts texts into groups, in their order; the number of each one's group, as things stand after the last.

        `times` are when they came, as in interface.Item.
        """
        taken: list[int] = []
        times = times or [0] * len(points)
        while len(taken) < len(points):
            block = slice(len(taken), len(taken) + _BLOCK)
            taken += self._block(points[block], times[block])
        return [self.last(number) for number in taken]

    def joined(self, points: Points, numbers: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Whether each text (row) would rather belong to each of these groups (column) than be alone."""
        groups = np.array(numbers, dtype=np.int64)
        found = np.zeros((len(points), len(groups)), dtype=bool)
        seen = self._sums_seen(groups)
        for row, text in enumerate(self._place(points)[1]):
            square = int(text @ text)
            found[row] = self._gains(groups, seen @ text, square, 1, float(self._alone(square))) > 0
        return found & (self._moved[groups] > 0)

    def fill(self, points: Points) -> int:
        """Makes one group of all these texts; its number."""
        self._make_room()
        number, self.count, self._groups = self.count, self.count + 1, self._groups + 1
        for point, weight in zip(points, self._place(points)[0].tolist(), strict=True):
            self._add(number, point, weight)
        return number

    def last(self, number: int) -> int:
        """Where a group is now that others may have been put together with it."""
        while number in self.merged:
            number = self.merged[number]
        return number

    def _block(self, points: Points, times: Sequence[int]) -> list[int]:
        """Takes some texts; fewer than given when the middle has moved on the way."""
        self._make_room()
        weights, placed = self._place(points)
        rough = (placed / _UNIT).astype(np.float32)
        products = rough @ self._rows.T
        taken: list[int] = []
        for at, point in enumerate(points):
            near = self._likely(products[at])
            self._came(times[at])
            number = self._chosen(placed[at], near, times[at])
            self._add(number, point, int(weights[at]), times[at])
            touched = {number}
            while (other := self._partner(number, near)) >= 0:
                number = self._merge(number, other)
                touched.add(number)
            self._note(number)
            taken.append(number)
            if self._texts >= max(_GROWTH * self.middle.texts, _FIRST_MIDDLE):
                self.middle = self._average(self.middle)
                self._recenter()
                break
            for group in touched:
                products[at + 1 :, group] = rough[at + 1 :] @ self._rows[group]
        return taken

    def _place(self, points: Points) -> tuple[Whole, Whole]:
        """The weights of texts, and where they lie as seen from the middle, all at about the same distance."""
        seen = points.astype(np.int64) * SCALE - self._center
        far = np.sqrt((seen * seen).sum(axis=1))
        weights = np.rint(_UNIT / np.maximum(far, 1)).astype(np.int64).clip(1, _HEAVIEST)
        return weights, seen * weights[:, None]

    def _likely(self, products: npt.NDArray[np.float32]) -> Whole:
        """The groups that a text may belong to, or that may belong with it, by number."""
        gains = self._base[: self.count] + self._pull[: self.count] * products[: self.count]
        if self.count <= _NEAR:
            return np.flatnonzero(gains > -np.inf)
        best = np.argpartition(gains, self.count - _NEAR)[-_NEAR:]
        best.sort()
        found: Whole = best[gains[best] > -np.inf]
        return found

    def _came(self, at: int) -> None:
        """A text came: all texts span that time, too."""
        if at and not self.middle.first <= at <= self.middle.last:
            first = min(at, self.middle.first or at)
            self.middle = replace(self.middle, first=first, last=max(at, self.middle.last))

    def _lives(self, groups: Whole) -> Lives:
        return Lives(self._moved[groups], self._first[groups], self._last[groups])

    def _closeness(self, one: Lives, groups: Whole) -> Numbers:
        return closeness(one, self._lives(groups), self.middle.last - self.middle.first)

    def _chosen(self, text: Whole, near: Whole, came: int) -> int:
        """The group a text most likely belongs to, the oldest of equals; a new number if it is likelier alone."""
        if len(near):
            square = int(text @ text)
            gains = self._gains(near, self._sums_seen(near) @ text, square, 1, float(self._alone(square)))
            gains += self._closeness(Lives.at(came), near)
            best = int(gains.argmax())
            if gains[best] > 0:
                self.sure.append(1 / (1 + math.exp(-float(gains[best]))))
                return int(near[best])
        self.sure.append(1.0)
        self.count += 1
        self._groups += 1
        return self.count - 1

    def _partner(self, number: int, near: Whole) -> int:
        """The group that most likely is the same as this one, of those that may be put together; -1 if none is."""
        others = near[(near != number) & (self._moved[near] > 0)]
        others = others[self._moved[others] + self._moved[number] <= 2 * odds.MOST]
        if self._is_settled(number):
            others = others[~(self._kept[others] | (self._moved[others] >= self._settled))]
        if not len(others):
            return -1
        products = self._sums_seen(others) @ self._sums_seen(np.array([number]))[0]
        size, square = int(self._moved[number]), int(self._squares[number])
        gains = self._gains(others, products, square, size, float(self._own[number]))
        gains += self._closeness(self._lives(np.array([number])), others)
        best = int(gains.argmax())
        return int(others[best]) if gains[best] > 0 else -1

    def _gains(self, groups: Whole, products: Whole, square: int, size: int, own: float) -> Numbers:
        """By how much it is likelier that something is one with each group than that it is not."""
        squares = (self._squares[groups] + 2 * products + square) / _UNIT**2
        together = odds.of_group(squares, self._moved[groups] + size, self._parts)
        return together - self._own[groups] - own - odds.strictness(self._groups, self._texts)

    def _alone(self, square: int) -> np.float64:
        return odds.of_group(np.array([square / _UNIT**2]), np.array([1]), self._parts)[0]

    def _is_settled(self, number: int) -> bool:
        return bool(self._kept[number] or self._moved[number] >= self._settled)

    def _add(self, number: int, point: npt.NDArray[np.int8], weight: int, at: int = 0) -> None:
        self.changed.add(number)
        self._sizes[number] += 1
        self._live(number, at, at)
        if self._moved[number] >= odds.MOST:
            return
        self._sums[number] += point.astype(np.int32) * weight
        self._weights[number] += weight
        self._moved[number] += 1
        self._texts += 1
        self._look_at(number)

    def _merge(self, one: int, other: int) -> int:
        """Puts two groups together; the number of the one that stays: a settled one, else the older."""
        stays, goes = sorted((one, other), key=lambda number: (not self._is_settled(number), number))
        self._sums[stays] += self._sums[goes]
        for column in (self._weights, self._moved, self._sizes):
            column[stays] += column[goes]
        self._sums[goes], self._weights[goes], self._moved[goes] = 0, 0, 0
        self._live(stays, *self.life(goes))
        self._groups -= 1
        self.merged[goes] = stays
        self.changed.add(stays)
        self._look_at(stays)
        self._look_at(goes)
        for back in self._windows.leave(goes) if self._windows else ():
            self._turn(back, True)
        return stays

    def _live(self, number: int, first: int, last: int) -> None:
        """Texts that came then are in a group now; of one that had texts before at times nobody knows, none is kept."""
        if first and (self._first[number] or not self._moved[number]):
            self._first[number] = min(first, int(self._first[number]) or first)
            self._last[number] = max(last, int(self._last[number]))

    def _open_windows(self) -> None:
        for number in np.lexsort((np.arange(self.count), self._grown[: self.count])).tolist():
            if self._windows and not self._pinned[number]:
                for out in self._windows.grow(number, int(self._sizes[number]))[0]:
                    self._alive[out] = False

    def _note(self, number: int) -> None:
        """A group grew: another may have to go out for it, or come back."""
        self._clock += 1
        self._grown[number] = self._clock
        if self._windows and not self._pinned[number]:
            out, back = self._windows.grow(number, int(self._sizes[number]))
            for other in out:
                self._turn(other, False)
            for other in back:
                self._turn(other, True)

    def _turn(self, number: int, alive: bool) -> None:
        """A group goes out of its window, or comes back."""
        self._alive[number], sign = alive, 1 if alive else -1
        self._texts += sign * int(self._moved[number])
        self._groups += sign * bool(self._moved[number])
        self._look_at(number)

    def _look_at(self, number: int) -> None:
        """Works out anew what follows from a group's sum."""
        seen = self._sums_seen(np.array([number]))
        self._derive(slice(number, number + 1), seen)

    def _sums_seen(self, groups: Whole | slice) -> Whole:
        """Sums of groups as seen from the middle."""
        seen: Whole = self._sums[groups].astype(np.int64) * SCALE - self._weights[groups, None] * self._center
        return seen

    def _derive(self, at: slice, seen: Whole) -> None:
        self._rows[at] = seen / _UNIT
        self._squares[at] = (seen * seen).sum(axis=1)
        sizes, squares = self._moved[at], self._squares[at] / _UNIT**2
        self._own[at] = odds.of_group(squares, sizes, self._parts)
        self._pull[at] = 2 * odds.pull(sizes + 1, self._parts)
        base = odds.of_group(squares + 1, sizes + 1, self._parts) - self._own[at]
        self._base[at] = np.where((sizes > 0) & self._alive[at], base, -np.inf)

    def _average(self, was: Middle) -> Middle:
        alive = self._alive[: self.count]
        total = self._sums[: self.count].sum(axis=0, dtype=np.int64, where=alive[:, None])
        found = _middle(total, int(self._weights[: self.count][alive].sum()), self._neutral, self._texts)
        return replace(found, first=was.first, last=was.last)

    def _recenter(self) -> None:
        self._center = np.frombuffer(self.middle.place, dtype="<i4").astype(np.int64)
        for start in range(0, len(self._moved), 4096):
            at = slice(start, min(start + 4096, len(self._moved)))
            self._derive(at, self._sums_seen(at))

    def _make_room(self) -> None:
        """There must be a free place for each text of a block."""
        if self.count + _BLOCK <= len(self._moved):
            return
        more = len(self._moved) // 4 + _BLOCK
        for name in _COLUMNS:
            old = getattr(self, name)
            setattr(self, name, np.concatenate([old, np.zeros((more, *old.shape[1:]), dtype=old.dtype)]))
        self._base[len(self._moved) - more :] = -np.inf
        self._alive[len(self._moved) - more :] = True


def middle_of(points: Points, neutral: Sequence[int], parts: int = 1) -> Middle:
    """The middle of all these texts, and of some neutral ones."""
    total = points.sum(axis=0, dtype=np.int64) * SCALE
    return _middle(total, len(points) * SCALE, _side_by_side(neutral, parts), len(points))


def _middle(total: Whole, weight: int, neutral: Whole, texts: int) -> Middle:
    heavy = _NEUTRAL_TEXTS * SCALE
    place = np.rint(SCALE * (total + heavy * neutral) / (weight + heavy))
    return Middle(place.astype("<i4").tobytes(), texts)


def _side_by_side(neutral: Sequence[int], parts: int) -> Whole:
    return np.tile(np.rint(np.array(neutral) / math.sqrt(parts)).astype(np.int64), parts)
