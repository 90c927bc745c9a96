"""How long things are kept: a preview first, then at night, without touching what counts and what is decided on."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents.keys import Probation, create
from agents.models import Agent, Document, Split
from audit.models import AuditEntry
from audit.record import SYSTEM
from audit.wording import in_words
from feedback.actions.mining import mine
from feedback.actions.rollups import count_runs
from feedback.actions.withdraw import withdraw_feedback
from feedback.models import Feedback, Pattern, RecountDue, Run, TallyDay, TallyHour
from people.models import User
from proposals.actions.attention import look
from proposals.actions.decisions import reject
from proposals.actions.drafting import draft_all_due
from proposals.actions.steering import stop
from proposals.exceptions import Invalid, NotAllowed
from proposals.models import EvidenceOpened, Proposal, ProposalSeen
from reviewapp import retention
from reviewapp.models import Retention
from tests.cast import COMPLAINTS, digest_of, failure, propose, report, source
from tests.rollouts import canary

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
    assert retention.preview(kind, 90).rows == 0
    retention.set_time(kind, 90, user=ada)
    assert retention.apply_all() == {kind: 0}


def ran(agent: Agent, name: str, days: float, **fields: object) -> Run:
    """One stored run of so many days ago."""
    row = {"external_id": name, "digest": b"", "source": source("x"), "success": True, "version": 1}
    return Run.objects.create(agent=agent, at=timezone.now() - timedelta(days=days), **(row | fields))


def whole_days(agent: Agent) -> dict[object, tuple[int, int]]:
    days = TallyDay.objects.filter(agent=agent, kind="all")
    return {day.at: (day.runs, day.reports) for day in days}


def test_single_runs_go_and_what_was_counted_of_them_stays(support: Agent, ada: User) -> None:
    for number in range(3):
        ran(support, f"old {number}", 100)
    ran(support, "new", 1)
    count_runs()
    before = whole_days(support)
    retention.set_time("single", 90, user=ada)
    assert retention.apply_all() == {"single": 3}
    assert [run.external_id for run in Run.objects.all()] == ["new"]
    ran(support, "late", 100)
    report(support, "user 1", reason="It was rude.", at=timezone.now() - timedelta(days=100))
    count_runs()
    assert whole_days(support) == before
    assert not RecountDue.objects.exists()
    ran(support, "not so late", 30)
    count_runs()
    assert sum(runs for runs, _ in whole_days(support).values()) == 5


def test_runs_that_something_rests_on_are_kept(
    support: Agent, prompt: Document, ada: User, mara: User, aiko: User
) -> None:
    ran(support, "named", 100)
    report(support, "user 1", reason="It was rude.", run_id="named", at=timezone.now() - timedelta(days=100))
    for number in range(3):
        failure(support, f"user {number}", "Lookup timed out after 5 s", at=timezone.now() - timedelta(days=100))
    mine(support)
    failure(support, "user 4", "Not looked at yet", at=timezone.now() - timedelta(days=100))
    for number in range(22):
        ran(support, f"call {number}", 100 - number / 100, tool="order_lookup")
    key, _ = create(support, ["ingest"], owner=ada, actor=SYSTEM, probation=Probation(3, 1))
    ran(support, "on probation", 100, key=key)
    retention.set_time("single", 60, user=ada)
    assert retention.apply_all() == {"single": 2}
    assert not Run.objects.filter(external_id__in=["call 0", "call 1"]).exists()
    assert Run.objects.count() == 1 + 3 + 1 + 20 + 1


def test_what_a_rollout_under_way_is_measured_by_is_kept(
    support: Agent, prompt: Document, ada: User, mara: User, aiko: User
) -> None:
    rollout = canary(prompt, aiko, mara)
    Split.objects.update(started_at=timezone.now() - timedelta(days=100))
    ran(support, "of it", 99, unit_hash=b"unit")
    ran(support, "before it", 110)
    ran(support, "long before it", 120)
    count_runs()
    for kind in ("single", "hours", "runs"):
        retention.set_time(kind, 60, user=ada)
    assert retention.apply_all() == {"hours": 4, "runs": 0, "single": 1}  # whole, by version, by task, by tool
    assert {run.external_id for run in Run.objects.all()} == {"of it", "before it"}
    stop(rollout.pk, user=mara, reason="Enough.")
    assert retention.apply_all()["single"] == 2


def test_hours_go_by_whole_days_and_days_stay(support: Agent, ada: User) -> None:
    old = report(support, "user 1", reason="It was rude.", at=timezone.now() - timedelta(days=100))
    ran(support, "old", 100)
    ran(support, "new", 1)
    count_runs()
    before = whole_days(support)
    retention.set_time("hours", 60, user=ada)
    assert retention.apply_all()["hours"] > 0
    assert {hour.at.date() for hour in TallyHour.objects.all()} == {Run.objects.get(external_id="new").at.date()}
    withdraw_feedback(old.pk, actor=SYSTEM)
    count_runs()
    assert whole_days(support) == before


def test_counts_are_kept_for_as_long_as_pages_look_back(client: Client, ada: User) -> None:
    client.force_login(ada)
    refused = client.post(reverse("retention"), {"kind": "hours", "days": "59"})
    assert (refused.status_code, "Give 60 to 3650 days" in refused.text) == (422, True)
    looked = client.get(reverse("retention"), {"kind": "single", "days": "59"})
    assert "Give 60 to 3650 days" in looked.text


def test_the_log_says_it_in_words(old: list[Feedback], ada: User) -> None:
    retention.set_time("feedback", 30, user=ada)
    retention.apply_all()
    entries = AuditEntry.objects.filter(verb__startswith="retention.").order_by("pk")
    assert [in_words(entry).details for entry in entries] == [
        ("which was for good",),
        ("4 rows older than 30 days",),
    ]


def test_what_is_gone_is_on_the_log_also_when_the_next_batch_failed(
    old: list[Feedback], ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    retention.set_time("feedback", 30, user=ada)
    monkeypatch.setattr(retention, "BATCH", 2)
    way = retention.WAYS["feedback"]

    def take(keys: list[int]) -> None:
        if Feedback.objects.filter(erased_at__isnull=False).exists():
            raise TimeoutError
        way.take(keys)

    monkeypatch.setitem(retention.WAYS, "feedback", replace(way, take=take))
    with pytest.raises(TimeoutError):
        retention.apply_all()
    assert Feedback.objects.filter(erased_at__isnull=False).count() == 2
    assert AuditEntry.objects.get(verb="retention.applied").fact["after"]["rows"] == 2


def test_marks_of_reading_go_once_decided_with_when_the_evidence_was_opened(
    prompt: Document, aiko: User, mara: User, ada: User
) -> None:
    decided, waiting = propose(prompt, aiko), propose(prompt, aiko, "card numbers", "numbers of cards")
    long_ago = timezone.now() - timedelta(days=100)
    for one in (decided, waiting):
        look([Proposal.objects.get(pk=one.pk)], user=mara)
        EvidenceOpened.objects.create(user=mara, proposal=one, at=long_ago)
    reject(decided.pk, user=mara, digest=digest_of(decided), reason="other", note="No.")
    ProposalSeen.objects.update(at=long_ago)
    retention.set_time("seen", 90, user=ada)
    assert retention.apply_all() == {"seen": 1}
    assert [mark.proposal for mark in ProposalSeen.objects.all()] == [waiting]
    assert [mark.proposal for mark in EvidenceOpened.objects.all()] == [waiting]
