"""How long things are kept: a preview first, then at night, without touching what counts and what is decided on."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents.models import Agent
from audit.models import AuditEntry
from feedback.actions.mining import mine
from feedback.models import Feedback, Pattern
from people.models import User
from proposals.actions.decisions import reject
from proposals.actions.drafting import draft_all_due
from proposals.exceptions import Invalid, NotAllowed
from proposals.models import Proposal
from reviewapp import retention
from reviewapp.models import Retention
from tests.cast import COMPLAINTS, digest_of, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def old(support: Agent) -> list[Feedback]:
    """Four complaints of a hundred days ago, and one of today."""
    then = timezone.now() - timedelta(days=100)
    found = [report(support, f"user {n}", reason=text, at=then, metadata={"a": 1}) for n, text in enumerate(COMPLAINTS)]
    found.append(report(support, "user 9", reason="It was rude."))
    mine(support)
    return found


def test_a_preview_says_how_much_would_go_and_takes_nothing(client: Client, old: list[Feedback], ada: User) -> None:
    client.force_login(ada)
    page = client.get(reverse("retention"), {"kind": "feedback", "days": "30"}).text
    assert "<b>4 rows</b> of “Words of feedback” would go" in page
    assert Feedback.objects.exclude(reason="").count() == 5
    assert (
        "Nothing of “Words of feedback” is that old."
        in client.get(reverse("retention"), {"kind": "feedback", "days": "200"}).text
    )


def test_words_go_at_night_and_counts_stay(client: Client, old: list[Feedback], ada: User) -> None:
    client.force_login(ada)
    assert client.post(reverse("retention"), {"kind": "feedback", "days": "30"}).status_code == 303
    before = Pattern.objects.values_list("support", "sources").get(kind="complaint", sources__gt=1)
    assert retention.apply_all() == {"feedback": 4}
    gone = Feedback.objects.get(pk=old[0].pk)
    assert (gone.reason, gone.metadata, gone.rating, bytes(gone.source)) == ("", None, "negative", old[0].source)
    assert gone.erased_at is not None
    assert Pattern.objects.values_list("support", "sources").get(kind="complaint", sources__gt=1) == before
    assert AuditEntry.objects.get(verb="retention.applied").fact["after"]["rows"] == 4
    assert retention.apply_all() == {"feedback": 0}
    assert AuditEntry.objects.filter(verb="retention.applied").count() == 1


def test_what_an_open_proposal_stands_on_is_kept_until_it_is_decided(
    support: Agent, prompt: object, old: list[Feedback], ada: User, mara: User
) -> None:
    assert draft_all_due() == 1
    retention.set_time("feedback", 30, user=ada)
    assert retention.apply_all() == {"feedback": 0}
    made = Proposal.objects.get()
    reject(made.pk, user=mara, digest=digest_of(made), reason="other", note="No.")
    assert retention.apply_all() == {"feedback": 4}
    assert made.footing.backing.reports == 4


def test_nothing_goes_unless_an_admin_says_so(old: list[Feedback], mara: User, ada: User) -> None:
    with pytest.raises(NotAllowed):
        retention.set_time("feedback", 30, user=mara)
    with pytest.raises(Invalid):
        retention.set_time("feedback", 1, user=ada)
    assert retention.apply_all() == {}
    retention.set_time("feedback", 30, user=ada)
    retention.set_time("feedback", None, user=ada)
    assert (retention.apply_all(), str(Retention.objects.get())) == ({}, "Words of feedback: for good")


@pytest.mark.parametrize("kind", retention.WAYS)
def test_every_kind_can_be_looked_at_and_taken(kind: str, ada: User) -> None:
    assert retention.preview(kind, 30).rows == 0
    retention.set_time(kind, 30, user=ada)
    assert retention.apply_all() == {kind: 0}
