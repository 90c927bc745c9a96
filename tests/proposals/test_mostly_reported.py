"""Whose keys reported most of what still counts does not decide: counted anew whenever that changes."""

import pytest

from agents.keys import create
from agents.models import Agent, ApiKey, Document
from audit.record import SYSTEM, Actor
from feedback.actions.exclusion import exclude as exclude_run
from feedback.actions.withdraw import withdraw_feedback
from feedback.models import Feedback
from people.models import User
from proposals.actions.evidence import exclude, include
from proposals.actions.proposals import submit
from proposals.authority import policies
from proposals.models import Proposal, ProposalEvidence
from tests.cast import PROMPT, failure, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def reported(support: Agent, prompt: Document, mara: User, jonas: User) -> Proposal:
    """An agent's proposal on ten reports, four of them by Mara's key."""
    key, _ = create(support, [ApiKey.Scope.INGEST], owner=mara, actor=SYSTEM)
    agent, _ = create(support, [ApiKey.Scope.PROPOSE], owner=jonas, actor=SYSTEM)
    items = [report(support, f"s{n}", reason="x", key=key if n < 4 else None) for n in range(10)]
    text = PROMPT.replace("30 days", "14 days")
    return submit(document=prompt, base_number=1, text=text, title="14", rationale="x", key=agent, evidence=items)


def may_decide(user: User, proposal: Proposal) -> bool:
    return policies.may_decide(user, Proposal.objects.get(pk=proposal.pk)).allowed


def others(proposal: Proposal) -> list[ProposalEvidence]:
    return list(proposal.evidence.filter(feedback__key=None).order_by("pk"))


def test_excluding_the_others_leaves_only_ones_own(reported: Proposal, mara: User) -> None:
    assert may_decide(mara, reported)
    excluded = others(reported)[0]
    exclude(excluded, user=mara, reason="noise")
    assert not may_decide(mara, reported)
    include(excluded, user=mara)
    assert may_decide(mara, reported)


def test_what_is_withdrawn_or_excluded_counts_for_nobody(reported: Proposal, mara: User) -> None:
    withdrawn = Feedback.objects.filter(key=None).earliest("pk")
    withdraw_feedback(withdrawn.pk, actor=Actor.person(mara))
    assert not may_decide(mara, reported)
    exclude(reported.evidence.exclude(feedback__key=None).order_by("pk")[0], user=mara, reason="mine")
    assert may_decide(mara, reported), "three of nine"


def test_runs_are_counted_too_and_what_is_decided_stays(support: Agent, reported: Proposal, mara: User) -> None:
    run = failure(support, "unit 1", "429 Too Many Requests")
    ProposalEvidence.objects.create(proposal=reported, run=run)
    exclude(others(reported)[0], user=mara, reason="noise")
    assert may_decide(mara, reported), "four of ten"
    exclude_run(run, user=mara, reason="noise")
    assert not may_decide(mara, reported)
