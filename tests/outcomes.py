"""Runs and reports around a change, on a clock that the test moves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from django.db.models import F
from django.utils import timezone

from agents.models import Agent, Document
from feedback.actions.rollups import count_runs
from feedback.models import Evidence, Feedback, Pattern, PatternDay, Run
from people.models import User
from proposals.actions import outcomes
from proposals.actions.decisions import approve
from proposals.actions.proposals import submit
from proposals.models import Outcome, Proposal
from reviewapp.sample import clock
from tests.cast import digest_of, report, source

NOON = datetime(2026, 3, 10, 12, 20, tzinfo=UTC)
"""When the change of these tests becomes current: neither at the beginning of a day nor of an hour."""


@pytest.fixture
def time(db: None) -> Iterator[clock.Clock]:
    with clock.running(NOON) as running:
        yield running


@pytest.fixture
def refunds(support: Agent) -> Pattern:
    return a_pattern(support, "Refund deadline")


@pytest.fixture
def changed(time: clock.Clock, prompt: Document, refunds: Pattern, aiko: User, mara: User) -> Proposal:
    """A change that answers the pattern, after 1,000 runs and 40 reports; approved by Mara just now."""
    ran(prompt.agent, 1000, NOON - timedelta(days=3))
    said(refunds, 40, NOON - timedelta(days=3))
    return answered(prompt, refunds, aiko, mara)


@pytest.fixture
def fell(time: clock.Clock, changed: Proposal, refunds: Pattern) -> Proposal:
    ran(refunds.agent, 1000, after(days=1))
    said(Pattern.objects.create(agent=refunds.agent, kind="error", status="open", label="Late"), 60, after(days=1))
    move(time, days=7)
    told(changed)
    return changed


def a_pattern(agent: Agent, label: str, kind: str = "complaint") -> Pattern:
    return Pattern.objects.create(agent=agent, kind=kind, status="open", label=label, sources=3, support=3)


def answered(prompt: Document, pattern: Pattern, author: User, approver: User) -> Proposal:
    """A change for the pattern, approved."""
    document = Document.objects.select_related("agent", "current").get(pk=prompt.pk)
    assert document.current
    made = submit(
        document=document,
        base_number=document.current.number,
        text=f"{document.current.text}- Rule {document.current.number}.\n",
        title="Say the deadline",
        rationale="People are told the wrong one.",
        user=author,
        pattern_id=pattern.pk,
    )
    approve(made.pk, user=approver, digest=digest_of(made))
    return Proposal.objects.get(pk=made.pk)


def ran(agent: Agent, count: int, at: datetime) -> None:
    """So many runs, the first at this moment, a second apart."""
    first = Run.objects.count()
    Run.objects.bulk_create(
        Run(
            agent=agent,
            external_id=f"run{number}",
            digest=sha256(str(number).encode()).digest(),
            source=source(f"unit {number % 50}"),
            at=at + timedelta(seconds=number - first),
            success=True,
        )
        for number in range(first, first + count)
    )


def said(pattern: Pattern, count: int, at: datetime) -> None:
    """So many reports of the pattern, by different people, a second apart."""
    for number in range(count):
        who, then = f"{at:%d%H%M} {number}", at + timedelta(seconds=number)
        item = report(pattern.agent, who, at=then, mined_at=then)
        Evidence.objects.create(pattern=pattern, feedback=item, source=source(who), at=then)
        PatternDay.objects.get_or_create(pattern=pattern, day=then.date(), defaults={"items": 0})
        PatternDay.objects.filter(pattern=pattern, day=then.date()).update(items=F("items") + 1)


def praised(agent: Agent, count: int, at: datetime) -> None:
    for number in range(count):
        report(agent, f"fan {number}", at=at, mined_at=at, rating=Feedback.Rating.POSITIVE)


def told(proposal: Proposal) -> Outcome:
    """What is said of it by now."""
    count_runs()
    outcomes.tell_all()
    return Outcome.objects.get(proposal=proposal)


def after(**passed: int) -> datetime:
    """A moment so long after the change, which the clock has reached or will."""
    return NOON + timedelta(**passed)


def move(time: clock.Clock, **passed: int) -> None:
    time.move_to(after(**passed))
    assert timezone.now() == time.now
