"""Lines are followed over the versions of a document as git follows them."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.history import Hunk, blame, hunks
from tests.histories import NAMES, load

# Few different lines, so that many alignments are possible.
texts = st.lists(st.sampled_from(["", "a", "b", "  c", "\td", "e"]), max_size=30)


def test_the_histories_are_there() -> None:
    assert len(NAMES) == 2


@pytest.mark.parametrize("name", NAMES)
def test_every_line_has_the_owner_that_git_names(name: str) -> None:
    versions = load(name, "versions")
    owners = blame(version["text"].splitlines() for version in versions)
    assert [versions[owner]["seq"] for owner in owners] == [line["seq"] for line in load(name, "blame")]


@given(texts, texts)
def test_outside_the_hunks_the_texts_are_equal_and_inside_nothing_is_forgotten(old: list[str], new: list[str]) -> None:
    rebuilt: list[str] = []
    position = new_position = 0
    for hunk in hunks(old, new):
        assert old[position : hunk.start] == new[new_position : hunk.new_start]
        rebuilt += [*old[position : hunk.start], *new[hunk.new_start : hunk.new_end]]
        position, new_position = hunk.end, hunk.new_end
    assert [*rebuilt, *old[position:]] == new


@given(st.lists(st.integers(), max_size=30, unique=True), st.data())
def test_lines_that_are_unique_and_in_order_are_all_kept(lines: list[int], data: st.DataObject) -> None:
    old = [str(line) for line in lines]
    kept = sorted(data.draw(st.sets(st.sampled_from(range(len(old))))) if old else [])
    assert sum(h.end - h.start for h in hunks(old, [old[place] for place in kept])) == len(old) - len(kept)


@given(st.lists(texts, min_size=1, max_size=6))
def test_no_line_is_older_than_its_words(history: list[list[str]]) -> None:
    for line, owner in zip(history[-1], blame(history), strict=True):
        assert line in history[owner]


def test_an_added_section_is_shown_from_its_heading_on() -> None:
    old = ["## Tone", "", "- Be kind.", "", "## Tools"]
    new = ["## Tone", "", "- Be kind.", "", "## Refunds", "", "- 14 days.", "", "## Tools"]
    assert hunks(old, new) == [Hunk(4, 4, 4, 8)]


def test_a_text_made_to_be_slow_ends_in_bounded_time() -> None:
    started = process_time()
    hunks([str(n * 7919 % 4001) for n in range(4000)], [str(n * 104729 % 4001) for n in range(4000)])
    assert process_time() - started < 20
