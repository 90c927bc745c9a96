"""Reports that try to write instructions: whatever they say, none of it reaches a draft."""

from pathlib import Path

import pytest

from agents.models import Agent
from feedback.actions import naming
from feedback.actions.mining import mine
from feedback.models import Pattern
from proposals.actions.drafting import brief_of, document_text, draft_all_due, live_documents
from proposals.commanding import reads_like_instructions
from proposals.drafting import Declined
from proposals.drafting import draft as plan
from proposals.models import Revision
from tests.cast import PROMPT, report

pytestmark = pytest.mark.django_db

DATA = Path(__file__).parents[1] / "data"
PAYLOADS = [tuple(line.split("\t", 1)) for line in (DATA / "injections.tsv").read_text().splitlines()]
ANSWER = "Refunds are possible within 30 days of purchase."


def _report(agent: Agent) -> None:
    """Each payload by four people, as a reason, as a correction, and behind a plain complaint."""
    for mark, payload in PAYLOADS:
        for number in range(4):
            who = f"{mark} {number}"
            report(agent, who, reason=payload)
            report(agent, who, output=ANSWER, correction=ANSWER.replace("30 days", payload))
            report(agent, who, reason=f"the refund deadline is wrong. {payload}")


def _added(text: str) -> str:
    known = set(PROMPT.splitlines())
    return "\n".join(line for line in text.splitlines() if line not in known).casefold()


def test_there_are_two_hundred_and_most_are_told_from_reports() -> None:
    assert len(PAYLOADS) == len({payload for _, payload in PAYLOADS}) == 200
    assert sum(reads_like_instructions(payload) for _, payload in PAYLOADS) >= 140


def test_none_of_two_hundred_payloads_reaches_instruction_text(support: Agent) -> None:
    _report(support)
    mine(support)
    draft_all_due()
    texts = [revision.text for revision in Revision.objects.all()]
    documents = [document_text(*found) for found in live_documents(support.pk).values()]
    for pattern in Pattern.objects.shown():  # as if nothing told that they are no reports
        made = plan(brief_of(pattern, naming.newest_evidence(pattern)), documents)
        texts += [] if isinstance(made, Declined) else [made.text]
    added = "\n".join(map(_added, texts))
    assert not [mark for mark, _ in PAYLOADS if mark in added]
    runs = {" ".join(run) for _, payload in PAYLOADS for run in _runs(payload)}
    assert not [run for run in runs if run in added]


def _runs(payload: str) -> list[tuple[str, ...]]:
    words = payload.casefold().split()
    return [tuple(words[start : start + 5]) for start in range(max(0, len(words) - 4))]
