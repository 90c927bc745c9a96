"""The sample data tells its story through the real actions, and the board it leaves is sound."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from agents.models import Document, Release, Version
from audit.models import AuditEntry
from audit.verify import verify
from feedback.models import Feedback, Pattern, PatternDay, Run
from people.models import User
from proposals.models import Check, Decision, Proposal, Revision, Rollout
from proposals.queue import waiting_for
from reviewapp.sample import clock, plan, story, voices

pytestmark = pytest.mark.django_db

Status = Proposal.Status
NOW = datetime(2026, 5, 20, 15, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module", autouse=True)
def _told(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The story is told once for all tests here, in a transaction that is taken back at the end."""
    with django_db_blocker.unblock(), transaction.atomic():
        story.tell(NOW, lambda _: None)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # seals the entries as a commit would
        yield
        transaction.set_rollback(True)


def _pattern(theme: str, agent: str) -> set[str]:
    texts = voices.load(agent)[theme]["texts"]
    found = Pattern.objects.shown().filter(evidence__feedback__reason__in=texts)
    return set(found.values_list("label", flat=True))


def test_three_weeks_of_reports_are_there() -> None:
    assert Run.objects.count() == sum(plan.RUNS.values()) + sum(
        span.count for spans in plan.FAILURES.values() for span in spans
    )
    assert 600 <= Feedback.objects.count() <= 900
    assert Feedback.objects.values("user_hash").distinct().count() > 500
    first, last = Run.objects.earliest("at"), Run.objects.latest("at")
    assert last.at - first.at > timedelta(days=20)
    assert last.at < NOW


def test_every_kind_of_pattern_recurs() -> None:
    kinds = Pattern.objects.shown().values_list("kind", flat=True)
    assert {kind: list(kinds).count(kind) >= 2 for kind in Pattern.Kind.values} == dict.fromkeys(
        Pattern.Kind.values, True
    )


def test_the_queue_is_worth_opening_on_both_agents() -> None:
    waiting = Proposal.objects.filter(status=Status.PENDING)
    assert 5 <= waiting.count() <= 9
    assert set(waiting.values_list("document__agent__slug", flat=True)) == {"support", "coding"}
    assert set(waiting.values_list("origin", flat=True)) == {"drafter", "agent", "person"}
    assert {"complaint", "correction", "error", "mislabel"} <= set(
        waiting.exclude(pattern=None).values_list("pattern__kind", flat=True)
    )
    assert not any(proposal.is_stale for proposal in waiting.select_related("document"))
    assert len(waiting_for(User.objects.get(username="admin"))) >= 5


def test_one_waiting_proposal_was_amended_by_a_colleague_and_a_check_warns_of_another() -> None:
    waiting = Proposal.objects.filter(status=Status.PENDING)
    assert waiting.filter(origin="drafter", revision__author__username="jonas").exists()
    assert waiting.filter(revision__checks__verdict=Check.Verdict.WARN, origin="agent").exists()


def test_one_waiting_proposal_touches_a_protected_section_and_has_one_approval_of_two() -> None:
    proposal = Proposal.objects.get(status=Status.PENDING, origin="person")
    assert proposal.revision is not None
    assert proposal.revision.checks.get(name="protected").verdict == Check.Verdict.WARN
    assert proposal.revision.decisions.get().actor.username == "jonas"


def test_versions_were_approved_and_one_was_rolled_back() -> None:
    versions = {
        f"{document.agent.slug}/{document.slug}": document.versions.count()
        for document in Document.objects.select_related("agent")
    }
    assert versions == {"support/system-prompt": 7, "support/settings": 2, "coding/review-rules": 5}
    rolled_back = Version.objects.get(origin=Version.Origin.ROLLBACK)
    assert rolled_back.restores is not None
    assert rolled_back.text == rolled_back.restores.text
    assert Proposal.objects.get(status=Status.IN_EFFECT).published == rolled_back


def test_one_change_is_rolled_out_and_its_runs_are_compared() -> None:
    rollout = Rollout.objects.for_page().get()
    told = rollout.verdicts.latest("pk")
    assert (rollout.document.slug, told.candidate_runs > 10, told.current_runs > 30) == ("review-rules", True, True)
    candidate = Run.objects.filter(agent__slug="coding", version=rollout.candidate.number)
    assert candidate.count() >= told.candidate_runs
    if rollout.is_live:  # an identical candidate is taken back in one of a hundred
        assert rollout.asks == Rollout.Asks.UNCLEAR


def test_every_verdict_was_given_with_its_words() -> None:
    assert set(Decision.objects.values_list("verdict", flat=True)) == set(Decision.Verdict.values)
    assert not Decision.objects.exclude(verdict="approve").filter(note="").exists()
    assert not Decision.objects.filter(single_operator=True).exists()


def test_one_pattern_was_dismissed_and_some_are_open_without_a_proposal() -> None:
    assert Pattern.objects.get(status=Pattern.Status.DISMISSED).dismissed_reason
    assert Pattern.objects.filter(status=Pattern.Status.OPEN).exists()


def test_what_was_approved_is_reported_less_since() -> None:
    for proposal in Proposal.objects.filter(status=Status.APPROVED, pattern__isnull=False):
        assert proposal.decided_at
        days = PatternDay.objects.filter(pattern=proposal.pattern)
        before = sum(days.filter(day__lt=proposal.decided_at.date()).values_list("items", flat=True))
        after = sum(days.filter(day__gt=proposal.decided_at.date()).values_list("items", flat=True))
        assert before > 2 * after, proposal.title


def test_one_loud_person_is_no_pattern() -> None:
    assert _pattern("loud", "support") == set()


def test_hostile_text_is_stored_and_stands_in_no_instruction() -> None:
    texts = voices.load("support")["hostile"]["texts"]
    assert set(Feedback.objects.filter(reason__in=texts).values_list("reason", flat=True)) == set(texts)
    assert _pattern("hostile", "support") == set()
    for model in (Version, Revision):
        assert not model.objects.filter(text__icontains="approve refunds").exists()
    assert not Proposal.objects.filter(title__icontains="approve refunds").exists()


def test_the_log_verifies_and_its_times_never_go_back() -> None:
    verdict = verify()
    assert verdict.fault is None
    assert verdict.entries == AuditEntry.objects.count() > 50
    times = list(AuditEntry.objects.in_order().values_list("at", flat=True))
    assert times == sorted(times)
    assert times[0] < NOW - timedelta(days=20)
    assert times[-1] <= NOW


def test_releases_and_revisions_carry_the_time_of_the_story() -> None:
    for moments in (
        Release.objects.values_list("at", flat=True),
        Revision.objects.values_list("created_at", flat=True),
    ):
        assert max(moments) <= NOW
    assert Release.objects.filter(at__lt=NOW - timedelta(days=10)).count() > 5


def test_a_board_with_agents_is_refused() -> None:
    with pytest.raises(CommandError, match=r"^This board has agents already"):
        call_command("load_sample_data")


def test_the_clock_tells_its_time_until_it_is_put_away_and_never_goes_back() -> None:
    with clock.running(NOW) as running:
        assert timezone.now() == NOW
        running.move_to(NOW + timedelta(days=1))
        assert timezone.now() == NOW + timedelta(days=1)
        with pytest.raises(ValueError, match="cannot go back"):
            running.move_to(NOW)
    assert timezone.now() > NOW + timedelta(days=1)
