"""The whole text: its rules, what a new one repeats or contradicts, and one rule put in another's place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.sections import lines_of
from proposals.checking import pile
from proposals.grounds import growth
from tests.cast import PROMPT

TEXTS = st.lists(
    st.sampled_from(
        ["# A\n", "## Refunds\n", "- Refund within 30 days.\n", "1. Refund within 14 days of purchase.\n",
         "```\n", "\n", "Never ask for a card number. Always ask for the order number first.\n", "- [ ] \n",
         "- Ask for a card number.\n",
         "- Answer in the customer's language.\r\n", "Always answer in the language of the customer!", "| a | b |\n"]
    ),
    max_size=16,
).map("".join)  # fmt: skip


def _meet(new: str, old: str) -> list[str]:
    text = f"## Rules\n- {old}\n- {new}\n"
    return [found.kind for found in pile.look(text, {3})]


def test_rules_are_list_items_and_sentences() -> None:
    code = "```\n- code\n```\n| a | b | c |\n"
    text = f"# Head\nBe kind to people. Say so, e.g. in v1.2 of it.\n- Short\n{code}2) Second rule\n"
    assert [(rule.line, rule.text) for rule in pile.rules(text)] == [
        (2, "Be kind to people."),
        (2, "Say so, e.g. in v1.2 of it."),
        (3, "Short"),
        (8, "Second rule"),
    ]
    assert pile.size(PROMPT).rules == 4


@pytest.mark.parametrize(
    ("new", "old", "kinds"),
    [
        ("Refunds within 14 days.", "Refunds are possible within 30 days.", ["number"]),
        ("Parcels leave after three days.", "Parcels leave after 2 days.", ["number"]),
        ("Always ask for card numbers.", "Never ask for card numbers.", ["polarity"]),
        ("Ask for card numbers or passwords.", "Never ask for card numbers or passwords.", ["polarity"]),
        ("Check the date of the order before naming a deadline.", "Check the order date before you name a deadline.",
         ["near"]),
        ("Refunds within 30 days.", "Refunds are possible within 30 days.", ["near"]),
        # What only looks alike.
        ("Refunds of digital courses within 14 days.", "Refunds are possible within 30 days.", []),
        ("Refunds arrive within 5 working days.", "Refunds are possible within 30 days.", []),
        ("Do not name a deadline before you check the order date.", "Check the order date before you name a deadline.",
         []),
        ("Never share card numbers.", "Ask for the order number.", []),
        ("Be friendly and brief.", "Answer in the customer's language.", []),
        ("Express parcels leave the same day.", "Parcels leave within 2 working days.", []),
    ],
)  # fmt: skip
def test_what_a_new_rule_meets(new: str, old: str, kinds: list[str]) -> None:
    assert _meet(new, old) == kinds
    assert _meet(old, new) == kinds


def test_a_text_without_repetition_has_no_findings() -> None:
    lines = range(1, len(lines_of(PROMPT)) + 1)
    assert [found for line in lines for found in pile.look(PROMPT, {line})] == []


def test_a_protected_rule_is_named_but_never_merged_into() -> None:
    text = PROMPT + "\n## More\n- Never ask for any card numbers or passwords.\n"
    (found,) = pile.look(text, {len(lines_of(text))}, ["Safety"])
    assert (found.kind, found.locked, found.mergeable) == ("near", True, False)


def test_the_new_rule_takes_the_place_of_the_near_one_and_its_empty_heading_goes() -> None:
    new = "Check the date of the order before naming a deadline."
    text = f"{PROMPT}\n## Learned\n\n- {new}\n"
    (found,) = pile.look(text, {len(lines_of(text))})
    assert pile.merged(text, found) == PROMPT.replace("Check the order date before you name a deadline.", new)
    with pytest.raises(ValueError, match="places"):
        pile.merged(PROMPT.replace("Check", "Look up") + "\n" * 9 + new, found)


@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
def test_rules_stand_where_they_say(text: str) -> None:
    lines = lines_of(text)
    found = pile.rules(text)
    assert all(lines[rule.line - 1][rule.start : rule.end] == rule.text for rule in found)
    assert pile.size(text).rules == len(found)
    assert all(rule.text == rule.text.strip() != "" for rule in found)


@settings(max_examples=300, deadline=None)
@given(text=TEXTS, data=st.data())
def test_findings_are_about_other_lines_and_merging_takes_one_rule_away(text: str, data: st.DataObject) -> None:
    lines = lines_of(text)
    fresh = data.draw(st.sets(st.integers(1, max(1, len(lines)))))
    for found in pile.look(text, fresh):
        assert found.line in fresh
        assert found.other_line not in fresh
        assert pile.Finding.from_json(found.to_json()) == found
        if found.mergeable:
            merged = pile.merged(text, found)
            assert pile.size(merged).rules == pile.size(text).rules - 1
            assert found.text in merged


@given(text=TEXTS)
def test_a_rule_neither_repeats_nor_contradicts_itself_twice_over(text: str) -> None:
    for one in pile.rules(text):
        assert pile.contradiction(one, one) is None
        for other in pile.rules(text):
            assert pile.likeness(one, other) == pile.likeness(other, one)
            assert (pile.contradiction(one, other) is None) == (pile.contradiction(other, one) is None)


def test_a_plot_keeps_the_first_and_the_last_of_many_versions() -> None:
    few = growth.thinned(range(1, 1001), 24)
    assert (len(few), few[0], few[-1]) == (24, 1, 1000)
    sizes = [(f"Version {n}", n * 10) for n in few]
    plot = growth.plot([*sizes, ("Proposed", 10_500)])
    assert plot is not None
    assert plot.label == "From about 10 tokens in version 1 to 10,500 as proposed"
    assert growth.plot(sizes[:1]) is None
