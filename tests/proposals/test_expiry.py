"""Machine drafts that nobody took up make way; what a person wanted never does."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEntry
from feedback.actions.mining import mine
from feedback.models import Feedback, Pattern
from people.models import User
from proposals.actions.assignments import assign
from proposals.actions.comments import Spot, open_thread
from proposals.actions.drafting import draft
from proposals.actions.expiry import expire_stale, stale_drafts
from proposals.actions.proposals import amend
from proposals.models import Assignment, Proposal, Thread
from proposals.tasks import expire_stale as tick
from tests.cast import digest_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def drafted(complaints: list[Feedback]) -> Proposal:
    """A machine draft whose pattern was last reported forty days ago."""
    mine(complaints[0].agent)
    made = draft(Pattern.objects.shown().get().pk)
    assert isinstance(made, Proposal), made
    age(made, timezone.now() - timedelta(days=40))
    return made


def age(proposal: Proposal, at: datetime) -> None:
    Proposal.objects.filter(pk=proposal.pk).update(created_at=at)
    Pattern.objects.filter(proposals=proposal).update(last_seen=at)


def status(proposal: Proposal) -> str:
    return Proposal.objects.values_list("status", flat=True).get(pk=proposal.pk)


def test_a_silent_draft_expires_once_and_its_pattern_is_open_again(drafted: Proposal) -> None:
    tick()
    assert status(drafted) == Proposal.Status.EXPIRED
    assert Pattern.objects.get(proposals=drafted).status == Pattern.Status.OPEN
    assert expire_stale() == 0
    entry = AuditEntry.objects.get(verb="proposal.expired")
    assert entry.actor_label == "Countersign"
    assert entry.fact["after"] == {"status": "expired", "days": 30}


def test_nothing_is_drafted_again_before_there_is_new_evidence(drafted: Proposal) -> None:
    expire_stale()
    assert draft(drafted.pattern_id or 0) == f"Proposal {drafted.pk} was expired; 0 of 3 new sources since."


def test_a_new_report_keeps_a_draft(drafted: Proposal) -> None:
    Pattern.objects.filter(proposals=drafted).update(last_seen=timezone.now())
    assert expire_stale() == 0
    assert status(drafted) == Proposal.Status.PENDING


def test_a_new_assignment_keeps_a_draft_until_it_is_old_too(drafted: Proposal, mara: User) -> None:
    assign(drafted.pk, user=mara, to=mara)
    assert expire_stale() == 0
    Assignment.objects.update(at=timezone.now() - timedelta(days=31))
    assert expire_stale() == 1


def test_a_new_comment_keeps_a_draft_too(drafted: Proposal, mara: User) -> None:
    open_thread(drafted.pk, user=mara, spot=Spot(1, Thread.Side.NEW, 1, 1), text="Is this so?")
    assert expire_stale() == 0
    later = timezone.now() + timedelta(days=20)
    assert not stale_drafts(later - timedelta(days=30)).exists()
    assert stale_drafts(later + timedelta(days=11) - timedelta(days=30)).contains(drafted)


def test_what_a_person_amended_asked_for_or_wrote_never_expires(
    drafted: Proposal, pending: Proposal, mara: User
) -> None:
    age(pending, timezone.now() - timedelta(days=400))
    Proposal.objects.filter(pk=drafted.pk).update(requested_by=mara)
    assert expire_stale() == 0
    Proposal.objects.filter(pk=drafted.pk).update(requested_by=None)
    amend(drafted.pk, user=mara, text="# Another text\n", note="", digest=digest_of(drafted))
    assert expire_stale() == 0


@pytest.mark.parametrize("days", [0, 41])
def test_the_setting_says_when_and_zero_never(drafted: Proposal, settings: Settings, days: int) -> None:
    settings.COUNTERSIGN_EXPIRE_AFTER_DAYS = days
    assert expire_stale() == 0
