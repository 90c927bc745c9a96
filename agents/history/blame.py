"""Who brought each line."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from agents.history.alignment import hunks

Owner = TypeVar("Owner")


def blame(texts: Iterable[Sequence[str]]) -> list[int]:
    """For each line of the last of `texts`, given oldest first, the index of the text that brought it."""
    previous: Sequence[str] = ()
    owners: list[int] = []
    for number, lines in enumerate(texts):
        owners = carried(previous, lines, owners, number)
        previous = lines
    return owners


def carried(old: Sequence[str], new: Sequence[str], owners: Sequence[Owner], newcomer: Owner) -> list[Owner]:
    """The owners of the lines of `new`: those of `old` keep theirs, the others are the newcomer's."""
    result: list[Owner] = []
    position = 0
    for hunk in hunks(old, new):
        result += owners[position : hunk.start]
        result += [newcomer] * (hunk.new_end - hunk.new_start)
        position = hunk.end
    return result + list(owners[position:])
