"""What a stored difference is made of."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any, Literal, NamedTuple, Self

from agents.sections import lines_of

Op = Literal["equal", "cut", "add"]
Segment = tuple[Op, str]

SHAPE = 2
"""Number of the JSON shape below; stored with it, so that an older one can still be read after a change. In the first,
every row stood by itself; now unchanged lines that follow one another stand together, as `_run` puts them."""


class Row(NamedTuple):
    """One line of a difference; see the package docstring. A tuple, for a page can hold thousands of them."""

    kind: Op
    old: int | None
    new: int | None
    segments: tuple[Segment, ...]
    heading: bool = False
    protected: bool = False
    section: str = ""
    changed: bool = False
    moved: int | None = None

    @property
    def text(self) -> str:
        """The line as it is in its version, line break included."""
        return "".join(text for _, text in self.segments)

    @property
    def shown(self) -> tuple[Segment, ...]:
        """The segments without the line break at the end and without empty ones."""
        if not self.segments:
            return ()
        op, text = self.segments[-1]
        last = text.removesuffix("\n").removesuffix("\r")
        return tuple(segment for segment in (*self.segments[:-1], (op, last)) if segment[1])

    @property
    def ending(self) -> Literal["", "\n", "\r\n"]:
        """The line break; empty only on a last line without one."""
        text = self.text
        if text.endswith("\r\n"):
            return "\r\n"
        return "\n" if text.endswith("\n") else ""

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "old": self.old,
            "new": self.new,
            "segments": [[op, text] for op, text in self.segments],
            "heading": self.heading,
            "protected": self.protected,
            "section": self.section,
            "changed": self.changed,
            "moved": self.moved,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        kind, old, new, segments, heading, protected, section, changed, moved = _FIELDS(data)
        pieces = tuple([(op, text) for op, text in segments])  # by position, which is several times faster
        return cls(kind, old, new, pieces, heading, protected, section, changed, moved)


_FIELDS = itemgetter(*Row._fields)


def _stored(rows: Iterable[Row]) -> Iterator[dict[str, Any] | list[Any]]:
    """Changed rows one by one, and each run of unchanged ones under one heading as one."""
    run: list[Row] = []
    for row in rows:
        if run and not _goes_on(run[-1], row):
            yield _run(run)
            run = []
        if _is_plain(row):
            run.append(row)
        else:
            yield row.to_json()
    if run:
        yield _run(run)


def _is_plain(row: Row) -> bool:
    return row.kind == "equal" and len(row.segments) == 1 and not row.changed and row.moved is None


def _goes_on(last: Row, row: Row) -> bool:
    """Whether a row continues the run that `last` is in."""
    following = (last.old and last.old + 1, last.new and last.new + 1)
    return _is_plain(row) and (row.old, row.new) == following and row[4:7] == last[4:7] and last.ending != ""


def _run(rows: Sequence[Row]) -> list[Any]:
    """Numbers of the first line, what holds of all of them, and their text."""
    _, old, new, _, heading, protected, section, *_ = rows[0]
    return [old, new, heading, protected, section, "".join(row.segments[0][1] for row in rows)]


def _read(stored: dict[str, Any] | list[Any]) -> Iterable[Row]:
    if isinstance(stored, dict):
        return (Row.from_json(stored),)
    old, new, heading, protected, section, text = stored
    return [
        Row("equal", old + step, new + step, (("equal", line),), heading, protected, section)
        for step, line in enumerate(lines_of(text))
    ]


@dataclass(frozen=True, slots=True)
class Diff:
    """All rows of a difference, unchanged ones included, and how many words came and went."""

    rows: tuple[Row, ...]
    words_added: int
    words_removed: int

    @property
    def is_empty(self) -> bool:
        return all(row.kind == "equal" for row in self.rows)

    @property
    def before(self) -> str:
        return "".join(row.text for row in self.rows if row.kind != "add")

    @property
    def after(self) -> str:
        return "".join(row.text for row in self.rows if row.kind != "cut")

    def to_json(self) -> dict[str, Any]:
        """Plain lists and dicts, for a JSON column."""
        return {
            "shape": SHAPE,
            "rows": list(_stored(self.rows)),
            "words_added": self.words_added,
            "words_removed": self.words_removed,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """What `to_json` gave. Raises ValueError for a shape this code does not know."""
        if data.get("shape") not in (1, SHAPE):
            raise ValueError(f"unknown shape of a stored difference: {data.get('shape')!r}")
        return cls(
            rows=tuple(chain.from_iterable(map(_read, data["rows"]))),
            words_added=data["words_added"],
            words_removed=data["words_removed"],
        )
