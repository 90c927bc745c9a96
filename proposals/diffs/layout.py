"""How the rows of a difference are laid out on a page; computed when shown."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from proposals.diffs.rows import Row

MIN_GAP = 2
"""One hidden line would take the same room as the row that says so."""


@dataclass(frozen=True, slots=True)
class Gap:
    """`count` unchanged lines left out, rows[start:end], with the headings among them in order."""

    count: int
    headings: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Pair:
    """What stands side by side; a side is None where the other has a line of its own."""

    left: Row | None
    right: Row | None


def collapse(rows: Sequence[Row], context: int = 3, keep: Collection[int] = ()) -> list[Row | Gap]:
    """The rows with long unchanged stretches as gaps.

    Kept are all changes, `context` lines around each, the headings of the sections that change, the headings of
    protected sections, so that one sees them locked, and the rows whose index is in `keep`. Joined again, gaps and
    rows are the rows given.
    """
    kept = _kept(rows, context)
    for index in keep:
        kept[index] = True
    shown: list[Row | Gap] = []
    start = 0
    while start < len(rows):
        end = start
        while end < len(rows) and kept[end] == kept[start]:
            end += 1
        run = rows[start:end]
        if kept[start] or len(run) < MIN_GAP:
            shown.extend(run)
        else:
            shown.append(Gap(len(run), tuple(row.section for row in run if row.heading), start, end))
        start = end
    return shown


def _kept(rows: Sequence[Row], context: int) -> list[bool]:
    keep = [row.heading and row.protected for row in rows]
    heading: int | None = None
    for index, row in enumerate(rows):
        if row.heading:
            heading = index
        if row.kind == "equal":
            continue
        if heading is not None:
            keep[heading] = True
        for near in range(max(0, index - context), min(len(rows), index + context + 1)):
            keep[near] = True
    return keep


def side_by_side(rows: Sequence[Row]) -> list[Pair]:
    """Old beside new: equal rows on both sides, rewritten lines opposite each other, the rest alone."""
    pairs: list[Pair] = []
    cuts: list[Row] = []
    for row in rows:
        if row.kind == "cut":
            cuts.append(row)
        elif row.kind == "add" and row.changed and cuts and cuts[-1].changed:
            partner = cuts.pop()
            pairs.extend(Pair(cut, None) for cut in cuts)
            cuts.clear()
            pairs.append(Pair(partner, row))
        else:
            pairs.extend(Pair(cut, None) for cut in cuts)
            cuts.clear()
            pairs.append(Pair(row, row) if row.kind == "equal" else Pair(None, row))
    pairs.extend(Pair(cut, None) for cut in cuts)
    return pairs
