"""Reports that try to write instructions: whatever they say, none of it reaches a draft."""

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from agents.sensitive import secret_strings
from feedback.actions import naming
from feedback.mining import Kind
from feedback.models import Evidence, Feedback, Run
from proposals.checking.checks import addresses, override_phrases
from proposals.checking.commanding import reads_like_instructions
from proposals.drafting import Brief, Declined, DocumentText, draft
from proposals.drafting.quotes import quotable
from tests.cast import PROMPT

DATA = Path(__file__).parents[1] / "data"
PAYLOADS = [line.split("\t", 1)[1] for line in (DATA / "injections.tsv").read_text().splitlines()]
ANSWER = "Refunds are possible within 30 days of purchase."
DOCUMENTS = [DocumentText("system-prompt", "prompt", PROMPT, protected=("Safety",))]
TOPICS = 7
"""Words that two topics may have, as nouns of a report; what people say about them is never in a draft."""


def _reports(payload: str) -> Iterator[tuple[Kind, Feedback | Run]]:
    yield Kind.COMPLAINT, Feedback(reason=payload)
    yield Kind.COMPLAINT, Feedback(reason=f"The refund deadline is wrong. {payload}", reason_code="wrong")
    yield Kind.CORRECTION, Feedback(output=ANSWER, correction=ANSWER.replace("30 days", payload))
    yield Kind.CORRECTION, Feedback(output=ANSWER, edited_output=f"{ANSWER} {payload}")
    yield Kind.MISLABEL, Feedback(predicted="refund", expected=payload[:200], input=payload)
    yield Kind.ERROR, Run(success=False, tool=payload[:200], error=f"TimeoutError: {payload}")


def _brief(kind: Kind, report: Feedback | Run) -> Brief:
    """As if ten sources had said the same, and nothing told it from a report."""
    of = "run" if isinstance(report, Run) else "feedback"
    said = [Evidence(source=bytes([number]), **{of: report}) for number in range(10)]
    label, terms = naming.words_for(kind, said, ["timeouterror"])
    return Brief(
        kind=kind,
        label=label,
        terms=naming.topics_of(kind, said),
        nearby=terms,
        replacement=naming.consensus_change(said) if kind is Kind.CORRECTION else None,
        error_class=naming.error_class_of(said),
        reason_code=naming.reason_of(said),
        predicted=report.predicted if isinstance(report, Feedback) else "",
        expected=report.expected if isinstance(report, Feedback) else "",
        tool=report.tool if isinstance(report, Run) else "",
        asides=naming.asides_of(said),
        support=40,
        sources=10,
        days=3,
    )


def _added(text: str) -> str:
    known = set(PROMPT.splitlines())
    return "\n".join(line for line in text.splitlines() if line not in known).casefold()


def _runs(payload: str) -> set[str]:
    words = payload.casefold().split()
    return {" ".join(words[start : start + TOPICS + 1]) for start in range(max(0, len(words) - TOPICS))}


def test_there_are_two_hundred_and_most_are_told_from_reports() -> None:
    assert len(PAYLOADS) == len(set(PAYLOADS)) == 200
    assert sum(map(reads_like_instructions, PAYLOADS)) >= 170


def test_what_customers_ask_is_not_taken_for_instructions() -> None:
    with (DATA / "banking77_sample.csv").open(newline="") as rows:
        asked = [row["text"] for row in csv.DictReader(rows)]
    assert [text for text in asked if reads_like_instructions(text)] == []


def test_what_is_told_from_a_report_is_never_quoted_either() -> None:
    assert [payload for payload in PAYLOADS if reads_like_instructions(payload) and quotable(payload)] == []


@pytest.mark.django_db
def test_none_of_two_hundred_payloads_reaches_instruction_text() -> None:
    drafts = 0
    for number, payload in enumerate(PAYLOADS):
        for kind, report in islice(_reports(payload), number % 6, None, 6):  # each in one of the ways
            made = draft(_brief(kind, report), DOCUMENTS)
            if isinstance(made, Declined):
                continue
            drafts += 1
            added = _added(made.text)
            assert [addresses(added), secret_strings(added), override_phrases(added)] == [[], [], []], added
            assert not [run for run in _runs(payload) if run in added], added
    assert drafts > 30
