"""The difference of two instruction texts, computed once per revision and stored as JSON.

    compute(before, after, protected=()) -> Diff          protected: headings of protected sections
    Diff(rows, words_added, words_removed)                .to_json() -> dict, Diff.from_json(dict) -> Diff
    Row(kind, old, new, segments, heading, protected, section, changed, moved)
    collapse(rows, context=3) -> list[Row | Gap]          Gap(count, headings, start, end)
    side_by_side(rows) -> list[Pair]                      Pair(left: Row | None, right: Row | None)
    unified(before, after) -> str                         for copy and paste, at most MAX_UNIFIED characters
    count_words(text) -> int

A row is one line. `kind` is "equal", "cut" or "add"; `old` and `new` are its line numbers from 1 (None on the side
that lacks it). `segments` are (op, text) with op "equal", "cut" or "add"; joined they are the line exactly, line
break included, and `row.shown` is the same without the line break, for rendering. A rewritten line is a cut row with
`changed` set, directly followed by an add row with `changed` set; both carry word-level marks. A cut or add row
without `changed` is wholly gone or new, and has one segment. Where its words only went elsewhere, `moved` is the line
on the other side where they stand, and they count neither as added nor as removed.

The equal and cut segments of all rows joined are `before`, the equal and add segments are `after`, to the character.
"""

from proposals.diffs.engine import compute
from proposals.diffs.layout import Gap, Pair, collapse, side_by_side
from proposals.diffs.rows import Diff, Row, Segment
from proposals.diffs.unified import unified
from proposals.diffs.words import count_words

__all__ = [
    "Diff",
    "Gap",
    "Pair",
    "Row",
    "Segment",
    "collapse",
    "compute",
    "count_words",
    "side_by_side",
    "unified",
]
