"""Groups texts by meaning, one after the other: each joins the nearest centroid, or begins a group.

No model: texts are near when they share rare words, so paraphrases without a common word stay apart, and
one complaint in very different words makes several groups. Threshold and weights were chosen on half of the
intents of two public sets of customer requests; on the other half, 1000 requests in random order each, pairs
put together were right (precision) and pairs of one intent were found (recall):

    banking77   19 intents   precision 0.51   recall 0.41   F1 0.46
    clinc150    37 intents   precision 0.75   recall 0.42   F1 0.54
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from feedback.mining.vectors import DIMENSIONS, MAX_PARTS, SCALE, Vector
from feedback.mining.window import Windows

THRESHOLD = 0.32
MAX_MOVES = 160
"""So many members move a centroid; later ones only count. Bounds its numbers to 16 bits, and its drift."""
CENTROID_BYTES = DIMENSIONS * 2

_QUERY_SCALE = 1000
_ROUGH = 1e-4
"""By so much at most a similarity in single precision is wrong: 4 times what MAX_PARTS roundings can add up to."""


class Centroids:
    """The centroids of one agent's groups of one kind, in order of creation; number i is the i-th of them.

    Memory: 12 KiB a group. Cost: a look-up compares with every group, reading at most vectors.MAX_PARTS
    numbers of each (about 50 for a sentence). With windows, groups out of them are near to nothing and count for
    nothing, see window.Windows.
    """

    def __init__(
        self,
        stored: Sequence[bytes],
        sizes: Sequence[int],
        windows: Windows | None = None,
        pinned: Sequence[bool] = (),
        grown: Sequence[int] = (),
    ) -> None:
        """With `windows` come which groups are pinned, and when each grew last, see interface.Group.

        Raises ValueError if a stored centroid does not have CENTROID_BYTES bytes."""
        if any(len(centroid) != CENTROID_BYTES for centroid in stored):
            raise ValueError(f"A centroid has {CENTROID_BYTES} bytes.")
        rows = np.frombuffer(b"".join(stored), dtype="<i2").reshape(len(stored), DIMENSIONS)
        room = len(stored) * 9 // 8 + 64
        self.sizes = list(sizes)
        # A row per group for what is asked of one, and a row per dimension, so that a look-up reads whole rows.
        self._each = np.zeros((room, DIMENSIONS), dtype=np.int16)
        self._each[: len(stored)] = rows
        self._sums = np.zeros((DIMENSIONS, room), dtype=np.float32)
        self._sums[:, : len(stored)] = rows.T
        self._squares = np.zeros(room, dtype=np.float64)
        self._squares[: len(stored)] = np.einsum("gd,gd->g", rows, rows, dtype=np.int64)
        self._shares = np.zeros(room, dtype=np.float32)
        """What a product is worth in likeness: one by the length of the group, nothing for one that is out."""
        self._room = np.zeros((MAX_PARTS, room), dtype=np.float32)
        """Where rows are gathered for a look-up: a new place each time costs more than the look-up."""
        self._holders = np.count_nonzero(rows, axis=0).astype(np.int64)
        self._live, self._alive = len(stored), np.ones(room, dtype=bool)
        self._windows, self._pinned = windows, set(np.flatnonzero(np.array(pinned, dtype=bool)).tolist())
        self.grown = list(grown) or [0] * len(stored)
        self._clock = max(self.grown, default=0)
        for number in np.flatnonzero(self._squares).tolist():
            self._weigh(number)
        for number in sorted(range(len(stored)), key=lambda number: (self.grown[number], number)):
            self._window(number)

    def __len__(self) -> int:
        return len(self.sizes)

    def nearest(self, vector: Vector) -> tuple[int, float]:
        """Number and similarity (cosine) of the nearest group, the oldest of equals; (-1, -1.0) of none."""
        if not self._live:
            return -1, -1.0
        count, query = len(self), self._query(vector)
        rows = self._room[: len(query)]
        np.take(self._sums, vector.places, axis=0, out=rows, mode="clip")
        rough = (query.astype(np.float32) @ rows)[:count] * self._shares[:count]
        near = np.flatnonzero(rough >= rough.max() - 2 * _ROUGH * math.sqrt(float(query @ query)))
        found = self._similarities(vector, query, near)
        best = int(found.argmax())
        return int(near[best]), float(found[best])

    def similarities(self, vector: Vector) -> npt.NDArray[np.float64]:
        """The similarity (cosine) of each group; that of an empty one is 0."""
        return self._similarities(vector, self._query(vector), np.arange(len(self)))

    def _similarities(
        self, vector: Vector, query: npt.NDArray[np.float64], groups: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        rows = self._each[np.ix_(groups, vector.places)].astype(np.float64)
        lengths = np.sqrt(self._squares[groups] * float(query @ query))
        return np.divide(rows @ query, lengths, out=np.zeros(len(groups)), where=(lengths > 0) & self._alive[groups])

    def _query(self, vector: Vector) -> npt.NDArray[np.float64]:
        """The vector with what many groups share made weaker, in whole numbers again.

        The share of groups that hold a feature is the only thing learned about an agent's language, and it
        is read off the stored centroids, so it needs no store of its own.
        """
        rarity = np.log((self._live + 5) / (self._holders[vector.places] + 1))
        return np.rint(vector.parts * np.sqrt(np.maximum(rarity, 0.1)) * (_QUERY_SCALE / SCALE))

    def add(self, vector: Vector) -> int:
        """Begins an empty group that `join` then fills; its number. `vector` is its first member."""
        number = len(self)
        if number == self._sums.shape[1]:
            more = number // 8 + 64
            self._each = np.concatenate([self._each, np.zeros((more, DIMENSIONS), dtype=np.int16)])
            self._sums = np.concatenate([self._sums, np.zeros((DIMENSIONS, more), dtype=np.float32)], axis=1)
            self._squares = np.concatenate([self._squares, np.zeros(more)])
            self._alive = np.concatenate([self._alive, np.ones(more, dtype=bool)])
            self._shares = np.concatenate([self._shares, np.zeros(more, dtype=np.float32)])
            self._room = np.zeros((MAX_PARTS, number + more), dtype=np.float32)
        self.sizes.append(0)
        self.grown.append(0)
        self._live += 1
        self.join(number, vector)
        return number

    def join(self, number: int, vector: Vector) -> None:
        """Counts the vector as a member of a group, and moves the group's centroid towards it."""
        self.sizes[number] += 1
        self._clock += 1
        self.grown[number] = self._clock
        self._window(number)
        if self.sizes[number] > MAX_MOVES:
            return
        old = self._each[number, vector.places].astype(np.int64)
        new = old + vector.parts
        self._each[number, vector.places] = new
        self._sums[vector.places, number] = new
        self._squares[number] += float((new * new - old * old).sum())
        self._weigh(number)
        self._holders[vector.places] += (new != 0).astype(np.int64) - (old != 0)

    def _window(self, number: int) -> None:
        """A group grew: another may have to go out for it, or come back."""
        if self._windows and number not in self._pinned:
            out, back = self._windows.grow(number, self.sizes[number])
            for other, alive in [*((one, False) for one in out), *((one, True) for one in back)]:
                self._alive[other], sign = alive, 1 if alive else -1
                self._weigh(other)
                self._live += sign
                self._holders += sign * (self._each[other] != 0)

    def _weigh(self, number: int) -> None:
        square = float(self._squares[number])
        self._shares[number] = 1 / math.sqrt(square) if square > 0 and self._alive[number] else 0

    def centroid(self, number: int) -> bytes:
        """The sum of a group's members as little-endian 16-bit numbers, CENTROID_BYTES long."""
        return self._each[number].astype("<i2").tobytes()
