"""The drafter: the smallest edit, in the right place, and never a word from outside that is not a topic."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from agents.sections import fenced, lines_of, protected_changed
from proposals import diffs
from proposals.checking.checks import Context, run
from proposals.drafting import Brief, Declined, DocumentText, Draft, draft, sentences
from proposals.drafting.placement import stems
from tests.drafts import BRIEFS, DOCUMENTS, MANY, SUPPORT, WINDOW, declined, drafted


def _new_lines(made: Draft, before: str = SUPPORT) -> list[str]:
    return [row.text.strip() for row in diffs.compute(before, made.text).rows if row.kind == "add" and row.text.strip()]


def test_a_replaced_phrase_changes_the_one_line_that_speaks_of_it() -> None:
    made = drafted(WINDOW)
    assert made.text == SUPPORT.replace("Refunds are possible within 30 days", "Refunds are possible within 14 days")
    assert made.template == "correction.in_place"
    assert made.section == "Refunds and cancellations"
    assert made.title == "Change “30 days” to “14 days” for the refund window"
    assert made.rationale == ("31 people in 9 days corrected “30 days” to “14 days” (37 reports).")


@pytest.mark.parametrize(
    "text",
    [
        "# A\n\n## Refunds\n- Refunds take 30 days.\n- Refunds of courses take 30 days.\n",
        "# A\n\n## Passwords\n- Passwords expire after 30 days.\n",
        "# A\n\n## Refunds\n- Refunds take 30 days, or 30 days more.\n",
        "# A\n\n## Refunds\n- Refunds take 130 days.\n",
        "# A\n\n## Refunds\n- Refunds take 1.30 days.\n",
        "# A\n\n## Refunds\n```\nRefunds take 30 days.\n```\n",
    ],
    ids=["two lines", "another topic", "twice in a line", "part of a number", "after a comma", "in code"],
)
def test_a_phrase_that_is_not_in_exactly_one_fitting_line_becomes_a_rule(text: str) -> None:
    made = drafted(WINDOW, DocumentText("p", "prompt", text))
    assert made.template == "correction.replace"
    assert made.title == "Say “14 days”, not “30 days”, for the refund window"
    assert made.rule.lstrip("- ") == "For the refund window and digital courses, say “14 days”, not “30 days”."
    assert protected_changed(text, made.text, ["Refunds", "Passwords"]) in ([], ["Refunds"])


def test_a_phrase_in_a_protected_section_is_left_alone() -> None:
    text = "# A\n\n## Safety\nRefunds take 30 days.\n\n## Tone\n- Be kind.\n"
    made = drafted(WINDOW, DocumentText("p", "prompt", text, ("Safety",)))
    assert "Refunds take 30 days." in made.text
    assert protected_changed(text, made.text, ["Safety"]) == []


def test_a_correction_without_a_replacement_says_what_to_check() -> None:
    made = drafted(Brief("correction", "", ("the refund window", "digital courses"), support=4, sources=1, days=1))
    assert made.title == "Check the refund window for digital courses"
    assert made.rule == "For digital courses, check which refund window applies before you answer."
    assert made.rationale == (
        "1 person in 1 day corrected answers about the refund window and digital courses (4 reports)."
    )


def test_a_rule_about_several_values_is_in_the_plural() -> None:
    made = drafted(Brief("complaint", "", ("delivery dates", "“islands”"), reason_code="wrong"))
    assert made.rule == "- For “islands”, check which delivery dates apply before you answer."


@pytest.mark.parametrize(
    ("code", "rule", "title"),
    [
        (
            "wrong",
            "For reset links, look up what applies in this case before you answer or act; if you find nothing, say so.",
            "Look up what applies to reset links",
        ),
        (
            "too_long",
            "For reset links, give the answer first, in a few sentences; add detail only when asked.",
            "Be brief about reset links",
        ),
        (
            "",
            "For reset links, say plainly what you can do and what you cannot, and name who can help further.",
            "Say what can be done about reset links",
        ),
    ],
)
def test_a_complaint_is_answered_by_its_reason_for_its_topic(code: str, rule: str, title: str) -> None:
    made = drafted(Brief("complaint", "", ("reset links",), reason_code=code))
    assert (made.rule.lstrip("- "), made.title) == (rule, title)


TOO_MANY = [["too many emojis"], ["stop with the emojis!"], ["Emojis, why?"], ["no emojis please"]]
CRASHES = [
    ["app crashes again"],
    ["the app crashed at checkout, every time"],
    ["it keeps crashing"],
    ["app crash, why?"],
]


def test_who_wants_less_of_something_gets_less_of_it() -> None:
    brief = Brief("complaint", "", ("emojis",), reason_code="style", support=4, sources=4, days=2, said=TOO_MANY)
    made = drafted(brief)
    assert (made.rule.lstrip("- "), made.title) == ("Do without emojis wherever you can.", "Do without emojis")
    assert made.rationale == "4 people in 2 days complained about emojis they had no use for."
    assert made.section == "Tone"


DEAD = [["the reset link expired"], ["dead reset link!!"], ["reset link is no longer valid"], ["wrong reset link"]]


def test_who_was_given_what_works_no_more_gets_it_checked_first() -> None:
    brief = Brief(
        "complaint", "", ("reset links", "the password"), reason_code="wrong", support=4, sources=4, said=DEAD
    )
    made = drafted(brief)
    assert made.title == "Check before you give out reset links"
    assert made.rule.startswith("- Before you give out reset links, check that what you give still works;")
    assert made.rationale == "4 people in 1 day were given reset links that did not work."
    other = drafted(Brief("complaint", "", ("reset links",), reason_code="wrong", said=DEAD[3:]))
    assert other.template == "complaint.wrong"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (TOO_MANY, "wrong"),
        (TOO_MANY[:2] * 2, "refused"),
        ([["the emojis do not show"]] * 4, "style"),
        (CRASHES, "other"),
    ],
)
def test_who_complains_of_it_otherwise_does_not(said: list[list[str]], code: str) -> None:
    topic = "app crashes" if said is CRASHES else "emojis"
    made = drafted(Brief("complaint", "", (topic,), reason_code=code, support=4, sources=4, days=2, said=said))
    assert made.template == f"complaint.{code}"


def test_an_answer_in_another_language_is_answered_in_that_of_the_request() -> None:
    made = drafted(Brief("complaint", "", ("German", "English"), support=4, sources=4, days=2))
    assert made.rule.lstrip("- ") == "Answer in the language in which you were asked."
    assert made.rationale == "4 people in 2 days complained about the language of answers."
    other = drafted(Brief("complaint", "", ("German books",), support=4, sources=4, days=2))
    assert other.template == "complaint.other"


def test_a_lone_word_that_is_no_noun_is_told_of_what() -> None:
    brief = Brief("complaint", "", ("“charged”",), asides=("“restaurant”", "the transaction"), reason_code="other")
    assert "For requests about the transaction that mention “charged”, say" in drafted(brief).rule


def test_what_can_be_looked_up_is_named_though_it_stands_beside() -> None:
    made = drafted(Brief("complaint", "", ("the gift card",), ("gift card", "balance"), reason_code="wrong"))
    assert made.rule.lstrip("- ") == "For the gift card, check which balance applies before you answer."


def test_words_nearby_help_to_find_the_section_and_are_not_written() -> None:
    made = drafted(Brief("complaint", "", ("the ferry",), ("parcel", "express"), reason_code="incomplete"))
    assert made.section == "Shipping"
    assert "parcel" not in made.rule + made.title + made.rationale


def test_a_correction_does_not_name_what_it_corrects_as_its_topic() -> None:
    brief = Brief("correction", "", ("the pytest", "14 days", "vouchers"), (), ("unittest 30 days", "pytest 14 days"))
    assert drafted(brief).rule.endswith("For vouchers, say “pytest 14 days”, not “unittest 30 days”.")


def test_one_report_from_each_person_is_not_counted_twice() -> None:
    made = drafted(Brief("complaint", "", ("vouchers",), support=5, sources=5, days=3))
    assert made.rationale == ("5 people in 3 days complained about vouchers.")


def test_a_mislabel_names_both_labels() -> None:
    made = drafted(
        Brief(
            "mislabel",
            "",
            ("the invoice",),
            predicted="billing",
            expected="refund_request",
            sources=7,
            support=9,
            days=4,
        )
    )
    assert made.rule == (
        "- When both could fit, as in messages about the invoice, use “refund_request” rather than “billing”."
    )
    assert made.title == "Use “refund_request” rather than “billing” in doubt"
    assert made.rationale == ("7 people in 4 days expected “refund_request” where “billing” was given (9 reports).")


@pytest.mark.parametrize("code", [*sentences.COMPLAINTS, "unheard_of", ""])
def test_every_reason_has_a_template_that_passes_the_checks(code: str) -> None:
    made = drafted(
        Brief("complaint", "", ("parcel tracking", "voucher"), reason_code=code, support=5, sources=4, days=2)
    )
    _assert_clean(made)


@pytest.mark.parametrize("name", sentences.ERRORS)
def test_every_error_class_has_a_template_that_passes_the_checks(name: str) -> None:
    _assert_clean(drafted(Brief("error", error_class=name, support=5, sources=4, days=2)))


@pytest.mark.parametrize("name", ["other", "unheard_of", ""])
def test_errors_of_no_known_kind_make_a_rule_of_their_tool_or_none(name: str) -> None:
    assert "no kind that a rule is known to help with" in declined(Brief("error", error_class=name))
    made = drafted(Brief("error", error_class=name, tool="order_lookup", support=5, sources=4, days=2))
    assert made.title == "Say so when order_lookup fails"
    assert made.rule.startswith("3. When order_lookup fails, say that it failed")


def _said(*texts: str) -> list[frozenset[str]]:
    return [frozenset(stems(text)) for text in texts]


def test_a_topic_that_others_speak_of_as_well_is_narrowed_by_a_second_one() -> None:
    own = _said("when will my card arrive", "my card did not arrive", "the card has not arrived")
    others = _said("card blocked", "lost my card", "card fee", "a second card", "the app is slow")
    of = Brief("complaint", "", ("the card",), asides=("“arrive”",), own=own, others=others)
    made = drafted(of)
    assert made.title == "Say what can be done about the card (“arrive”)"
    assert made.rule.startswith("- For requests about the card that mention “arrive”, say plainly")
    assert drafted(replace(of, asides=("fee", "the arrival"))).topics == ("the card", "the arrival")
    assert declined(replace(of, asides=())) == (
        "the reports share only “card”, which more reports about other things speak of than about this"
    )
    assert drafted(replace(of, asides=(), reason_code="too_long")).rule.startswith("- Give the answer first")


def test_one_word_that_names_nothing_makes_no_rule() -> None:
    assert declined(Brief("correction", "", ("“suggest”",))) == (
        "the reports share only “suggest”, which does not say what a rule would be about"
    )


def test_a_phrase_that_names_something_is_enough() -> None:
    made = drafted(Brief("complaint", "", ("generated files", "the edit"), reason_code="wrong", sources=4, support=4))
    assert made.rule.startswith("- For generated files, look up")
    assert made.rationale == "4 people in 1 day found answers about generated files wrong."


def test_one_thing_is_what_requests_are_about() -> None:
    made = drafted(Brief("complaint", "", ("the traffic",)))
    assert made.rule.startswith("- For requests about the traffic, say plainly")
    assert drafted(Brief("correction", "", ("the visa",))).rule.startswith("- For requests about the visa, check")
    greeting = drafted(Brief("complaint", "", ("the greeting",), reason_code="style"))
    assert (greeting.title, greeting.rule[:44]) == (
        "Use plain words for the greeting",
        "- For the greeting, use plain, friendly word",
    )


def test_what_is_quoted_stands_apart_in_a_title() -> None:
    made = drafted(Brief("complaint", "", ("the timer", "“set”"), sources=4, days=2, support=4))
    assert made.title == "Say what can be done about the timer (“set”)"
    assert made.rule.startswith("- For requests about the timer that mention “set”, say")
    assert made.rationale == "4 people in 2 days complained about the timer (“set”)."


def _assert_clean(made: Draft) -> None:
    results = run(SUPPORT, made.text, Context(author="drafter", protected=("Safety",)))
    assert {r.name: r.verdict for r in results if r.verdict not in ("pass", "skipped")} == {}
    assert len(made.title) <= 80
    assert made.rationale.endswith(".")


def test_praise_is_notdrafted() -> None:
    assert declined(Brief("success", "", ("parcel",))) == "praise informs, it is not drafted"


def test_settings_and_tools_are_not_edited() -> None:
    assert declined(WINDOW, DocumentText("settings", "config", "{}")) == "the agent has no prompt to change"


@given(BRIEFS, DOCUMENTS)
@settings(max_examples=MANY, deadline=None)
def test_a_draft_is_one_small_edit_outside_protected_sections_and_code(brief: Brief, document: DocumentText) -> None:
    made = draft(brief, [document])
    if isinstance(made, Declined):
        return
    assert protected_changed(document.text, made.text, document.protected) == []
    added = [row for row in diffs.compute(document.text, made.text).rows if row.kind == "add"]
    assert sum(bool(row.text.strip()) for row in added) <= 3
    lines = lines_of(made.text)
    place = next(n for n, line in enumerate(lines) if made.rule in line)
    assert not fenced(lines)[place]


@given(BRIEFS, DOCUMENTS)
@settings(max_examples=MANY, deadline=None)
def test_what_was_applied_is_not_drafted_again(brief: Brief, document: DocumentText) -> None:
    made = draft(brief, [document])
    if isinstance(made, Draft):
        after = DocumentText(document.slug, "prompt", made.text, document.protected)
        assert draft(brief, [after]) == Declined("the document already says so")
