"""When two drafts ask for the same, and when they only look alike."""

import pytest
from hypothesis import given, settings

from proposals.drafting import Brief, DocumentText, Draft, draft, fingerprint, is_same
from proposals.drafting.duplicates import MAX_FINGERPRINT
from tests.drafts import BRIEFS, DOCUMENTS, MANY, WINDOW, drafted


def _mark(brief: Brief, *documents: DocumentText) -> str:
    return fingerprint(drafted(brief, *documents))


def _check(*topics: str, code: str = "wrong") -> Brief:
    return Brief("complaint", "", topics, reason_code=code)


def test_the_same_brief_gives_the_same_draft_and_fingerprint() -> None:
    assert drafted(WINDOW) == drafted(WINDOW)
    assert _mark(WINDOW) == _mark(WINDOW)


def test_a_fingerprint_does_not_depend_on_the_place_but_on_the_rule() -> None:
    brief = Brief("error", error_class="timeout")
    elsewhere = DocumentText("system-prompt", "prompt", "# Notes\n\n## Tools\n* One.\n")
    assert is_same(_mark(brief), _mark(brief, elsewhere))
    assert not is_same(_mark(brief), _mark(Brief("error", error_class="auth")))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_check("islands", "the ferry"), _check("the ferry", "islands")),
        (_check("the island"), _check("islands")),
        (_check("islands"), _check("islands", "the ferry")),
        (_check("islands", "the delivery date"), _check("islands", "delivery dates", code="outdated")),
        (_check("islands"), Brief("correction", "", ("the islands",))),
        (WINDOW, Brief("correction", "", ("digital courses",), (), ("30 days", "14 days"))),
    ],
    ids=["order", "inflection", "a part of the topics", "another template", "another kind", "another reason"],
)
def test_nearly_the_same_rule_is_the_same(one: Brief, other: Brief) -> None:
    assert is_same(_mark(one), _mark(other))
    assert is_same(_mark(other), _mark(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_check("islands"), _check("the ferry")),
        (_check("islands"), _check("islands", code="too_long")),
        (_check("islands", code="too_long"), Brief("complaint", reason_code="too_long")),
        (
            Brief("mislabel", predicted="billing", expected="refund"),
            Brief("mislabel", predicted="refund", expected="billing"),
        ),
        (
            Brief("correction", "", ("vouchers",), (), ("9 weeks", "8 weeks")),
            Brief("correction", "", ("vouchers",), (), ("8 weeks", "9 weeks")),
        ),
    ],
    ids=["another topic", "another reason", "with and without a topic", "labels turned round", "words turned round"],
)
def test_a_rule_that_asks_for_something_else_is_another(one: Brief, other: Brief) -> None:
    assert not is_same(_mark(one), _mark(other))


@given(BRIEFS, DOCUMENTS)
@settings(max_examples=MANY, deadline=None)
def test_a_fingerprint_fits_its_column_and_is_the_same_as_itself(brief: Brief, document: DocumentText) -> None:
    made = draft(brief, [document])
    if isinstance(made, Draft):
        assert len(fingerprint(made)) <= MAX_FINGERPRINT
        assert is_same(fingerprint(made), fingerprint(made))
