"""Texts and differences as a page lays them out; long unchanged stretches are gaps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agents import sections
from agents.models import Document
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


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of a whole text."""

    text: str
    heading: bool = False
    protected: bool = False


def text_lines(document: Document, text: str) -> list[TextLine]:
    """A whole text by its lines; in a prompt, headings and protected sections are marked."""
    lines = text.removesuffix("\n").split("\n")
    if is_code(document):
        return [TextLine(line) for line in lines]
    headings = {section.start for section in sections.parse(text) if section.level}
    locked = sections.under(text, [section.heading for section in document.sections.all() if section.is_protected])
    return [
        TextLine(line, number in headings, number < len(locked) and locked[number]) for number, line in enumerate(lines)
    ]


def is_code(document: Document) -> bool:
    """Whether its text is set as code; a prompt is prose."""
    return document.kind != Document.Kind.PROMPT
