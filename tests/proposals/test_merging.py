"""A change is carried over to another version as git carries it; what both sides touched is never settled silently."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proposals.diffs.merging import merge
from tests.histories import NAMES, load

BASE = "# Tone\n\n- Be kind.\n- Be brief.\n\n# Refunds\n\n- 30 days.\n"
texts = st.lists(st.sampled_from(["\n", "a\n", "b\n", "# c\n", "d\n"]), max_size=12).map("".join)


@pytest.mark.parametrize("name", NAMES)
def test_merges_of_real_histories_are_those_of_git(name: str) -> None:
    for case in load(name, "merges"):
        merged = merge(base=case["base"], ours=case["ours"], theirs=case["theirs"])
        assert merged.is_clean == (case["kind"] == "clean")
        if merged.is_clean:
            assert merged.text == case["expected"]


def test_changes_of_different_sections_both_stand() -> None:
    merged = merge(base=BASE, ours=BASE.replace("30 days", "14 days"), theirs=BASE.replace("Be kind", "Be warm"))
    assert merged.is_clean
    assert merged.text == BASE.replace("30 days", "14 days").replace("Be kind", "Be warm")


def test_a_conflict_names_its_section_and_keeps_both_wordings() -> None:
    merged = merge(base=BASE, ours=BASE.replace("30 days", "14 days"), theirs=BASE.replace("30 days", "20 days"))
    (conflict,) = merged.conflicts
    assert (conflict.section, conflict.base, conflict.ours, conflict.theirs) == (
        "Refunds",
        "- 30 days.\n",
        "- 14 days.\n",
        "- 20 days.\n",
    )
    assert merged.text == BASE.replace("- 30 days.\n", "- 14 days.\n- 20 days.\n")


def test_rules_that_both_added_at_the_same_place_are_a_conflict() -> None:
    merged = merge(base=BASE, ours=BASE + "- No vouchers.\n", theirs=BASE + "- No cash.\n")
    assert [conflict.section for conflict in merged.conflicts] == ["Refunds"]
    assert merged.text == BASE + "- No vouchers.\n- No cash.\n"


@given(texts, texts)
def test_a_side_that_changed_nothing_takes_the_other(base: str, text: str) -> None:
    for merged in (merge(base=base, ours=text, theirs=base), merge(base=base, ours=base, theirs=text)):
        assert merged.is_clean
        assert merged.text == text


@given(texts, texts)
def test_the_same_change_on_both_sides_is_no_conflict(base: str, text: str) -> None:
    merged = merge(base=base, ours=text, theirs=text)
    assert merged.is_clean
    assert merged.text == text


@given(texts, texts, texts)
def test_who_comes_first_does_not_decide_whether_it_is_clean(base: str, ours: str, theirs: str) -> None:
    one, other = merge(base=base, ours=ours, theirs=theirs), merge(base=base, ours=theirs, theirs=ours)
    assert one.is_clean == other.is_clean
    if one.is_clean:
        assert one.text == other.text
