"""Carry a change over to another version of the text. Pure; knows no Django."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agents.history import hunks
from agents.sections import lines_of, parse


@dataclass(frozen=True, slots=True)
class Conflict:
    """Lines that both sides changed, or changed next to each other, and the heading of the section they are in."""

    section: str
    base: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Merged:
    """The text with both changes. In a conflict ours stands first and what theirs has besides follows it: nothing is
    lost, and a person decides what stays."""

    text: str
    conflicts: tuple[Conflict, ...]

    @property
    def is_clean(self) -> bool:
        return not self.conflicts


def merge(*, base: str, ours: str, theirs: str) -> Merged:
    """Apply the change from `base` to `theirs` onto `ours`: a three-way merge by lines, as git makes it.

    Changes that touch are a conflict, unless they are the same; so are lines that both added at the same place.
    """
    lines = lines_of(base)
    headings = _headings(base, len(lines))
    merged: list[str] = []
    conflicts: list[Conflict] = []
    position = 0
    for group in _groups(_changes(lines, ours, OURS), _changes(lines, theirs, THEIRS)):
        start, end = min(change.start for change in group), max(change.end for change in group)
        merged += lines[position:start]
        mine, yours = (_side(lines, start, end, group, side) for side in (OURS, THEIRS))
        if len({change.side for change in group}) == 2 and mine != yours:
            texts = ("".join(part) for part in (lines[start:end], mine, yours))
            conflicts.append(Conflict(headings[min(start, len(headings) - 1)] if headings else "", *texts))
            merged += [*mine, *(line for line in yours if line not in mine)]
        else:
            merged += yours if group[0].side == THEIRS else mine
        position = end
    return Merged("".join(merged + lines[position:]), tuple(conflicts))


OURS, THEIRS = 0, 1


@dataclass(frozen=True, slots=True, order=True)
class _Change:
    """Lines start to end (exclusive) of the base become `lines` on this side."""

    start: int
    end: int
    side: int
    lines: tuple[str, ...]


def _changes(base: Sequence[str], text: str, side: int) -> list[_Change]:
    other = lines_of(text)
    return [
        _Change(hunk.start, hunk.end, side, tuple(other[hunk.new_start : hunk.new_end])) for hunk in hunks(base, other)
    ]


def _groups(ours: list[_Change], theirs: list[_Change]) -> Iterator[list[_Change]]:
    """Changes of both sides in order; those that overlap or touch come together."""
    group: list[_Change] = []
    end = -1
    for change in sorted([*ours, *theirs]):
        if group and change.start > end:
            yield group
            group = []
        group.append(change)
        end = change.end if len(group) == 1 else max(end, change.end)
    if group:
        yield group


def _side(base: Sequence[str], start: int, end: int, group: Sequence[_Change], side: int) -> list[str]:
    """Lines start to end of the base as this side has them."""
    result: list[str] = []
    position = start
    for change in group:
        if change.side == side:
            result += base[position : change.start]
            result += change.lines
            position = change.end
    return result + list(base[position:end])


def _headings(text: str, count: int) -> list[str]:
    """For each line, the heading of its section."""
    found = [""] * count
    for section in parse(text):
        for line in range(section.start, min(section.end, count)):
            found[line] = section.heading
    return found
