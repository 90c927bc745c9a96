"""Texts and differences as a page lays them out; long unchanged stretches are gaps."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TypeVar

from agents import sections
from agents.models import Document
from proposals.diffs import Gap, Pair, Row, collapse, side_by_side
from proposals.reviewing.parts import LARGEST, Part, part_of
from proposals.reviewing.talks import NO_TALKS, Talk, Talks

MOST_FOLDS = 500
"""Characters of an address that are read for open folds."""
MARK = 30
"""A mark within a line weighs as much as so many characters."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: exactly one of the first three is set. Below it stand its `talks`, and a form if `asked`."""

    row: Row | None = None
    pair: Pair | None = None
    gap: Gap | None = None
    talks: tuple[Talk, ...] = ()
    asked: bool = False

    @property
    def weight(self) -> int:
        """How many characters of text it shows, and some for each mark in it."""
        if self.row:
            return sum([len(text) + MARK for _, text in self.row.segments])
        rows = (self.pair.left, self.pair.right) if self.pair else ()
        return sum(len(text) + MARK for row in rows if row for _, text in row.segments)

    @property
    def heading(self) -> bool:
        """Whether a section begins here."""
        if self.row:
            return self.row.heading
        return bool(self.pair and self.pair.right and self.pair.right.heading)


def opened(query: Mapping[str, str], name: str = "lines") -> frozenset[int]:
    """The folds that an address opens, `lines=0.37`, by where they start."""
    given = query.get(name, "")[:MOST_FOLDS].split(".")
    return frozenset(int(start) for start in given if start.isascii() and start.isdigit() and len(start) < 8)


def inline(
    rows: Sequence[Row], *, whole: bool = False, talks: Talks = NO_TALKS, opened: Collection[int] = ()
) -> list[Line]:
    """Changes inside the lines; `whole` leaves nothing out, and the folds that start at `opened` are unfolded."""
    parts = _parts(rows, whole, talks, opened)
    lines = [Line(gap=item) if isinstance(item, Gap) else Line(row=item) for item in parts]
    return _with_talks(lines, talks)


def beside(
    rows: Sequence[Row], *, whole: bool = False, talks: Talks = NO_TALKS, opened: Collection[int] = ()
) -> list[Line]:
    """Old left, new right; the rest as in `inline`."""
    return _with_talks(list(_beside(_parts(rows, whole, talks, opened))), talks)


def _with_talks(lines: list[Line], talks: Talks) -> list[Line]:
    return lines if talks.is_empty else [_with_its_talks(line, talks) for line in lines]


def _with_its_talks(line: Line, talks: Talks) -> Line:
    around = (line.row,) if line.row else (line.pair.left, line.pair.right) if line.pair else ()
    below, asked = talks.below(*around), talks.asks(*around)
    return replace(line, talks=below, asked=asked) if below or asked else line


def _parts(rows: Sequence[Row], whole: bool, talks: Talks, opened: Collection[int]) -> Sequence[Row | Gap]:
    if whole:
        return rows
    keep = [] if talks.is_empty else [at for at, row in enumerate(rows) if talks.touches(row)]
    parts: list[Row | Gap] = []
    for part in collapse(rows, keep=keep):
        parts += rows[part.start : part.end] if isinstance(part, Gap) and part.start in opened else [part]
    return parts


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


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of a whole text, with its number from 1."""

    number: int
    text: str
    heading: bool = False
    protected: bool = False
    talks: tuple[Talk, ...] = ()
    asked: bool = False

    @property
    def weight(self) -> int:
        """How many characters of text it shows."""
        return len(self.text)


AnyLine = TypeVar("AnyLine", Line, TextLine)
_WEIGHT, _HEADING, _ASKED = attrgetter("weight"), attrgetter("heading"), attrgetter("asked")


def part(lines: Sequence[AnyLine], query: Mapping[str, str], *, largest: int = LARGEST) -> Part[AnyLine]:
    """The part that an address asks for: by its number (`part`), by a line or a thread in it (`line`, `thread`).

    Before all of these comes the form to comment on a line, where it is open. `largest` is in characters, about.
    """
    thread, number = query.get("thread", ""), query.get("line", "")

    def wanted(line: AnyLine) -> bool:
        named = number != "" and str(getattr(line, "number", "")) == number
        return line.asked or named or any(str(talk.thread.pk) == thread for talk in line.talks)

    return part_of(
        lines,
        query.get("part", ""),
        weight=_WEIGHT,
        heading=_HEADING,
        wanted=wanted if thread or number or any(map(_ASKED, lines)) else None,
        largest=largest,
    )


def text_lines(document: Document, text: str) -> list[TextLine]:
    """A whole text by its lines; in a prompt, headings and protected sections are marked."""
    lines = text.removesuffix("\n").split("\n")
    if is_code(document):
        return [TextLine(number, line) for number, line in enumerate(lines, start=1)]
    parsed = sections.parse(text)
    headings = {section.start for section in parsed if section.level}
    locked = sections.marked(parsed, [one.heading for one in document.sections.all() if one.is_protected])
    return [
        TextLine(number + 1, line, number in headings, number < len(locked) and locked[number])
        for number, line in enumerate(lines)
    ]


def lines_after(document: Document, rows: Sequence[Row], talks: Talks) -> list[TextLine]:
    """The lines of a text after the change that `rows` tell, with the talks below them; none of it is parsed again."""
    code = is_code(document)
    kept = [row for row in rows if row.kind != "cut"]
    lines = [
        TextLine(number, row.text.removesuffix("\n"), row.heading and not code, row.protected and not code)
        for number, row in enumerate(kept, start=1)
    ]
    if talks.is_empty:
        return lines
    return [replace(line, talks=talks.below(row), asked=talks.asks(row)) for line, row in zip(lines, kept, strict=True)]


def is_code(document: Document) -> bool:
    """Whether its text is set as code; a prompt is prose."""
    return document.kind != Document.Kind.PROMPT
