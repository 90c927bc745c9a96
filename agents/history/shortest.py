"""The shortest edit script between two sequences, found from both ends at once.

E. W. Myers, "An O(ND) Difference Algorithm and Its Variations", Algorithmica 1 (1986), section 4b: the middle of a
shortest path is where the furthest paths from both ends meet; both halves are then solved alike.
"""

from collections.abc import Iterator, Sequence
from typing import Final

# Beyond this many edits the furthest point reached will do, so that time stays bounded on texts made to be slow.
_MOST_EDITS: Final = 256
_FAR: Final = 1 << 60

Box = tuple[int, int, int, int]
"""Start and end in the old sequence, start and end in the new one; ends exclusive."""


def changes(old: Sequence[int], new: Sequence[int]) -> Iterator[Box]:
    """Boxes in which one side is empty: what was cut, and what was added. Not in order."""
    waiting: list[Box] = [(0, len(old), 0, len(new))]
    while waiting:
        start, end, new_start, new_end = _without_common_ends(old, new, waiting.pop())
        if start == end or new_start == new_end:
            yield start, end, new_start, new_end
        else:
            i, j = _middle(old, new, (start, end, new_start, new_end))
            waiting += [(start, i, new_start, j), (i, end, j, new_end)]


def _without_common_ends(old: Sequence[int], new: Sequence[int], box: Box) -> Box:
    start, end, new_start, new_end = box
    while start < end and new_start < new_end and old[start] == new[new_start]:
        start, new_start = start + 1, new_start + 1
    while start < end and new_start < new_end and old[end - 1] == new[new_end - 1]:
        end, new_end = end - 1, new_end - 1
    return start, end, new_start, new_end


class _Front:
    """The furthest points reached from one end, by diagonal (place in old minus place in new)."""

    def __init__(self, diagonal: int, place: int, unreached: int) -> None:
        self.reached = {diagonal: place}
        self.low = self.high = diagonal
        self._unreached = unreached

    def widen(self, lowest: int, highest: int) -> range:
        """Take in one more diagonal on each side, within bounds; the diagonals of this step, highest first."""
        if self.low > lowest:
            self.low -= 1
            self.reached[self.low - 1] = self._unreached
        else:
            self.low += 1
        if self.high < highest:
            self.high += 1
            self.reached[self.high + 1] = self._unreached
        else:
            self.high -= 1
        return range(self.high, self.low - 1, -2)

    def holds(self, diagonal: int) -> bool:
        return self.low <= diagonal <= self.high


def _middle(old: Sequence[int], new: Sequence[int], box: Box) -> tuple[int, int]:
    """A point on a shortest path through the box, or near one when that takes more than _MOST_EDITS."""
    start, end, new_start, new_end = box
    lowest, highest = start - new_end, end - new_start
    ahead = _Front(start - new_start, start, -1)
    back = _Front(end - new_end, end, _FAR)
    meet_ahead = bool((ahead.low - back.low) & 1)
    for _ in range(_MOST_EDITS):
        diagonals = ahead.widen(lowest, highest)
        for diagonal in diagonals:
            i = _step_ahead(old, new, box, ahead, diagonal)
            if meet_ahead and back.holds(diagonal) and back.reached[diagonal] <= i:
                return i, i - diagonal
        back_diagonals = back.widen(lowest, highest)
        for diagonal in back_diagonals:
            i = _step_back(old, new, box, back, diagonal)
            if not meet_ahead and ahead.holds(diagonal) and i <= ahead.reached[diagonal]:
                return i, i - diagonal
    return _furthest(box, ahead, diagonals, back, back_diagonals)


def _step_ahead(old: Sequence[int], new: Sequence[int], box: Box, front: _Front, diagonal: int) -> int:
    below, above = front.reached[diagonal - 1], front.reached[diagonal + 1]
    i = below + 1 if below >= above else above
    j = i - diagonal
    while i < box[1] and j < box[3] and old[i] == new[j]:
        i, j = i + 1, j + 1
    front.reached[diagonal] = i
    return i


def _step_back(old: Sequence[int], new: Sequence[int], box: Box, front: _Front, diagonal: int) -> int:
    below, above = front.reached[diagonal - 1], front.reached[diagonal + 1]
    i = below if below < above else above - 1
    j = i - diagonal
    while i > box[0] and j > box[2] and old[i - 1] == new[j - 1]:
        i, j = i - 1, j - 1
    front.reached[diagonal] = i
    return i


def _furthest(box: Box, ahead: _Front, diagonals: range, back: _Front, back_diagonals: range) -> tuple[int, int]:
    """The point that got furthest from its own end, moved into the box."""
    start, end, new_start, new_end = box
    points = [_into(box, ahead.reached[d], d) for d in diagonals]
    back_points = [_into(box, back.reached[d], d) for d in back_diagonals]
    best, best_back = max(points, key=sum), min(back_points, key=sum)
    return best if sum(best) - start - new_start > end + new_end - sum(best_back) else best_back


def _into(box: Box, i: int, diagonal: int) -> tuple[int, int]:
    start, end, new_start, new_end = box
    i = min(max(i, start, new_start + diagonal), end, new_end + diagonal)
    return i, i - diagonal
