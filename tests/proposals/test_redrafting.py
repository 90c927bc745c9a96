"""What the drafter can write again as it is asked, and what it declines."""

import pytest

from proposals.diffs import compute
from proposals.drafting import Brief, Declined
from proposals.drafting.alternatives import alternatives
from proposals.drafting.redrafting import Ask, Brought, brought, headings, mergeable, rework, shorter
from tests.drafts import PROMPT, SUPPORT, WINDOW, drafted

TIMEOUT = drafted(Brief("error", error_class="timeout"))
RULE = "When a call takes too long, try once more with a smaller request; if that fails too, say what is missing."


def _brought(text: str) -> Brought:
    found = brought(compute(SUPPORT, text).rows)
    assert isinstance(found, Brought), found
    return found


def _reworked(ask: Ask, text: str = TIMEOUT.text) -> str:
    made = rework(ask, _brought(text), PROMPT)
    assert isinstance(made, str), made
    return made


def _declined(ask: Ask, text: str = TIMEOUT.text) -> str:
    made = rework(ask, _brought(text), PROMPT)
    assert isinstance(made, Declined), made
    return made.reason


def test_the_rule_a_draft_brings_is_found_with_its_section() -> None:
    assert _brought(TIMEOUT.text) == Brought(RULE, "Tools and errors")
    replaced = _brought(drafted(WINDOW).text)
    assert (replaced.section, replaced.replaced) == (
        "Refunds and cancellations", "Refunds are possible within 30 days of purchase.",
    )  # fmt: skip


def test_a_change_of_two_rules_is_none_the_drafter_knows() -> None:
    two = TIMEOUT.text.replace("- Be friendly and brief.", "- Be brief.")
    assert brought(compute(SUPPORT, two).rows) == Declined("it changes more than one rule")


def test_a_last_line_that_only_gets_its_line_break_is_no_rule() -> None:
    text = SUPPORT.rstrip("\n")
    assert brought(compute(text, f"{text}\n- Be kind.\n").rows) == Brought("Be kind.", "Safety")


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        (RULE, "When a call takes too long, try once more with a smaller request."),
        (
            "When a service says that you call it too often, wait before you try again, and try at most three times.",
            "When a service says that you call it too often, wait before you try again.",
        ),
        (
            "When both could fit, as in messages about refunds and orders, use “a” rather than “b”.",
            "When both could fit, use “a” rather than “b”.",
        ),
    ],
)
def test_shorter_leaves_a_whole_sentence(rule: str, kept: str) -> None:
    assert shorter(rule) == kept


@pytest.mark.parametrize("rule", ["Say “14 days”, not “30 days”.", "Be brief; be kind.", ""])
def test_what_has_no_clause_to_spare_is_not_made_shorter(rule: str) -> None:
    assert shorter(rule) == Declined("it is as short as the drafter can make it")


def test_a_rule_moves_to_the_section_asked_for() -> None:
    moved = _reworked(Ask("move", "Tone"))
    assert f"- Use the customer's name once.\n- {RULE}\n" in moved
    assert moved.count(RULE) == 1
    assert _declined(Ask("move", "Tools and errors")) == "it stands in that section already"
    assert _declined(Ask("move", "Safety")).startswith("there is no section “Safety”")


def test_a_rule_is_merged_with_one_there_is() -> None:
    merged = _reworked(Ask("merge", "Be friendly and brief."))
    assert f"- Be friendly and brief. {RULE}\n" in merged
    old = "Refunds are possible within 30 days of purchase."
    same = "Refunds are possible within 14 days of the purchase."
    assert old not in _reworked(Ask("merge", old), _with(same))
    assert "is not there once" in _declined(Ask("merge", "Never ask for card numbers or passwords."))


def _with(rule: str) -> str:
    return SUPPORT.replace("- Use the customer's name once.\n", f"- Use the customer's name once.\n- {rule}\n")


def test_a_reviewers_words_stand_where_the_rule_stood() -> None:
    assert "3. Say that it takes longer.\n" in _reworked(Ask("wording", "Say that it takes longer."))
    text = _reworked(Ask("wording", "Refunds: 14 days."), drafted(WINDOW).text)
    assert "Check the order date before you name a deadline.\nRefunds: 14 days.\n" in text
    assert "only be worded by hand" in _declined(Ask("shorter"), drafted(WINDOW).text)


def test_nothing_protected_and_no_code_is_offered() -> None:
    assert "Safety" not in headings(PROMPT)
    offered = mergeable(PROMPT, RULE)
    assert "Never ask for card numbers or passwords." not in offered
    assert "refund within 30 days" not in offered
    assert "Be friendly and brief." in offered


def test_every_way_to_answer_a_correction_is_drafted_once() -> None:
    ways = alternatives(WINDOW, [PROMPT])
    assert [way.template for way in ways] == ["correction.in_place", "correction.replace", "strengthen", "removal"]
    reworded, added, strengthened, removed = (way.text for way in ways)
    assert "within 14 days of purchase" in reworded
    assert "For the refund window and digital courses, say “14 days”, not “30 days”." in added
    assert "Refunds are possible within 30 days of purchase. For the refund window" in strengthened
    assert "Refunds are possible" not in removed
    assert all("Never ask for card numbers or passwords." in way.text for way in ways)


def test_no_way_leads_into_a_protected_section() -> None:
    brief = Brief("complaint", terms=("card numbers", "passwords"), reason_code="wrong", support=4, sources=4)
    assert {way.template for way in alternatives(brief, [PROMPT])} <= {"complaint.wrong"}
