"""Which lines did not come or go, but went elsewhere."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from proposals.diffs.rows import Op, Row

MIN_CHARS = 20
"""Letters and digits a stretch must have: a lone "- Yes." elsewhere is no move."""

MAX_PLACES = 20
"""Places looked at for one line; what stands in more places has no one place it came from."""


def mark_moves(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows, those of stretches that stand elsewhere word for word with the line number there as `moved`."""
    cuts, adds = _lone(rows, "cut"), _lone(rows, "add")
    marked = list(rows)
    for cut, add in _pairs(rows, cuts, adds):
        marked[cut] = rows[cut]._replace(moved=rows[add].new)
        marked[add] = rows[add]._replace(moved=rows[cut].old)
    return tuple(marked)


def _lone(rows: Sequence[Row], kind: Op) -> list[int]:
    """Indices of the rows that are wholly gone or wholly new."""
    return [index for index, row in enumerate(rows) if row.kind == kind and not row.changed]


def _pairs(rows: Sequence[Row], cuts: Sequence[int], adds: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(cut, add) row indices of moved lines, each in at most one pair; earlier and longer stretches first."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, index in enumerate(adds):
        places[_words(rows[index])].append(place)
    taken: set[int] = set()
    at = 0
    while at < len(cuts):
        found = [
            _stretch(rows, cuts, adds, at, place, taken)
            for place in places.get(_words(rows[cuts[at]]), ())[:MAX_PLACES]
            if _words(rows[cuts[at]])
        ]
        best = max(found, key=len, default=[])
        if sum(_weight(rows[cut]) for cut, _ in best) >= MIN_CHARS:
            taken |= {add for _, add in best}
            yield from best
        at += max(1, len(best))


def _stretch(
    rows: Sequence[Row], cuts: Sequence[int], adds: Sequence[int], at: int, place: int, taken: set[int]
) -> list[tuple[int, int]]:
    """The longest run of equal lines from these two places on."""
    found: list[tuple[int, int]] = []
    while at < len(cuts) and place < len(adds) and adds[place] not in taken:
        cut, add = rows[cuts[at]], rows[adds[place]]
        if found and (cut.old != _next(rows[found[-1][0]].old) or add.new != _next(rows[found[-1][1]].new)):
            break
        if _words(cut) != _words(add):
            break
        found.append((cuts[at], adds[place]))
        at, place = at + 1, place + 1
    return found


def _next(line: int | None) -> int:
    return (line or 0) + 1


def _words(row: Row) -> str:
    return row.text.strip()


def _weight(row: Row) -> int:
    return sum(char.isalnum() for char in row.text)
