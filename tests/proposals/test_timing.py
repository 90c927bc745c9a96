"""When a draft is made by itself: the agent's profile, chance, wrong labels, and what a person may ask for anyway."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.models import Agent
from agents.profiles import CannotSet, set_traffic
from audit.models import AuditEntry
from audit.wording import in_words
from feedback.actions.mining import mine
from feedback.actions.rollups import count_runs, runs_between
from feedback.models import Feedback, Pattern, Run, Tally, TallyDay
from people.models import User
from proposals.actions.decisions import approve
from proposals.actions.drafting import draft, draft_all_due
from proposals.models import Proposal
from reviewapp.sample import clock
from tests.cast import COMPLAINTS, digest_of, failure, report, source

pytestmark = pytest.mark.django_db

LIMITED = "429 Too Many Requests"


def _fail(agent: Agent, people: str, *, hours_ago: float = 0.0, error: str = LIMITED) -> None:
    for who in people:
        failure(agent, f"unit {who}", error, at=timezone.now() - timedelta(hours=hours_ago))


def _pattern() -> Pattern:
    return Pattern.objects.shown().get()


def _runs(agent: Agent, at: datetime, count: int) -> None:
    Run.objects.bulk_create(
        Run(agent=agent, external_id=f"{at:%Y%m%d} {number}", digest=b"", source=source("x"), at=at, success=True)
        for number in range(count)
    )


@pytest.mark.parametrize(
    ("runs_a_day", "traffic", "numbers"),
    [(100.5, "high", (5, 48, 3)), (100, "medium", (3, 24, 6)), (10, "medium", (3, 24, 6)), (9.9, "low", (2, 72, 12))],
)
def test_the_profile_follows_the_runs_a_day(runs_a_day: float, traffic: str, numbers: tuple[int, int, int]) -> None:
    found = Agent(runs_a_day=runs_a_day).profile
    assert (found.traffic, found.is_chosen, found.is_changed) == (traffic, False, False)
    assert (found.numbers.reports, found.numbers.window_h, found.numbers.cooldown_h) == numbers


def test_runs_are_counted_by_day_whenever_they_come_in(support: Agent) -> None:
    today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=1)
    for days, count in ((0, 3), (1, 20), (2, 10), (9, 5)):
        _runs(support, today - timedelta(days=days), count)
    count_runs()
    support.refresh_from_db()
    assert support.runs_a_day == round(30 / 7, 1)
    assert runs_between(support.pk, today - timedelta(days=2), today) == 33
    _runs(support, today - timedelta(days=9, hours=1), 2)
    count_runs()
    assert TallyDay.objects.filter(kind=Tally.Kind.ALL).count() == 5


def test_the_first_day_counts_as_it_stands(support: Agent) -> None:
    _runs(support, timezone.now(), 12)
    count_runs()
    support.refresh_from_db()
    assert (support.runs_a_day, support.profile.traffic) == (12, "medium")


def test_high_traffic_asks_for_five_sources_within_two_days(support: Agent, prompt: object) -> None:
    Agent.objects.update(runs_a_day=500)
    _fail(support, "abcd")
    _fail(support, "e", hours_ago=50)
    mine(support)
    assert draft_all_due() == 0
    assert _pattern().draft_note == "4 of 5 sources within 48 hours."
    assert _pattern().draft_due_at is None
    _fail(support, "a")  # somebody who is counted already
    mine(support)
    assert draft_all_due() == 0
    _fail(support, "f")
    mine(support)
    assert draft_all_due() == 1


def test_the_window_ends_with_the_newest_report_and_not_now(support: Agent, prompt: object) -> None:
    _fail(support, "abc", hours_ago=24 * 60)
    mine(support)
    assert draft_all_due() == 1


def test_distinct_sources_rule_also_for_a_critical_agent(support: Agent, prompt: object) -> None:
    Agent.objects.update(traffic="critical")
    _fail(support, "aab")
    mine(support)
    assert not Pattern.objects.shown().exists()
    assert draft_all_due() == 0
    _fail(support, "c")
    mine(support)
    assert draft_all_due() == 1


def test_what_was_reported_before_a_change_rests_and_is_then_drafted_by_itself(
    support: Agent, prompt: object, mara: User
) -> None:
    start = timezone.now()
    _fail(support, "abc")
    mine(support)
    assert draft_all_due() == 1
    _fail(support, "abc", error="KeyError: no customer in the order")
    first = Proposal.objects.get()
    approve(first.pk, user=mara, digest=digest_of(first))
    mine(support)
    assert draft_all_due() == 0
    waiting = Pattern.objects.get(status="open")
    assert "only what is reported since then counts" in waiting.draft_note
    assert waiting.draft_due_at
    assert waiting.draft_due_at - start > timedelta(hours=11, minutes=59)
    with clock.running(start + timedelta(hours=12, minutes=1)):
        assert draft_all_due() == 1


def test_what_is_reported_after_a_change_is_drafted_at_once(support: Agent, prompt: object, mara: User) -> None:
    _fail(support, "abc")
    mine(support)
    assert draft_all_due() == 1
    first = Proposal.objects.get()
    approve(first.pk, user=mara, digest=digest_of(first))
    _fail(support, "abc", error="KeyError: no customer in the order")
    mine(support)
    assert draft_all_due() == 1


def test_a_person_who_asks_waits_for_nothing_but_enough_sources(support: Agent, prompt: object, mara: User) -> None:
    Agent.objects.update(runs_a_day=500)
    _fail(support, "abc")
    mine(support)
    assert draft_all_due() == 0
    assert isinstance(draft(_pattern().pk, requested_by=mara), Proposal)


def test_wrong_labels_wait_for_twenty_of_them_also_when_asked_for(
    support: Agent, prompt: object, mara: User, settings: Settings
) -> None:
    for number in range(19):
        report(support, f"person {number}", predicted="billing", expected="refund")
    mine(support)
    assert draft_all_due() == 0
    assert draft(_pattern().pk, requested_by=mara) == "19 of 20 wrong labels needed."
    report(support, "person x", predicted="billing", expected="refund")
    mine(support)
    assert draft_all_due() == 1


def test_what_many_different_texts_have_by_chance_is_not_drafted_from(
    support: Agent, prompt: object, complaints: list[Feedback], settings: Settings
) -> None:
    settings.COUNTERSIGN_CHANCE_ALIKE = 0.4
    mine(support)
    assert draft_all_due() == 0
    assert _pattern().draft_note == "4 of 4 sources said this; so many may read alike by chance."
    settings.COUNTERSIGN_CHANCE_ALIKE = 0.001
    report(support, "late", reason=COMPLAINTS[0])
    mine(support)
    assert draft_all_due() == 1


def test_signals_of_the_same_tool_are_weak_evidence(support: Agent, prompt: object) -> None:
    Agent.objects.update(runs_a_day=500)
    _fail(support, "abcd")
    Run.objects.update(tool="search")
    for number, signals in enumerate(({"regenerated": True}, {"task_completed": False}, {"copied": True})):
        run = failure(support, f"silent {number}", "")
        Run.objects.filter(pk=run.pk).update(tool="search", success=True)
        report(support, f"silent {number}", rating="", run_id=run.external_id, signals=signals, at=run.at)
    mine(support)
    assert draft_all_due() == 0
    assert _pattern().draft_note == "4 of 5 sources, and 0.8 by signals, within 48 hours."
    assert _pattern().support == 4
    late = report(
        support, "silent 9", rating="", run_id=Run.objects.latest("pk").external_id, signals={"retried": True}
    )
    Feedback.objects.filter(pk=late.pk).update(at=Run.objects.earliest("at").at)
    _fail(support, "a")
    mine(support)
    assert draft_all_due() == 1


def test_an_operator_sets_the_profile_and_the_log_says_so(support: Agent, aiko: User, mara: User) -> None:
    set_traffic(support.pk, user=aiko, traffic="critical", window_h=12)
    support.refresh_from_db()
    assert support.profile.numbers == type(support.profile.numbers)(1, 12, 6)
    entry = AuditEntry.objects.get(verb="agent.traffic_set")
    assert in_words(entry).details == ("as of critical traffic", "within 12 h")
    for wrong, field in (
        ({"traffic": "wild"}, "traffic"),
        ({"reports": 0}, "reports"),
        ({"window_h": 10**9}, "window_h"),
    ):
        with pytest.raises(CannotSet) as refused:
            set_traffic(support.pk, user=aiko, **wrong)
        assert refused.value.field == field
    with pytest.raises(CannotSet, match="set already"):
        set_traffic(support.pk, user=aiko, traffic="critical", window_h=12)
    with pytest.raises(CannotSet, match="role operator or admin"):
        set_traffic(support.pk, user=mara, traffic="low")
    assert AuditEntry.objects.filter(verb="agent.traffic_set").count() == 1
