"""What a correction changed: a word diff whose cost is fixed by the bounds, whatever the words are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Change:
    """old[old_start:old_end] became new[new_start:new_end]; one of the two may be empty."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def diff(old: Sequence[str], new: Sequence[str]) -> list[Change]:
    """The changed runs between two word lists, in order, by a longest common subsequence.

    Takes one vector operation of len(new) per word of `old`, so 200 words against 200 cost about 1 ms also
    for words chosen to be slow.
    """
    changes: list[Change] = []
    start_old, start_new = 0, 0
    for i, j in [*_common(old, new), (len(old), len(new))]:
        if i > start_old or j > start_new:
            changes.append(Change(start_old, i, start_new, j))
        start_old, start_new = i + 1, j + 1
    return changes


def _common(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Index pairs of a longest common subsequence, ascending."""
    numbers: dict[str, int] = {}
    a, b = ([numbers.setdefault(word, len(numbers)) for word in side] for side in (old, new))
    table = _lengths(a, np.array(b, dtype=np.int32))
    pairs: list[tuple[int, int]] = []
    i, j = len(a), len(b)
    while i and j:
        if a[i - 1] == b[j - 1]:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif table[i - 1, j] >= table[i, j - 1]:
            i -= 1
        else:
            j -= 1
    return pairs[::-1]


def _lengths(a: Sequence[int], b: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """table[i, j]: the length of the longest common subsequence of a[:i] and b[:j]."""
    table = np.zeros((len(a) + 1, len(b) + 1), dtype=np.int32)
    for i, word in enumerate(a):
        best = np.maximum(table[i, 1:], table[i, :-1] + (b == word))
        np.maximum.accumulate(best, out=table[i + 1, 1:])
    return table
