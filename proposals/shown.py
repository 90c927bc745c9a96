"""A difference as a page lays it out: lines one below the other, or old beside new, long unchanged stretches as gaps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from proposals.diffs import Gap, Pair, Row, collapse, side_by_side


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: exactly one of the three is set."""

    row: Row | None = None
    pair: Pair | None = None
    gap: Gap | None = None


def inline(rows: Sequence[Row], *, whole: bool = False) -> list[Line]:
    """Changes inside the lines; `whole` leaves nothing out."""
    return [Line(gap=item) if isinstance(item, Gap) else Line(row=item) for item in _parts(rows, whole)]


def beside(rows: Sequence[Row], *, whole: bool = False) -> list[Line]:
    """Old left, new right; `whole` leaves nothing out."""
    return list(_beside(_parts(rows, whole)))


def _parts(rows: Sequence[Row], whole: bool) -> Sequence[Row | Gap]:
    return rows if whole else collapse(rows)


def _beside(parts: Sequence[Row | Gap]) -> Iterator[Line]:
    held: list[Row] = []
    for part in parts:
        if isinstance(part, Row):
            held.append(part)
            continue
        yield from (Line(pair=pair) for pair in side_by_side(held))
        held = []
        yield Line(gap=part)
    yield from (Line(pair=pair) for pair in side_by_side(held))
