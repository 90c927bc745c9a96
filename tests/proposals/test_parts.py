"""Long texts come in parts that miss nothing, and the part asked for is the one that is shown."""

from hypothesis import given
from hypothesis import strategies as st

from proposals.reviewing import parts
from proposals.reviewing.parts import Part, part_of

LINES = st.lists(st.text("ab #", max_size=9_000), max_size=40)


def _part(lines: list[str], asked: str = "", wanted: str | None = None) -> Part[str]:
    found = (lambda line: line == wanted) if wanted is not None else None
    return part_of(lines, asked, weight=len, heading=lambda line: line.startswith("#"), wanted=found)


@given(lines=LINES)
def test_the_parts_joined_are_the_text(lines: list[str]) -> None:
    first = _part(lines)
    every = [_part(lines, str(number)) for number in range(1, first.count + 1)]
    assert [line for one in every for line in one.lines] == lines
    assert [(one.first, one.last) for one in every][-1][1] == len(lines)
    assert all(sum(map(len, one.lines)) <= parts.LARGEST or len(one.lines) == 1 for one in every)
    assert [one.before for one in every] == [None, *range(1, first.count)]
    assert every[-1].after is None


@given(lines=LINES, asked=st.text(max_size=8))
def test_whatever_is_asked_for_is_some_part(lines: list[str], asked: str) -> None:
    assert 1 <= _part(lines, asked).number <= _part(lines).count


def test_a_part_ends_before_a_heading_once_it_is_nearly_full() -> None:
    lines = ["x" * (parts.LARGEST * 2 // 5)] * 2 + ["# Next", "y"]
    assert (_part(lines).last, list(_part(lines, "2").lines)) == (2, ["# Next", "y"])


def test_a_line_that_is_wanted_comes_before_the_number() -> None:
    lines = ["x" * parts.LARGEST, "here", "y" * parts.LARGEST]
    assert _part(lines, "1", wanted="here").number == 2
    assert _part(lines, "3", wanted="nowhere").number == 3
