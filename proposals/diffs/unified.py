"""A difference as other tools read it."""

from collections.abc import Iterator, Sequence

from proposals.diffs.engine import compute
from proposals.diffs.rows import Row

MAX_UNIFIED = 200_000
_SIGNS = {"equal": " ", "cut": "-", "add": "+"}


def unified(before: str, after: str, context: int = 3) -> str:
    """The difference in unified format with hunk headers, as `patch` takes it; empty if there is none.

    Cut after MAX_UNIFIED characters at the end of a line, with a last line that says so.
    """
    rows = compute(before, after).rows
    kept: list[str] = []
    size = 0
    for line in _lines(rows, context):
        size += len(line)
        if size > MAX_UNIFIED:
            return "".join([*kept, "… cut here, the difference is longer\n"])
        kept.append(line)
    return "".join(kept)


def _lines(rows: Sequence[Row], context: int) -> Iterator[str]:
    for number, (start, end) in enumerate(_hunks(rows, context)):
        if number == 0:
            yield "--- before\n+++ after\n"
        hunk = rows[start:end]
        yield f"@@ -{_span(rows, start, hunk, 'add')} +{_span(rows, start, hunk, 'cut')} @@\n"
        for row in hunk:
            yield _SIGNS[row.kind] + (row.text if row.ending else row.text + "\n\\ No newline at end of file\n")


def _hunks(rows: Sequence[Row], context: int) -> list[tuple[int, int]]:
    """(start, end) of the stretches shown: changes with their context, joined where they touch."""
    hunks: list[tuple[int, int]] = []
    for index, row in enumerate(rows):
        if row.kind == "equal":
            continue
        start, end = max(0, index - context), min(len(rows), index + context + 1)
        if hunks and start <= hunks[-1][1]:
            hunks[-1] = (hunks[-1][0], end)
        else:
            hunks.append((start, end))
    return hunks


def _span(rows: Sequence[Row], start: int, hunk: Sequence[Row], other: str) -> str:
    """Line number and count of one side; `other` is the kind that side lacks."""
    before = sum(row.kind != other for row in rows[:start])
    count = sum(row.kind != other for row in hunk)
    return f"{before + (count > 0)},{count}"
