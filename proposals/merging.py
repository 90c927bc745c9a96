"""Carry a change over to another version of the text. Pure; knows no Django."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines start to end (exclusive) of the base become `lines`."""

    start: int
    end: int
    lines: tuple[str, ...]


def merge(*, base: str, ours: str, theirs: str) -> tuple[str, bool]:
    """Apply the change from `base` to `theirs` onto `ours`: the merged text, and whether no hunk met a change of ours.

    A three-way merge by lines. Lines that both only added at the same place stand one after the other, ours first:
    rules are added at the end of a section, and a person reads the result before it counts. Where both changed the
    same lines differently, ours comes first and theirs after it, and the answer is not clean.
    """
    lines = base.splitlines(keepends=True)
    mine, yours = _hunks(lines, ours), _hunks(lines, theirs)
    merged: list[str] = []
    position, clean = 0, True
    for group in _groups(mine, yours):
        start, end = min(h.start for _, h in group), max(h.end for _, h in group)
        merged += lines[position:start]
        sides = [_side(lines, start, end, [h for side, h in group if side == which]) for which in (0, 1)]
        touched = {side for side, _ in group}
        if len(touched) == 2 and sides[0] != sides[1]:
            clean = clean and start == end
            merged += [*sides[0], *(line for line in sides[1] if line not in sides[0])]
        else:
            merged += sides[1] if touched == {1} else sides[0]
        position = end
    return "".join(merged + lines[position:]), clean


def _hunks(base: list[str], text: str) -> list[Hunk]:
    other = text.splitlines(keepends=True)
    codes = difflib.SequenceMatcher(None, base, other, autojunk=False).get_opcodes()
    return [Hunk(i1, i2, tuple(other[j1:j2])) for tag, i1, i2, j1, j2 in codes if tag != "equal"]


def _groups(mine: list[Hunk], yours: list[Hunk]) -> Iterator[list[tuple[int, Hunk]]]:
    """Hunks of both sides in order; those that overlap, or insert at the same place, come together."""
    ordered = sorted(
        [(0, hunk) for hunk in mine] + [(1, hunk) for hunk in yours],
        key=lambda pair: (pair[1].start, pair[1].end),
    )
    group: list[tuple[int, Hunk]] = []
    end = -1
    for side, hunk in ordered:
        if group and (hunk.start < end or hunk.start == group[-1][1].start):
            group.append((side, hunk))
        else:
            if group:
                yield group
            group = [(side, hunk)]
            end = -1
        end = max(end, hunk.end)
    if group:
        yield group


def _side(base: list[str], start: int, end: int, hunks: list[Hunk]) -> list[str]:
    """Lines start to end of the base as this side has them."""
    result: list[str] = []
    position = start
    for hunk in hunks:
        result += base[position : hunk.start]
        result += hunk.lines
        position = hunk.end
    return result + base[position:end]
