"""Numbers are said one way everywhere."""

import pytest

from audit.numbers import counted, number, percent


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 entries"), (1, "1 entry"), (2, "2 entries"), (12_345, "12,345 entries")]
)
def test_a_noun_has_the_form_of_its_number(count: int, said: str) -> None:
    assert counted(count, "entry,entries") == said


def test_thousands_are_set_apart_and_a_trailing_zero_is_left_out() -> None:
    assert [number(1234.4), number(1234.5, 1), number(7.0, 1), number(70, 1)] == ["1,234", "1,234.5", "7", "70"]


def test_percents_stay_on_one_line() -> None:
    assert percent(0.125) == "12\u00a0%"
