"""The reports of a key are held out of every count, and given back exactly."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from agents import keys
from agents.models import Agent, ApiKey
from audit.models import AuditEntry
from audit.record import SYSTEM, Actor
from audit.wording import in_words
from feedback.actions import quarantine
from feedback.actions.exclusion import exclude, include
from feedback.actions.mining import mine
from feedback.actions.quarantine import lift, settle, settle_all
from feedback.actions.regrouping import merge
from feedback.actions.rollups import count_runs
from feedback.actions.withdraw import withdraw_feedback
from feedback.exceptions import ExclusionError, QuarantineError
from feedback.models import (
    Evidence,
    Feedback,
    HeldEvidence,
    Pattern,
    PatternDay,
    PatternSource,
    Quarantine,
    Run,
    TallyHour,
)
from people.models import User
from tests.cast import COMPLAINTS, failure, report

NOT_SEEN = "refunds of gift cards never arrive"
WHY = "It leaked into a public log."


@pytest.fixture
def leaked(support: Agent, ada: User) -> ApiKey:
    """The key that somebody else may have."""
    return keys.create(support, ["ingest"], owner=ada, actor=SYSTEM, label="Leaked")[0]


@pytest.fixture
def good(support: Agent, mara: User) -> ApiKey:
    return keys.create(support, ["ingest"], owner=mara, actor=SYSTEM, label="Good")[0]


def hold(key: ApiKey, **window: object) -> Quarantine:
    made = quarantine.quarantine(key.prefix, reason=WHY, actor=SYSTEM, **window)  # type: ignore[arg-type]
    settle(made.pk)
    made.refresh_from_db()
    return made


def free(key: ApiKey) -> None:
    settle(lift(key.prefix, actor=SYSTEM).pk)


def everything() -> list[object]:
    """All that is counted."""
    count_runs()
    pattern = "support", "sources", "first_seen", "last_seen", "status"
    linked = "pattern", "grouped_in", "feedback", "run", "version", "at", "similarity", "threshold"
    return [
        sorted(Pattern.objects.values_list("pk", *pattern)),
        sorted(Evidence.objects.values_list(*linked), key=str),
        sorted(
            (of, bytes(source), n) for of, source, n in PatternSource.objects.values_list("pattern", "source", "items")
        ),
        sorted(PatternDay.objects.filter(items__gt=0).values_list("pattern", "day", "items")),
        sorted(TallyHour.objects.values_list("agent", "kind", "at", "name", "version", "runs", "successes", "reports")),
        sorted(Feedback.objects.values_list("pk", "excluded_at", "quarantine"), key=str),
    ]


def test_what_came_with_a_key_counts_no_more_and_then_again(support: Agent, leaked: ApiKey, good: ApiKey) -> None:
    for number, text in enumerate(COMPLAINTS):
        report(support, f"person {number}", reason=text, key=leaked if number < 3 else good, version=number + 1)
    failure(support, "a unit", "Timeout in order_lookup", key=leaked, version=5)
    mine(support)
    before = everything()
    made = hold(leaked)
    assert (made.feedback, made.runs, made.done_at is not None) == (3, 1, True)
    pattern = Pattern.objects.get(kind="complaint")
    assert (pattern.support, pattern.sources) == (1, 1)
    assert Feedback.objects.counted().count() == 1
    assert everything() != before
    free(leaked)
    assert everything() == before
    assert not HeldEvidence.objects.exists()
    verbs = ["key.quarantined", "key.quarantine_settled", "key.quarantine_lifted", "key.quarantine_given_back"]
    told = AuditEntry.objects.filter(verb__startswith="key.quarantine").order_by("pk")
    assert [entry.verb for entry in told] == verbs
    assert in_words(told[0]).why == WHY


def test_doing_it_again_changes_nothing(support: Agent, leaked: ApiKey) -> None:
    for number, text in enumerate(COMPLAINTS):
        report(support, f"person {number}", reason=text, key=leaked)
    mine(support)
    made = hold(leaked)
    once = everything()
    settle(made.pk)
    settle_all()
    assert everything() == once
    made.refresh_from_db()
    assert made.feedback == 4
    free(leaked)
    whole = everything()
    settle_all()
    assert everything() == whole
    assert AuditEntry.objects.filter(verb="key.quarantine_given_back").count() == 1


def test_only_what_came_in_its_window_is_held(support: Agent, leaked: ApiKey) -> None:
    rows = [report(support, f"person {number}", reason=text, key=leaked) for number, text in enumerate(COMPLAINTS)]
    now = timezone.now()
    for hours, row in enumerate(rows):
        Feedback.objects.filter(pk=row.pk).update(received_at=now - timedelta(hours=hours))
    mine(support)
    hold(leaked, since=now - timedelta(hours=2.5), until=now - timedelta(hours=0.5))
    assert [row.pk for row in rows[1:3]] == sorted(
        Feedback.objects.exclude(quarantine=None).values_list("pk", flat=True)
    )


def test_what_still_comes_in_is_held_before_it_is_mined(support: Agent, leaked: ApiKey) -> None:
    hold(leaked)
    for number, text in enumerate(COMPLAINTS):
        report(support, f"person {number}", reason=text, key=leaked)
    mine(support)
    assert not Pattern.objects.exists()
    assert Quarantine.objects.get().feedback == 4
    free(leaked)
    assert Feedback.objects.unmined().count() == 4
    mine(support)
    assert Pattern.objects.shown().get().sources == 4


def test_success_of_a_key_in_quarantine_does_not_count_either(support: Agent, leaked: ApiKey) -> None:
    hold(leaked)
    failure(support, "a unit", "", success=True, key=leaked)
    settle_all()
    count_runs()
    assert not TallyHour.objects.filter(runs__gt=0).exists()
    assert Run.objects.get().quarantine_id


def test_what_a_person_excluded_stays_excluded(support: Agent, leaked: ApiKey, mara: User) -> None:
    rows = [report(support, f"person {number}", reason=text, key=leaked) for number, text in enumerate(COMPLAINTS)]
    mine(support)
    exclude(rows[0], user=mara, reason="A test of ours.")
    before = everything()
    hold(leaked)
    with pytest.raises(ExclusionError, match="in quarantine"):
        include(rows[0], user=mara)
    with pytest.raises(ExclusionError, match="in quarantine"):
        exclude(rows[1], user=mara, reason="Another.")
    free(leaked)
    assert everything() == before
    include(rows[0], user=mara)
    assert Pattern.objects.get().sources == 4


def test_what_was_withdrawn_meanwhile_stays_withdrawn(support: Agent, leaked: ApiKey) -> None:
    rows = [report(support, f"person {number}", reason=text, key=leaked) for number, text in enumerate(COMPLAINTS)]
    mine(support)
    hold(leaked)
    withdraw_feedback(rows[0].pk, actor=SYSTEM)
    free(leaked)
    assert Pattern.objects.get().support == 3


def test_it_comes_back_to_where_its_pattern_was_merged_into(
    support: Agent, leaked: ApiKey, good: ApiKey, mara: User
) -> None:
    for number, text in enumerate(COMPLAINTS):
        report(support, f"person {number}", reason=text, key=leaked)
        report(support, f"person {number}", reason=f"{NOT_SEEN} {number}", key=good)
        report(support, f"person {number}", reason=text, key=good)
    mine(support)
    from_, into = Pattern.objects.shown().order_by("pk")
    hold(leaked)
    merge(into.pk, other_id=from_.pk, user=mara)
    free(leaked)
    into.refresh_from_db()
    assert (into.support, into.sources) == (12, 4)
    assert into.evidence.filter(grouped_in=from_).count() == 8


def test_one_quarantine_at_a_time_with_a_reason_and_by_whom_may(support: Agent, leaked: ApiKey, ada: User) -> None:
    actor = Actor.person(ada)
    with pytest.raises(QuarantineError, match="Say why"):
        quarantine.quarantine(leaked.prefix, reason="  ", actor=actor)
    now = timezone.now()
    with pytest.raises(QuarantineError, match="before the beginning"):
        quarantine.quarantine(leaked.prefix, reason=WHY, actor=actor, since=now, until=now)
    quarantine.quarantine(leaked.prefix, reason=WHY, actor=actor, by=ada)
    with pytest.raises(QuarantineError, match="in quarantine already"):
        quarantine.quarantine(leaked.prefix, reason=WHY, actor=actor)
    lift(leaked.prefix, actor=actor)
    with pytest.raises(QuarantineError, match="No report"):
        lift(leaked.prefix, actor=actor)


def test_lifted_before_it_was_settled_all_counts(
    support: Agent, leaked: ApiKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "STRIDE", 2)
    for number, text in enumerate(COMPLAINTS):
        report(support, f"person {number}", reason=text, key=leaked)
    mine(support)
    before, real = everything(), quarantine._step

    def step(pk: int, stride: quarantine._Stride, *, looked: int, of: int) -> None:
        real(pk, stride, looked=looked, of=of)
        if looked == 1 and not Quarantine.objects.get().lifted_at:
            lift(leaked.prefix, actor=SYSTEM)

    monkeypatch.setattr(quarantine, "_step", step)
    hold(leaked)
    assert Quarantine.objects.get().done_at is None
    settle_all()
    assert everything() == before


REPORTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 4), st.sampled_from([*COMPLAINTS, NOT_SEEN]), st.integers(0, 72)),
    min_size=1,
    max_size=12,
)


@given(
    reports=REPORTS, failures=REPORTS, first=st.integers(0, 72), last=st.integers(0, 72), excluded=st.integers(0, 11)
)
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_holding_and_giving_back_leaves_every_count_as_it_was(
    support: Agent,
    ada: User,
    mara: User,
    reports: list[tuple[int, int, str, int]],
    failures: list[tuple[int, int, str, int]],
    first: int,
    last: int,
    excluded: int,
) -> None:
    now = timezone.now()
    with transaction.atomic():
        several = [keys.create(support, ["ingest"], owner=ada, actor=SYSTEM)[0] for _ in range(4)]
        for key, who, text, hours in reports:
            at = now - timedelta(hours=hours)
            row = {"key": several[key], "at": at, "received_at": at}
            report(support, f"person {who}", reason=text, **row)
        for key, who, text, hours in failures:
            at = now - timedelta(hours=hours)
            failure(support, f"unit {who}", f"Timeout: {text}", at, key=several[key], received_at=at)
        mine(support)
        if excluded < len(reports):
            exclude(Feedback.objects.order_by("pk")[excluded], user=mara, reason="A test.")
        before = everything()
        since, until = sorted([now - timedelta(hours=first), now - timedelta(hours=last)])
        hold(several[0], since=since, until=until + timedelta(seconds=1))
        hold(several[1])
        free(several[0])
        free(several[1])
        assert everything() == before
        transaction.set_rollback(True)


def at_once(*calls: Callable[[], object]) -> None:
    """Each in a thread and on a connection of its own, all let go at the same moment."""
    gate = threading.Barrier(len(calls))
    wrong: list[BaseException] = []

    def run(call: Callable[[], object]) -> None:
        gate.wait()
        try:
            call()
        except BaseException as error:
            wrong.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.django_db(transaction=True)
def test_while_miners_work_nothing_that_is_held_counts(support: Agent, leaked: ApiKey, good: ApiKey) -> None:
    for number in range(60):
        key = leaked if number % 2 else good
        report(support, f"person {number}", reason=COMPLAINTS[number % 4], key=key)
    quarantine.quarantine(leaked.prefix, reason=WHY, actor=SYSTEM)
    at_once(lambda: mine(support), settle_all, lambda: mine(support), settle_all)
    assert Evidence.objects.count() == 30
    assert not Evidence.objects.filter(feedback__key=leaked).exists()
    assert sum(Pattern.objects.values_list("support", flat=True)) == 30
    lift(leaked.prefix, actor=SYSTEM)
    at_once(settle_all, lambda: mine(support), settle_all)
    mine(support)
    assert sum(Pattern.objects.values_list("support", flat=True)) == 60
    assert not Feedback.objects.exclude(excluded_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_a_report_that_races_a_revocation_is_held_with_the_rest(support: Agent, leaked: ApiKey) -> None:
    report(support, "person 0", reason=COMPLAINTS[0], key=leaked)

    def revoke() -> None:
        with transaction.atomic():
            keys.revoke(leaked.prefix, actor=SYSTEM)
            quarantine.quarantine(leaked.prefix, reason=WHY, actor=SYSTEM)

    def send() -> None:
        for number in range(1, 20):
            report(support, f"person {number}", reason=COMPLAINTS[number % 4], key=leaked)

    at_once(revoke, send, lambda: mine(support))
    settle_all()
    mine(support)
    assert not Evidence.objects.exists()
    assert Quarantine.objects.get().feedback == 20
