"""What a correction changed: a word diff whose cost is fixed by the bounds, whatever the words are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Change:
    """Words `old` of the output became `new`; one may be empty. The others are the shared neighbours."""

    old: tuple[str, ...]
    new: tuple[str, ...]
    before: str = ""
    after: str = ""


def diff(old: Sequence[str], new: Sequence[str]) -> list[Change]:
    """The changed runs between two word lists, in order, by a longest common subsequence.

    Takes len(old) rows of one vector operation each, so 200 words against 200 cost about 1 ms also for
    words chosen to be slow.
    """
    changes: list[Change] = []
    start_old, start_new = 0, 0
    for i, j in [*_common(old, new), (len(old), len(new))]:
        if i > start_old or j > start_new:
            changes.append(
                Change(
                    old=tuple(old[start_old:i]),
                    new=tuple(new[start_new:j]),
                    before=old[start_old - 1] if start_old else "",
                    after=old[i] if i < len(old) else "",
                )
            )
        start_old, start_new = i + 1, j + 1
    return changes


def _common(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Index pairs of a longest common subsequence, ascending."""
    numbers: dict[str, int] = {}
    a, b = ([numbers.setdefault(word, len(numbers)) for word in side] for side in (old, new))
    table = _lengths(np.array(a, dtype=np.int32), np.array(b, dtype=np.int32))
    pairs: list[tuple[int, int]] = []
    i, j = len(old), len(new)
    while i and j:
        if a[i - 1] == b[j - 1] and table[i, j] == table[i - 1, j - 1] + 1:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif table[i - 1, j] >= table[i, j - 1]:
            i -= 1
        else:
            j -= 1
    return pairs[::-1]


def _lengths(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """table[i, j]: the length of the longest common subsequence of a[:i] and b[:j]."""
    table = np.zeros((len(a) + 1, len(b) + 1), dtype=np.int32)
    for i, word in enumerate(a):
        best = np.maximum(table[i, 1:], table[i, :-1] + (b == word))
        np.maximum.accumulate(best, out=table[i + 1, 1:])
    return table
