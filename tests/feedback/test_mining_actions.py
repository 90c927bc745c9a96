"""Reports become patterns: once each, incrementally, with true counts."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries, Settings

from agents.models import Agent
from audit.models import AuditEntry
from audit.record import SYSTEM
from feedback.actions.locks import one_long_task
from feedback.actions.mining import Tally, mine, mine_batch
from feedback.actions.patterns import dismiss, reopen
from feedback.actions.withdraw import withdraw_feedback
from feedback.exceptions import PatternError
from feedback.models import Evidence, Feedback, Pattern, PatternDay, PatternSource, Run
from feedback.tasks import mine_pending
from people.models import User
from tests.cast import COMPLAINTS, failure, report

pytestmark = pytest.mark.django_db


def test_complaints_of_enough_people_become_an_open_pattern(support: Agent, complaints: list[Feedback]) -> None:
    tally = mine(support)
    pattern = Pattern.objects.shown().get()
    assert (tally.reports, tally.linked) == (4, 4)
    assert (pattern.kind, pattern.status) == ("complaint", "open")
    assert (pattern.support, pattern.sources) == (4, 4)
    assert "refund" in pattern.label.lower()
    assert pattern.draft_due_at is not None
    assert {evidence.feedback for evidence in pattern.evidence.all()} == set(complaints)


def test_one_loud_person_makes_no_pattern(support: Agent) -> None:
    for text in COMPLAINTS:
        report(support, "loud", reason=text)
    mine(support)
    assert not Pattern.objects.shown().exists()
    assert Pattern.objects.get().sources == 1
    assert Pattern.objects.get().support == 4


def test_errors_with_other_ids_and_numbers_are_one_pattern(support: Agent) -> None:
    for number in (4711, 4712, 9000):
        failure(
            support,
            f"unit {number}",
            f"TimeoutError: order_lookup timed out after {number} ms for order #{number}",
        )
    failure(support, "unit x", "KeyError: 'customer_id'")
    mine(support)
    pattern = Pattern.objects.shown().get()
    assert (pattern.kind, pattern.support) == ("error", 3)


def test_mislabels_are_grouped_by_both_labels(support: Agent) -> None:
    for number in range(3):
        report(support, f"person {number}", predicted="billing", expected="refund")
        report(support, f"other {number}", predicted="refund", expected="billing")
    mine(support)
    assert sorted(Pattern.objects.shown().values_list("label", flat=True)) == [
        "Billing → refund",
        "Refund → billing",
    ]


def test_a_pattern_keeps_its_identity_as_evidence_comes(support: Agent, complaints: list[Feedback]) -> None:
    mine(support)
    first = Pattern.objects.shown().get()
    report(support, "late", reason="wrong refund deadline for the digital course")
    mine(support)
    second = Pattern.objects.shown().get()
    assert second.pk == first.pk
    assert second.support == 5


def test_batches_of_one_give_the_same_patterns(support: Agent, complaints: list[Feedback], settings: Settings) -> None:
    settings.COUNTERSIGN_MINE_BATCH = 1
    tally = Tally()
    rounds = 0
    while mine_batch(support.pk, tally):
        rounds += 1
    assert rounds == 4
    assert Pattern.objects.shown().get().support == 4


def test_mining_again_finds_nothing_new(support: Agent, complaints: list[Feedback]) -> None:
    mine(support)
    assert mine(support).reports == 0
    assert Evidence.objects.count() == 4


def test_mining_reads_only_what_is_new(
    support: Agent, complaints: list[Feedback], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    mine(support)
    for number in range(3):
        report(support, f"new {number}", reason="the refund deadline for digital courses is wrong")
    with django_assert_max_num_queries(36):
        assert mine(support).reports == 3


def test_withdrawn_feedback_leaves_the_counts_and_stays_in_history(support: Agent, complaints: list[Feedback]) -> None:
    mine(support)
    assert withdraw_feedback(complaints[0].pk, actor=SYSTEM)
    assert not withdraw_feedback(complaints[0].pk, actor=SYSTEM)
    pattern = Pattern.objects.shown().get()
    assert (pattern.support, pattern.sources) == (3, 3)
    assert sum(PatternDay.objects.values_list("items", flat=True)) == 3
    assert PatternSource.objects.count() == 3
    assert Feedback.objects.count() == 4
    assert AuditEntry.objects.filter(verb="feedback.withdrawn").count() == 1


def test_feedback_withdrawn_before_mining_is_never_counted(support: Agent, complaints: list[Feedback]) -> None:
    withdraw_feedback(complaints[0].pk, actor=SYSTEM)
    mine(support)
    assert Pattern.objects.shown().get().support == 3


def test_praise_is_a_pattern_of_success(support: Agent) -> None:
    for number in range(3):
        report(support, f"p{number}", rating="positive", reason="clear steps for the return label, thank you")
    mine(support)
    assert Pattern.objects.shown().get().kind == "success"


def test_one_report_with_two_kinds_of_news_speaks_for_two_patterns(support: Agent) -> None:
    for number in range(3):
        report(
            support,
            f"p{number}",
            output="You have 30 days.",
            correction="You have 14 days.",
            predicted="billing",
            expected="refund",
        )
    mine(support)
    assert sorted(Pattern.objects.shown().values_list("kind", flat=True)) == ["correction", "mislabel"]


def test_agents_do_not_share_patterns(support: Agent, complaints: list[Feedback]) -> None:
    other = Agent.objects.create(slug="other", name="Other")
    for number, text in enumerate(COMPLAINTS):
        report(other, f"person {number}", reason=text)
    mine(support)
    mine(other)
    assert sorted(Pattern.objects.shown().values_list("agent__slug", "support")) == [
        ("other", 4),
        ("support", 4),
    ]


def test_successful_runs_are_not_mined(support: Agent) -> None:
    run = failure(support, "unit", "ignored")
    Run.objects.filter(pk=run.pk).update(success=True)
    assert mine(support).reports == 0


def test_a_dismissed_pattern_is_not_drafted_until_reopened(
    support: Agent, complaints: list[Feedback], mara: User, luis: User
) -> None:
    mine(support)
    pattern = Pattern.objects.shown().get()
    with pytest.raises(PatternError):
        dismiss(pattern.pk, user=luis, dismissed_as="noise", reason="not mine to say")
    with pytest.raises(PatternError):
        dismiss(pattern.pk, user=mara, dismissed_as="noise", reason=" ")
    dismiss(pattern.pk, user=mara, dismissed_as="mixed_group", reason="These are two problems.")
    report(support, "late", reason="wrong refund deadline for the digital course")
    mine(support)
    pattern.refresh_from_db()
    assert (pattern.status, pattern.draft_due_at) == ("dismissed", None)
    reopen(pattern.pk, user=mara)
    pattern.refresh_from_db()
    assert pattern.draft_due_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_long_task_leaves_the_worker_alone_while_another_is_at_work(
    support: Agent, complaints: list[Feedback]
) -> None:
    with ThreadPoolExecutor(1) as other:
        with one_long_task() as alone:
            assert alone
            other.submit(_tick).result()
            assert not Pattern.objects.exists()
        other.submit(_tick).result()
    assert Pattern.objects.shown().exists()


def _tick() -> None:
    mine_pending()
    connection.close()


def test_what_grew_is_named_anew_though_the_worker_that_mined_it_died(
    support: Agent, complaints: list[Feedback]
) -> None:
    mine(support)
    for number in range(3):
        report(support, f"late {number}", reason="wrong refund deadline for the digital course")
    mine_batch(support.pk, Tally())  # and no more of that worker
    assert Pattern.objects.shown().get().named_support == 4
    failure(support, "unit", "KeyError: 'customer_id'")
    mine(support)
    assert Pattern.objects.shown().get().named_support == 7


def test_many_patterns_open_with_as_few_questions_as_one(
    support: Agent, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    words = ("alpha", "bravo", "cargo", "delta", "engine", "fabric", "garden", "harbour", "island", "jacket")
    for word in words:
        for number in range(3):
            report(support, f"{word} {number}", predicted=word, expected="other")
    with django_assert_max_num_queries(36):
        mine(support)
    shown = Pattern.objects.shown().order_by("pk")
    assert list(shown.values_list("label", flat=True)) == [f"{word.capitalize()} → other" for word in words]
    opened = AuditEntry.objects.filter(verb="pattern.opened").order_by("pk")
    assert [int(entry.target_id) for entry in opened] == [pattern.pk for pattern in shown]
    assert [entry.target_label for entry in opened] == [f"Mislabel {pattern.pk}" for pattern in shown]
