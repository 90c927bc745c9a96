"""A report that a reviewer excludes counts nowhere, until that is taken back."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import import_module
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from agents.models import Agent
from audit.models import AuditEntry
from audit.record import SYSTEM
from feedback.actions.exclusion import exclude, include
from feedback.actions.mining import mine
from feedback.actions.withdraw import withdraw_feedback
from feedback.exceptions import ExclusionError
from feedback.models import Evidence, Exclusion, Feedback, Pattern, PatternDay, PatternSource
from people.models import User
from tests.cast import COMPLAINTS, failure, report

pytestmark = pytest.mark.django_db


def _counts(pattern: Pattern) -> tuple[int, int, int]:
    pattern.refresh_from_db()
    days = sum(PatternDay.objects.filter(pattern=pattern).values_list("items", flat=True))
    for evidence in pattern.evidence.select_related("feedback", "run"):
        said = evidence.report
        assert (evidence.source, evidence.version, evidence.at) == (said.source, said.version, said.at)
    assert pattern.support == pattern.evidence.count() == days
    assert pattern.sources == PatternSource.objects.filter(pattern=pattern).count()
    return pattern.support, pattern.sources, pattern.span_days or 0


def test_an_excluded_report_leaves_every_count_and_comes_back_when_counted_again(
    support: Agent, complaints: list[Feedback], mara: User
) -> None:
    Feedback.objects.filter(pk=complaints[0].pk).update(at=timezone.now() - timedelta(days=9), version=3)
    mine(support)
    pattern = Pattern.objects.shown().get()
    assert _counts(pattern) == (4, 4, 10)
    made = exclude(complaints[0], user=mara, reason="  Copied from\na competitor. ")
    assert (made.reason, made.patterns) == ("Copied from a competitor.", [pattern.pk])
    assert _counts(pattern) == (3, 3, 1)
    include(complaints[0], user=mara)
    assert _counts(pattern) == (4, 4, 10)
    assert list(
        AuditEntry.objects.filter(verb__startswith="feedback.").order_by("pk").values_list("verb", flat=True)
    ) == [
        "feedback.excluded",
        "feedback.included",
    ]


def test_an_excluded_report_is_never_mined(support: Agent, complaints: list[Feedback], mara: User) -> None:
    exclude(complaints[0], user=mara, reason="Spam.")
    mine(support)
    pattern = Pattern.objects.shown().get()
    assert _counts(pattern) == (3, 3, 1)
    assert complaints[0] not in {evidence.feedback for evidence in pattern.evidence.all()}
    include(complaints[0], user=mara)
    mine(support)
    assert _counts(pattern) == (4, 4, 1)


def test_a_failed_run_is_excluded_too(support: Agent, mara: User) -> None:
    runs = [failure(support, f"unit {n}", "TimeoutError: order_lookup timed out") for n in range(3)]
    mine(support)
    exclude(runs[0], user=mara, reason="A test run.")
    assert _counts(Pattern.objects.get()) == (2, 2, 1)


def test_excluding_needs_a_reason_and_the_right(
    support: Agent, complaints: list[Feedback], mara: User, luis: User, aiko: User
) -> None:
    for user, reason in [(mara, "  "), (mara, "x" * 501), (luis, "Spam."), (aiko, "Spam.")]:
        with pytest.raises(ExclusionError):
            exclude(complaints[0], user=user, reason=reason)
    with pytest.raises(ExclusionError):
        include(complaints[0], user=mara)
    exclude(complaints[0], user=mara, reason="Spam.")
    with pytest.raises(ExclusionError, match="already"):
        exclude(complaints[0], user=mara, reason="Spam.")
    with pytest.raises(ExclusionError):
        include(complaints[0], user=luis)
    assert Exclusion.objects.count() == 1


def test_what_its_reporter_took_back_does_not_count_again(
    support: Agent, complaints: list[Feedback], mara: User
) -> None:
    mine(support)
    exclude(complaints[0], user=mara, reason="Spam.")
    withdraw_feedback(complaints[0].pk, actor=SYSTEM)
    include(complaints[0], user=mara)
    mine(support)
    assert _counts(Pattern.objects.shown().get()) == (3, 3, 1)


@pytest.mark.django_db(transaction=True)
def test_a_miner_and_two_reviewers_at_once_agree_on_the_counts(support: Agent, mara: User, jonas: User) -> None:
    with ThreadPoolExecutor(max_workers=3) as threads:
        for number in range(15):
            made = [report(support, f"p{number} {n}", reason=text) for n, text in enumerate(COMPLAINTS)]
            together = Barrier(3)

            def work(user: User | None, item: Feedback = made[0], together: Barrier = together) -> bool:
                try:
                    together.wait(timeout=10)
                    if user is None:
                        mine(support)
                    else:
                        exclude(item, user=user, reason="Spam.")
                    return True
                except ExclusionError:
                    return False
                finally:
                    connection.close()

            done = [threads.submit(work, user) for user in (None, mara, jonas)]
            assert sorted(one.result(timeout=30) for one in done) == [False, True, True]
            assert not Evidence.objects.filter(feedback=made[0]).exists()
    for pattern in Pattern.objects.all():
        _counts(pattern)
    assert sum(Pattern.objects.values_list("support", flat=True)) == 15 * 3


def test_evidence_from_before_it_had_a_version_gets_that_of_its_report(support: Agent) -> None:
    for number in range(3):
        report(support, f"person {number}", reason="The parcel came open.", version=number or None)
        failure(support, f"unit {number}", "Timeout in order_lookup", version=7)
    mine(support)
    known = list(Evidence.objects.order_by("pk").values_list("version", flat=True))
    assert Counter(known) == {7: 3, None: 1, 1: 1, 2: 1}
    Evidence.objects.update(version=None)
    with connection.cursor() as cursor:
        cursor.execute(import_module("feedback.migrations.0022_evidence_version").COPIED)
    assert list(Evidence.objects.order_by("pk").values_list("version", flat=True)) == known
