"""The drafter: where in a document a rule goes, and in which style."""

import pytest

from proposals.drafting import Brief, DocumentText
from tests.drafts import CODE, SUPPORT, declined, drafted


def test_a_numbered_list_goes_on_counting_after_its_nested_items() -> None:
    made = drafted(Brief("error", error_class="timeout", support=50, sources=20, days=4))
    assert made.section == "Tools and errors"
    assert "   - Repeat the amount.\n3. When a call takes too long" in made.text
    assert made.rationale == ("50 runs from 20 sources failed in 4 days: a call took too long.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("## Tools\n* One.\n* Two.\n", "* Two.\n* When"),
        ("## Tools\n1) One.\n2) Two.\n\nThat is all.\n", "2) Two.\n3) When"),
        ("## Tools\n- One\n  goes on.\n\n\n## Next\n", "  goes on.\n- When"),
        ("## Tools\n\n- One.\n\n- Two.\n", "- Two.\n\n- When"),
        ("## Tools\n\nOne sentence.\n", "One sentence.\nWhen"),
        ("## Tools\n\nOne.\n\nTwo.\n", "Two.\n\nWhen"),
        ("## Tools\n", "## Tools\n\n- When"),
        ("## Tools\n- One.", "- One.\n- When"),
        ("## Tools\r\n- One.\r\n", "- One.\r\n- When"),
        ("## Tools\nUse these:\n```\n- no\n```\n", "```\n\nWhen"),
        ("## Tools\n- One.\n<example>\n- no\n</example>\n", "- One.\n- When"),
    ],
)
def test_a_rule_takes_the_style_of_its_section(text: str, expected: str) -> None:
    made = drafted(Brief("error", error_class="timeout"), DocumentText("p", "prompt", text))
    assert expected in made.text
    assert made.text.endswith("\n") == text.endswith("\n")


def test_the_section_is_the_one_that_speaks_of_the_topic() -> None:
    made = drafted(Brief("complaint", "", ("parcel tracking", "express"), reason_code="incomplete"))
    assert made.section == "Shipping"


def test_a_topic_no_section_speaks_of_gets_a_section_at_the_end_and_the_next_one_joins_it() -> None:
    made = drafted(Brief("complaint", "", ("the gift card",), reason_code="refused"))
    assert made.text.startswith(SUPPORT)
    assert made.text.removeprefix(SUPPORT).startswith(
        "\n## Learned rules\n\n- For requests about the gift card, help as far"
    )
    after = DocumentText("system-prompt", "prompt", made.text, ("Safety",))
    again = drafted(Brief("complaint", "", ("newsletter",), reason_code="refused"), after)
    assert again.section == "Learned rules"
    assert again.text.count("## Learned rules") == 1


def test_errors_go_where_the_headings_speak_of_failures() -> None:
    made = drafted(Brief("error", error_class="rate_limit"), CODE)
    assert made.section == "Limits and failures"
    assert "* Stop after three failed attempts.\n* When a service says" in made.text


def test_a_mislabel_goes_where_both_labels_are_spoken_of() -> None:
    text = "# A\n\n## Invoices\n- Be exact.\n\n## Sorting\nUse `billing` or `refund`.\n"
    brief = Brief("mislabel", "", ("invoice",), predicted="billing", expected="refund")
    assert drafted(brief, DocumentText("p", "prompt", text)).section == "Sorting"


@pytest.mark.parametrize(
    ("terms", "nearby"),
    [
        (("the refund",), ("requested",)),
        (("the computer", "the human"), ()),
        (("the oil change",), ()),
        (("the human resource",), ()),
        (("the timer", "“set”"), ("set",)),
    ],
)
def test_a_section_is_no_place_for_a_word_beside_the_topic(terms: tuple[str, ...], nearby: tuple[str, ...]) -> None:
    text = "# A\n\n## Pull requests\n\n- Write for humans.\n- What is set can be changed any time.\n"
    made = drafted(Brief("correction", "", terms, nearby), DocumentText("p", "prompt", text))
    assert made.section == "Learned rules"


def test_a_document_that_is_protected_throughout_gets_a_section_of_its_own_beside_it() -> None:
    text = "# Safety\n\nNever ask for card numbers.\n"
    made = drafted(Brief("error", error_class="timeout"), DocumentText("p", "prompt", text, ("Safety",)))
    assert made.text.startswith(text + "\n# Learned rules\n")


def test_a_code_block_left_open_leaves_no_place() -> None:
    assert "no place" in declined(
        Brief("error", error_class="timeout"), DocumentText("p", "prompt", "# A\n```\ncode\n")
    )


def test_an_empty_prompt_gets_a_first_section() -> None:
    made = drafted(Brief("error", error_class="timeout"), DocumentText("p", "prompt", ""))
    assert made.text.startswith("## Learned rules\n\n- When")


def test_a_rule_follows_the_one_it_refines() -> None:
    text = "# A\n\n## Shipping\n- Parcels leave within 2 days.\n- Islands are served by boat.\n- Name the carrier.\n"
    made = drafted(Brief("complaint", "", ("the parcel",), reason_code="wrong"), DocumentText("p", "prompt", text))
    assert "within 2 days.\n- For requests about the parcel, look up" in made.text


def test_a_rule_that_says_nearly_the_same_is_not_said_twice() -> None:
    text = "# A\n\n## Labels\n- When both could fit, as in messages about money, use “refund” rather than “billing”.\n"
    brief = Brief("mislabel", "", ("the money", "the order"), predicted="billing", expected="refund")
    assert declined(brief, DocumentText("p", "prompt", text)) == "the document already says so"


def test_a_narrower_rule_is_widened_instead_of_adding_a_second() -> None:
    old = "- For islands, look up what applies in this case before you answer or act; if you find nothing, say so."
    text = f"# A\n\n## Shipping\n{old}\n- Name the carrier.\n"
    brief = Brief("complaint", "", ("islands", "ferries"), reason_code="wrong")
    made = drafted(brief, DocumentText("p", "prompt", text))
    assert made.text == text.replace("For islands,", "For islands and ferries,")
    assert made.section == "Shipping"
