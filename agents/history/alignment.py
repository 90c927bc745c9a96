"""Which lines two texts share, aligned as people expect a diff of instructions to be."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from agents.history.shortest import changes
from agents.history.sliding import slide

_WINDOW: Final = 100
_MOST_COMMON: Final = 1024


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines `start` to `end` (exclusive) of the old text became lines `new_start` to `new_end` of the new one."""

    start: int
    end: int
    new_start: int
    new_end: int


def hunks(old: Sequence[str], new: Sequence[str]) -> list[Hunk]:
    """The changes between two texts given as lines, in order; between them stand equal lines."""
    cut, added = _changed(old, new)
    slide(old, cut, added)
    slide(new, added, cut)
    return list(_runs(cut, added))


def _runs(cut: list[bool], added: list[bool]) -> Iterator[Hunk]:
    i = j = 0
    while i < len(cut) or j < len(added):
        start, new_start = i, j
        while i < len(cut) and cut[i]:
            i += 1
        while j < len(added) and added[j]:
            j += 1
        if (start, new_start) != (i, j):
            yield Hunk(start, i, new_start, j)
        i, j = i + 1, j + 1


def _changed(old: Sequence[str], new: Sequence[str]) -> tuple[list[bool], list[bool]]:
    """For every line of both texts, whether it has no partner in the other."""
    head, tail = common_ends(old, new)
    mine = _worth_matching(old, Counter(new), head, len(old) - tail)
    yours = _worth_matching(new, Counter(old), head, len(new) - tail)
    cut = [head <= place < len(old) - tail for place in range(len(old))]
    added = [head <= place < len(new) - tail for place in range(len(new))]
    for place in mine:
        cut[place] = False
    for place in yours:
        added[place] = False
    numbers: dict[str, int] = {}
    as_numbers = [
        [numbers.setdefault(text[place], len(numbers)) for place in places]
        for text, places in ((old, mine), (new, yours))
    ]
    for start, end, new_start, new_end in changes(*as_numbers):
        for place in mine[start:end]:
            cut[place] = True
        for place in yours[new_start:new_end]:
            added[place] = True
    return cut, added


def common_ends(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """How many leading items two sequences share, and how many of the rest at their ends."""
    shorter = min(len(old), len(new))
    head = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    rest = shorter - head
    tail = next((at for at in range(rest) if old[-1 - at] != new[-1 - at]), rest)
    return head, tail


def _worth_matching(lines: Sequence[str], other: Counter[str], start: int, end: int) -> list[int]:
    """Places between `start` and `end` whose lines the other text has.

    Left out as well are lines that are common there, like blank ones, in the middle of lines that it has not: to match
    those would tear a new paragraph apart for the sake of its blank lines.
    """
    common = _common_from(len(lines))
    counts = [other[lines[place]] for place in range(start, end)]
    rare = [place for place, count in enumerate(counts) if 0 < count < common]
    often = [
        place for place, count in enumerate(counts) if count >= common and not _amid_changes(counts, place, common)
    ]
    return [start + place for place in sorted(rare + often)]


def _common_from(lines: int) -> int:
    """From how many times on a line counts as common: about the square root of the text's length."""
    return min(1 << ((lines.bit_length() + 1) // 2), _MOST_COMMON)


def _amid_changes(counts: list[int], place: int, common: int) -> bool:
    """Whether changed lines surround the place, and by far outnumber the common ones among them."""
    above = _surroundings(counts[max(0, place - _WINDOW) : place][::-1], common)
    below = _surroundings(counts[place + 1 : place + 1 + _WINDOW], common)
    if not above[0] or not below[0]:
        return False
    changed, commons = above[0] + below[0], above[1] + below[1] + 2
    return 3 * commons < changed


def _surroundings(counts: list[int], common: int) -> tuple[int, int]:
    """Up to the next line that is worth matching: how many lines the other text has not, and how many are common."""
    changed = commons = 0
    for count in counts:
        if 0 < count < common:
            break
        changed, commons = changed + (count == 0), commons + (count > 0)
    return changed, commons
