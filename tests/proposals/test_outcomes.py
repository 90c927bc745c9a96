"""What came of a change: how it is counted, said, kept and acted on."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.freezing import freeze
from agents.models import Agent, Document, Release
from audit.models import AuditEntry
from feedback.actions.lifecycle import new_since_answer
from feedback.between import items
from feedback.between import told as counted
from feedback.models import Evidence, Feedback, Pattern, Run
from people.models import User
from proposals.actions import outcomes, steering
from proposals.actions.rollbacks import roll_back
from proposals.judging.outcomes import LEAST_RUNS, Compared, Count, Findings, moved, sentence
from proposals.models import Outcome, Proposal, Rollout
from proposals.tasks import tell_outcomes
from reviewapp.sample.clock import Clock
from tests.cast import report
from tests.outcomes import NOON, a_pattern, after, answered, move, praised, ran, said, told
from tests.rollouts import canary

COUNTS = st.builds(Count, st.integers(0, 3000), st.integers(0, 20_000))
COMPARED = st.builds(Compared, COUNTS, COUNTS, st.just("Refunds"), st.just(7))
FINDINGS = st.builds(
    Findings,
    target=st.none() | COMPARED,
    praise=COMPARED,
    others=st.lists(COMPARED).map(moved),
    looked_at=st.integers(0, 20),
    days=st.floats(0, 14),
    is_settled=st.booleans(),
)


# The rule


@given(COMPARED)
def test_a_word_is_said_only_of_intervals_that_lie_apart(one: Compared) -> None:
    before, later = one.before.rate, one.after.rate
    apart = before and later and (before.high < later.low or later.high < before.low)
    assert (one.word != "unclear") == bool(apart and one.after.runs >= LEAST_RUNS)
    if before and later and one.word != "unclear":
        assert (one.word == "fell") == (later.share < before.share)


@given(COUNTS)
def test_what_stays_as_it_was_never_moved(count: Count) -> None:
    assert Compared(count, count).word == "unclear"


@given(COUNTS, st.integers(LEAST_RUNS, 20_000), st.lists(st.integers(0, 2000), min_size=2))
def test_more_reports_never_make_it_look_better(before: Count, runs: int, reports: list[int]) -> None:
    order = ("fell", "unclear", "rose")
    words = [Compared(before, Count(events, runs)).word for events in sorted(reports)]
    assert all(order.index(one) <= order.index(next_one) for one, next_one in pairwise(words))


@given(FINDINGS)
def test_findings_survive_being_kept_and_always_have_words(findings: Findings) -> None:
    again = Findings.from_json(findings.to_json())
    assert (again.word, again.gist, sentence(again)) == (findings.word, findings.gist, sentence(findings))
    assert sentence(findings)


def test_the_line_tells_rates_interval_and_days() -> None:
    fell = Compared(Count(210, 10_000), Count(15, 5000))
    quiet = Compared(Count(0, 1), Count(0, 1))
    assert sentence(Findings(fell, quiet, days=7.2)) == (
        "Reports fell from 2.1\u00a0% to 0.30\u00a0% of runs (95\u00a0%: 0.18–0.49) in 7 days"
    )
    early = Compared(Count(21, 1000), Count(0, 40))
    assert sentence(Findings(early, quiet)) == "No clear change yet: 40 runs since"
    assert sentence(Findings(early, quiet, is_settled=True)) == "No clear change: 40 runs since"


# Counting


def test_between_any_two_moments_it_counts_as_one_by_one(time: Clock, support: Agent, refunds: Pattern) -> None:
    for hours in range(0, 120, 7):
        ran(support, 5, NOON + timedelta(hours=hours, minutes=hours % 60))
        said(refunds, 2, NOON + timedelta(hours=hours, minutes=hours % 50))
        praised(support, 1, NOON + timedelta(hours=hours))
    outcomes.tell_all()
    tell_outcomes()
    for since, until in [(0, 1), (0, 40), (-30, 7000), (500, 6000), (1420, 1460), (3, 3), (700, 2880)]:
        span = NOON + timedelta(minutes=since), NOON + timedelta(minutes=until)
        within = {"at__gte": span[0], "at__lt": span[1]}
        praise = Feedback.objects.filter(rating="positive", **within).count()
        assert counted(support.pk, *span) == (Run.objects.filter(**within).count(), praise)
        assert items([refunds.pk], *span)[refunds.pk] == Evidence.objects.filter(**within).count()


# What is kept and done


def test_where_reports_fell_the_pattern_is_resolved_once(time: Clock, changed: Proposal, refunds: Pattern) -> None:
    ran(refunds.agent, 1000, after(days=2))
    said(refunds, 2, after(days=2))
    move(time, days=7)
    outcome = told(changed)
    assert (outcome.word, outcome.settled_at) == ("fell", None)
    assert outcome.says.startswith("Reports fell from 4.0\u00a0% to 0.20\u00a0% of runs")
    assert outcome.says.endswith("in 7 days")
    refunds.refresh_from_db()
    assert refunds.status == "resolved"
    tell_outcomes()
    entry = AuditEntry.objects.get(target_kind="pattern", verb="pattern.status_changed", proposal=changed.pk,
                                   body__contains="resolved")  # fmt: skip
    assert entry.fact["before"] == {"status": "watching"}


@pytest.mark.parametrize(("runs", "reports", "word"), [(40, 0, "unclear"), (1000, 90, "rose"), (1000, 38, "unclear")])
def test_otherwise_the_pattern_stays_watched(
    time: Clock, changed: Proposal, refunds: Pattern, runs: int, reports: int, word: str
) -> None:
    ran(refunds.agent, runs, after(minutes=5))
    said(refunds, reports, after(minutes=6))
    move(time, hours=5)
    outcome = told(changed)
    assert (outcome.word, outcome.told_at is None) == (word, word == "unclear")
    refunds.refresh_from_db()
    assert refunds.status == "watching"


def test_a_pattern_that_came_back_is_resolved_at_the_end_where_clearly_fewer_report_it(
    time: Clock, changed: Proposal, refunds: Pattern
) -> None:
    Pattern.objects.update(status="open", came_back_at=after(hours=2), draft_due_at=after(hours=2))
    ran(refunds.agent, 1000, after(hours=1))
    said(refunds, 3, after(hours=2))
    move(time, days=1)
    assert told(changed).word == "fell"
    refunds.refresh_from_db()
    assert refunds.status == "open"
    move(time, days=15)
    assert told(changed).settled_at is not None
    refunds.refresh_from_db()
    assert (refunds.status, refunds.came_back_at, refunds.draft_due_at) == ("resolved", None, None)
    assert not new_since_answer(refunds).exists()


def test_what_came_back_and_is_proposed_for_again_is_left_alone(
    time: Clock, changed: Proposal, refunds: Pattern
) -> None:
    Pattern.objects.update(status="proposed", came_back_at=after(hours=2))
    ran(refunds.agent, 1000, after(hours=1))
    move(time, days=16)
    assert (told(changed).word, told(changed).settled_at is not None) == ("fell", True)
    refunds.refresh_from_db()
    assert refunds.status == "proposed"


def test_other_patterns_and_praise_that_moved_are_told(time: Clock, changed: Proposal, support: Agent) -> None:
    tone, fine = a_pattern(support, "Tone"), a_pattern(support, "Length")
    said(fine, 10, NOON - timedelta(days=2))
    praised(support, 50, NOON - timedelta(days=2))
    ran(support, 1000, after(hours=1))
    said(tone, 60, after(hours=2))
    said(fine, 9, after(hours=2))
    move(time, days=1)
    outcome = told(changed)
    assert [(pattern, label) for pattern, label, _ in outcome.others] == [(tone.pk, "Tone")]
    assert outcome.others[0][2].startswith("rose from 0\u00a0% to 6.0\u00a0% of runs")
    assert outcome.praise.startswith("Praise fell from 5.0\u00a0% to 0\u00a0% of runs")
    assert outcome.found.looked_at == 2


def test_it_is_settled_after_its_days_and_never_counted_again(time: Clock, changed: Proposal, refunds: Pattern) -> None:
    move(time, days=14, minutes=30)
    assert told(changed).settled_at is None
    move(time, days=14, hours=2)
    settled = told(changed)
    assert (settled.settled_at, settled.told_at) == (time.now, time.now)
    assert settled.says == "No clear change: 0 runs since"
    ran(refunds.agent, 500, after(days=3))
    move(time, days=15)
    assert not outcomes.due().exists()
    outcomes.tell(settled.release_id)
    assert told(changed).findings == settled.findings


def test_the_next_version_ends_it(
    time: Clock, changed: Proposal, prompt: Document, refunds: Pattern, aiko: User, mara: User
) -> None:
    ran(prompt.agent, 200, after(days=1))
    move(time, days=2)
    answered(prompt, refunds, aiko, mara)
    ran(prompt.agent, 300, after(days=3))
    move(time, days=4)
    first = told(changed)
    assert first.settled_at is not None
    assert first.found.target is not None
    assert (first.found.target.after.runs, first.found.days) == (200, 2.0)
    assert Outcome.objects.filter(settled_at=None).count() == 1


def test_a_rollback_has_none(time: Clock, changed: Proposal, prompt: Document, aiko: User) -> None:
    roll_back(prompt.pk, user=aiko, to_number=1, current_number=2, reason="Worse.")
    outcomes.tell_all()
    assert list(Outcome.objects.values_list("proposal", flat=True)) == [changed.pk]


def test_of_a_rollout_it_tells_after_the_promotion_against_the_time_before_it_began(
    time: Clock, prompt: Document, aiko: User, mara: User
) -> None:
    ran(prompt.agent, 100, NOON - timedelta(days=1))
    rollout = canary(prompt, aiko, mara)
    ran(prompt.agent, 70, after(hours=1))
    move(time, days=2)
    assert not outcomes.due().exists()
    _promoted(rollout, mara)
    ran(prompt.agent, 30, after(days=2, hours=1))
    move(time, days=3)
    found = told(rollout.proposal).found
    assert (found.target, found.praise.before.runs, found.praise.after.runs) == (None, 100, 30)


def _promoted(rollout: Rollout, user: User) -> None:
    Rollout.objects.filter(pk=rollout.pk).update(state=Rollout.State.WAITING, epoch=rollout.epoch + 1)
    steering.promote(rollout.pk, user=user, epoch=rollout.epoch + 1)
    assert Release.objects.filter(version=rollout.candidate).exists()


def test_nothing_is_told_while_reports_wait_or_all_is_frozen(
    time: Clock, changed: Proposal, support: Agent, aiko: User
) -> None:
    late = report(support, "waiting", at=NOON, received_at=NOON - timedelta(hours=1))
    outcomes.tell_all()
    assert not Outcome.objects.exists()
    Feedback.objects.filter(pk=late.pk).update(mined_at=NOON)
    freeze(user=aiko, reason="A look at the miner.")
    tell_outcomes()
    assert not Outcome.objects.exists()
