"""A rule that complaints speak against is softened or removed, and nothing opposite is put beside it."""

from dataclasses import replace

import pytest

from proposals.drafting import Brief, Declined, DocumentText, Draft, draft, fingerprint, is_same
from proposals.drafting.alternatives import alternatives

RULE = "Always ask for the order number first."
TEXT = f"# Support agent\n\n## Tone\n\n- Be friendly and brief.\n\n## Orders\n\n- {RULE}\n- Name the delivery date.\n"
TOO_OFTEN = (
    "Stop asking for my order number every time!",
    "It asks for the order number again and again.",
    "please don't ask me for the order number in each message",
    "It is always asking for my order number, why?",
    "Nice, but slow.",
)
UNWANTED = (
    "Stop asking for my order number.",
    "Why does it ask for an order number?",
    "No need to ask for the order number.",
    "please stop asking the order number",
)
NOT_FOLLOWED = (
    "It never asked for my order number.",
    "Why did it not ask for the order number?",
    "It forgets to ask for my order number every time.",
    "It should always ask for the order number",
)


def _drafted(*said: str, text: str = TEXT, code: str = "other", protected: tuple[str, ...] = ()) -> Draft | Declined:
    brief = Brief("complaint", "", ("the order number",), reason_code=code, support=len(said) + 1, sources=len(said))
    page = DocumentText("system-prompt", "prompt", text, protected)
    return draft(replace(brief, days=4, said=[[one] for one in said]), [page])


def _made(*said: str, text: str = TEXT, code: str = "other") -> Draft:
    found = _drafted(*said, text=text, code=code)
    assert isinstance(found, Draft)
    return found


def test_a_rule_that_is_followed_too_often_is_softened_where_it_stands() -> None:
    made = _made(*TOO_OFTEN)
    assert made.text == TEXT.replace(RULE, "Ask for the order number first, but only when it is needed.")
    assert made.title == f"Soften “{RULE}”"
    assert made.section == "Orders"
    assert made.rationale == (
        "4 of 5 people in 4 days complained about how often answers do what this rule orders (6 reports)."
    )


def test_a_rule_that_nobody_wants_is_removed() -> None:
    made = _made(*UNWANTED)
    assert made.text == TEXT.replace(f"- {RULE}\n", "")
    assert made.title == f"Remove “{RULE}”"
    assert made.rationale == "4 of 4 people in 4 days complained about what this rule orders (5 reports)."


def test_a_rule_that_was_softened_before_is_removed() -> None:
    softer = _made(*TOO_OFTEN).text
    assert _made(*TOO_OFTEN, text=softer).text == TEXT.replace(f"- {RULE}\n", "")


def test_who_complains_of_it_for_one_thing_only_has_it_softened() -> None:
    said = [f"{one.rstrip('.')} for a gift card." for one in UNWANTED]
    assert _made(*said).template == "softer"


def test_a_rule_with_a_condition_is_softened_and_one_sentence_of_a_line_goes_alone() -> None:
    conditional = TEXT.replace(RULE, "If there is an order, ask for its number.")
    assert _made(*UNWANTED, text=conditional).template == "softer"
    two = TEXT.replace(RULE, f"Greet people by name. {RULE}")
    assert "- Greet people by name.\n- Name" in _made(*UNWANTED, text=two).text


def test_one_verb_is_enough_where_no_other_rule_has_it_and_people_speak_of_nothing_else() -> None:
    text = "# A\n\n## Tone\n- Apologise for the trouble in the first sentence.\n- Ask for the order number.\n"
    said = ("It apologises too often.", "Stop apologising!", "apologising again and again")
    assert _made(*said, text=text, code="style").title.startswith("Soften “Apologise")
    about = tuple(f"{one} And the parcel was late." for one in said)
    assert _made(*about, text=text, code="style").template == "complaint.style"


@pytest.mark.parametrize(
    "said",
    [
        NOT_FOLLOWED,
        ("Stop asking for my phone number.", "Why does it ask for my phone number?", "don't ask for my phone number"),
        ("The order number is wrong again.", "It says the wrong order number every time", "order number wrong again"),
        (*TOO_OFTEN[:3], *NOT_FOLLOWED[:2]),
        (*UNWANTED[:2], "Where is my parcel?", "Where is my order?"),
        ("It asks for the order number.", "asks for the order number", "order number asked"),
        ("Stop changing the order number.", "don't forget to ask for the order number", "stop losing the order number"),
    ],
    ids=["not followed", "of another thing", "wrong", "both ways", "too few", "no protest", "of another act"],
)
def test_a_rule_stays_where_people_do_not_speak_against_it(said: tuple[str, ...]) -> None:
    made = _drafted(*said)
    assert isinstance(made, Declined) or (RULE in made.text and made.template not in ("softer", "removal"))


@pytest.mark.parametrize("said", [("The delivery date is wrong again.",) * 4, ("Stop changing the delivery date",) * 4])
def test_what_is_wrong_with_an_answer_does_not_take_away_the_rule_to_give_it(said: tuple[str, ...]) -> None:
    assert "Name the delivery date." in _made(*said).text


def test_a_prohibition_is_never_loosened() -> None:
    text = TEXT.replace(RULE, "Never ask for the order number.")
    assert "Never ask for the order number." in _made(*UNWANTED, text=text).text


@pytest.mark.parametrize("code", ["incomplete", "too_short", "refused", "outdated", "unsafe"])
def test_who_wants_more_does_not_speak_against_a_rule(code: str) -> None:
    assert RULE in _made(*UNWANTED, code=code).text


def test_in_a_protected_section_and_in_code_people_decide_and_nothing_is_put_beside() -> None:
    for text, protected in ((TEXT, ("Orders",)), (TEXT.replace("- Name", "  1. Why: see below.\n- Name"), ("Orders",))):
        made = _drafted(*UNWANTED, text=text, protected=protected)
        assert isinstance(made, Declined)
        assert made.reason == f"people complain about “{RULE}”, which a machine may not change"


def test_a_sentence_that_goes_over_several_lines_is_left_whole() -> None:
    wrapped = "# A\n\n## Orders\nBe brief, and\nalways ask for the order number\nbefore anything else is done.\n"
    assert "always ask for the order number\nbefore" in _made(*UNWANTED, text=wrapped).text


def test_nothing_people_typed_is_written() -> None:
    made = _made(*(f"{one} Frobnicate the gadget, please." for one in TOO_OFTEN))
    assert "robnicate" not in made.text + made.title + made.rationale


def test_alternatives_hold_it_and_it_is_the_same_as_a_removal_for_silence() -> None:
    brief = Brief("complaint", "", ("the order number",), support=4, sources=4, said=[[one] for one in UNWANTED])
    found = alternatives(brief, [DocumentText("system-prompt", "prompt", TEXT)])
    assert found[0].template == "removal"
    gone = Draft("system-prompt", "", "", "", "", "removal", f"remove {RULE}", names=(RULE,))
    assert is_same(fingerprint(found[0]), fingerprint(gone))
