"""Where the lines of a talk are after the text was amended."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proposals.diffs.anchors import Follower, Place

WORDS = ("refund", "order", "escalate", "delay", "courier", "invoice", "polite", "brief", "window", "courses")


def line(number: int) -> str:
    """A line of words that no other number has."""
    return f"{WORDS[number % 10]}{number} {WORDS[number // 10 % 10]}{number} says{number}\n"


def text(numbers: list[int]) -> str:
    return "".join(line(number) for number in numbers)


numbers = st.lists(st.integers(0, 99), unique=True, min_size=1, max_size=30)
any_text = st.lists(st.sampled_from(["a\n", "- a b\n", "\n", "a b c d\n", "x y\n"]), max_size=12).map("".join)


def follow(old: str, new: str, start: int, end: int = 0) -> Place | None:
    place = Place(start, end or start)
    quote = "".join(old.splitlines(keepends=True)[place.start - 1 : place.end])
    return Follower(old, new).follow(place, quote)


@given(numbers, st.data())
def test_every_line_of_the_same_text_stays(lines: list[int], data: st.DataObject) -> None:
    start = data.draw(st.integers(1, len(lines)))
    end = data.draw(st.integers(start, len(lines)))
    assert follow(text(lines), text(lines), start, end) == Place(start, end)


@given(numbers, numbers, st.data())
def test_a_line_is_found_wherever_it_went_and_lost_only_when_it_is_gone(
    old: list[int], new: list[int], data: st.DataObject
) -> None:
    chosen = data.draw(st.sampled_from(old))
    found = follow(text(old), text(new), old.index(chosen) + 1)
    assert found == (Place(new.index(chosen) + 1, new.index(chosen) + 1) if chosen in new else None)


@given(any_text, any_text, any_text, st.data())
def test_a_place_is_always_within_the_text(old: str, new: str, quote: str, data: st.DataObject) -> None:
    lines = old.count("\n")
    start = data.draw(st.integers(1, lines + 1))
    place = data.draw(st.none() | st.integers(start, lines + 2).map(lambda end: Place(start, end)))
    found = Follower(old, new).follow(place, quote)
    assert found is None or 1 <= found.start <= found.end <= new.count("\n")


@given(any_text, st.integers(0, 5), st.data())
def test_lines_above_only_push_it_down(old: str, above: int, data: st.DataObject) -> None:
    if old:
        start = data.draw(st.integers(1, old.count("\n")))
        assert follow(old, "new\n" * above + old, start) == Place(start + above, start + above)


@pytest.mark.parametrize(
    ("new", "place"),
    [
        ("# Refunds\nWithin 14 days of purchase, in full.\nBe kind.\n", Place(2, 2)),
        ("# Refunds\nAsk a colleague first.\nBe kind.\n", None),
        ("# Refunds\nBe kind.\n", None),
        ("# Refunds\nBe kind.\n# Money\nWithin 30 days of purchase.\n", Place(4, 4)),
        ("", None),
    ],
)
def test_a_rewritten_line_is_followed_and_a_replaced_one_is_lost(new: str, place: Place | None) -> None:
    assert follow("# Refunds\nWithin 30 days of purchase.\nBe kind.\n", new, 2) == place


def test_a_lost_line_that_comes_back_word_for_word_is_found_again() -> None:
    assert Follower("a\nc\n", "a\nWithin 30 days.\nc\n").follow(None, "Within 30 days.\n") == Place(2, 2)
    assert Follower("a\nc\n", "Within.\nWithin.\na\nc\n").follow(None, "Within.\n") is None


def test_a_cut_line_never_lands_on_its_double() -> None:
    assert follow("Be brief.\nAsk first.\nBe brief.\n", "Ask first.\nBe brief.\n", 1) is None
