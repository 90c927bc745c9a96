"""Tallies of runs and feedback: true whatever comes late, twice, out of order or is taken back, and whoever dies."""

import math
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Barrier, Thread
from time import sleep

import pytest
from django.db import connection, transaction
from django.utils import timezone

from agents.models import Agent
from agents.versions import create_agent
from audit.record import COMMAND_LINE, SYSTEM
from feedback.actions import fences, rollups
from feedback.actions.exclusion import exclude, include
from feedback.actions.rollups import count_runs, runs_between
from feedback.actions.tallies import Hour
from feedback.actions.withdraw import withdraw_feedback
from feedback.health.sketch import Sketch
from feedback.models import Feedback, Mark, RecountDue, Run, Tally, TallyDay, TallyHour
from people.models import User
from tests.cast import report, source

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def run(agent: Agent, at: datetime = NOON, **fields: object) -> Run:
    """One stored run of version 1 that succeeded."""
    name = f"r{Run.objects.count()}"
    row = {"external_id": name, "digest": name.encode(), "source": source("x"), "success": True, "version": 1}
    return Run.objects.create(agent=agent, at=at, **(row | fields))


def hour(agent: Agent, kind: str = "all", **where: object) -> TallyHour:
    """The one row of an agent's hour at noon."""
    return TallyHour.objects.get(agent=agent, at=NOON, kind=kind, **where)


def _scattered(agent: Agent, random: Random) -> list[Run]:
    return [
        Run(
            agent=agent,
            external_id=f"s{number}",
            digest=b"",
            source=source("x"),
            at=NOON + timedelta(minutes=random.randrange(2880)),
            success=random.random() < 0.8,
            version=random.choice((None, 1, 2)),
            task=random.choice(("", "refund", "delivery")),
            tool=random.choice(("", "search")),
            latency_ms=random.choice((None, 0.0, random.lognormvariate(7, 1))),
            quality=random.choice((None, 3.0, 5.0)),
            cost_usd=random.choice((None, 0.01)),
        )
        for number in range(400)
    ]


def test_hours_and_days_amount_to_what_there_is_in_every_kind_of_place(support: Agent) -> None:
    runs = Run.objects.bulk_create(_scattered(support, Random(1)))
    count_runs()
    for rows in (TallyHour.objects.all(), TallyDay.objects.all()):
        for kind in Tally.Kind.values:
            told = list(rows.filter(kind=kind))
            assert sum(row.runs for row in told) == 400
            assert sum(row.successes for row in told) == sum(one.success for one in runs)
            assert math.isclose(sum(row.quality_sum for row in told), sum(one.quality or 0 for one in runs))
            assert sum(row.priced for row in told) == sum(one.cost_usd is not None for one in runs)
            sketch = sum((Sketch(dict(zip(row.steps, row.counts, strict=True))) for row in told), Sketch())
            assert sketch.counts == Sketch.of(one.latency_ms for one in runs if one.latency_ms is not None).counts
    refunds = TallyDay.objects.filter(kind="task", name="refund")
    assert sum(row.runs for row in refunds) == sum(one.task == "refund" for one in runs)


def test_a_run_that_names_no_document_is_of_the_only_one(support: Agent) -> None:
    run(support)
    two = create_agent("two", name="Two", actor=SYSTEM, documents={"a": "a\n", "b": "b\n"})
    run(two, document="b")
    run(two)
    count_runs()
    assert hour(support, "version").name == "system-prompt"
    assert {row.name for row in TallyHour.objects.filter(agent=two, kind="version")} == {"b", ""}


def test_beyond_the_most_names_an_hour_and_a_day_have_one_row_for_the_rest(support: Agent) -> None:
    for number in range(25):
        run(support, task=f"task {number:02}")
    run(support, NOON + timedelta(hours=1), task="task 24")
    run(support, task="task 24")
    count_runs()
    assert hour(support, "task", name="task 24").runs == 2
    assert TallyHour.objects.filter(at=NOON, kind="task").count() == Tally.MOST + 1
    assert hour(support, "task", is_rest=True).runs == 25 - Tally.MOST
    assert TallyDay.objects.get(kind="task", is_rest=True).runs == 25 - Tally.MOST
    assert TallyDay.objects.get(kind="task", name="task 24").runs == 3


def test_feedback_counts_where_its_run_was_also_when_it_came_first(support: Agent) -> None:
    report(support, "anna", run_id="late", at=NOON)
    report(support, "ben", version=3, at=NOON, rating="positive")
    count_runs()
    assert hour(support, "version", version=0).negative == 1
    run(support, NOON - timedelta(hours=3), external_id="late", version=2, task="refund")
    count_runs()
    assert hour(support, "version", version=2).negative == 1
    assert hour(support, "version", version=3).positive == 1
    assert hour(support, "task", name="refund").negative == 1
    assert (hour(support).reports, hour(support).runs) == (2, 0)


def test_a_run_that_comes_days_late_counts_on_its_day(support: Agent) -> None:
    run(support, timezone.now())
    count_runs()
    run(support, timezone.now() - timedelta(days=9))
    count_runs()
    now = timezone.now()
    assert runs_between(support.pk, now - timedelta(days=9), now - timedelta(days=9)) == 1
    assert runs_between(support.pk, now - timedelta(days=9), now) == 2


def test_counting_again_changes_nothing(support: Agent) -> None:
    run(support, latency_ms=900.0, quality=4.0)
    report(support, "anna", at=NOON)
    fields = [field.name for field in TallyDay._meta.fields if field.name != "id"]
    count_runs()
    first = list(TallyDay.objects.order_by("kind", "version").values(*fields))
    Mark.objects.all().delete()
    count_runs()
    assert list(TallyDay.objects.order_by("kind", "version").values(*fields)) == first


def test_withdrawn_feedback_and_excluded_runs_leave_the_count_and_come_back(support: Agent, mara: User) -> None:
    item, spam = report(support, "anna", at=NOON), run(support)
    count_runs()
    withdraw_feedback(item.pk, actor=COMMAND_LINE)
    exclude(spam, user=mara, reason="A test of ours.")
    count_runs()
    assert not TallyHour.objects.exists()
    assert not TallyDay.objects.exists()
    include(spam, user=mara)
    count_runs()
    assert (hour(support).runs, hour(support).reports) == (1, 0)


def test_a_worker_that_dies_while_counting_leaves_the_hour_due(support: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    run(support)

    class Killed(BaseException):
        pass

    def killed(hours: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(rollups, "recount", killed)
        with pytest.raises(Killed):
            count_runs()
    assert RecountDue.objects.count() == 1
    count_runs()
    assert hour(support).runs == 1
    assert not RecountDue.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_younger", [False, True])
def test_a_run_whose_transaction_commits_after_later_ones_is_counted(
    support: Agent, monkeypatch: pytest.MonkeyPatch, is_younger: bool
) -> None:
    monkeypatch.setattr(fences, "SETTLED", timedelta(0))
    stored, counted = Barrier(2, timeout=20), Barrier(2, timeout=20)

    def slow() -> None:
        try:
            with transaction.atomic():
                run(support, external_id="slow")
                stored.wait()
                counted.wait()
        finally:
            connection.close()

    thread = Thread(target=slow)
    with transaction.atomic():
        if is_younger:  # writes first, so the other has the higher number and yet the lower key
            Agent.objects.filter(pk=support.pk).update(name="Support")
        thread.start()
        stored.wait()
        run(support, external_id="quick")
    for _ in range(5):  # however often it is looked at meanwhile
        count_runs()
    assert hour(support).runs == 1
    counted.wait()
    thread.join()
    count_runs()
    assert hour(support).runs == 2
    last = Run.objects.latest("pk").pk
    for _ in range(400):  # until other writers of the same server have ended, too
        count_runs()
        if Mark.objects.get(work="run hours").upto == last:
            break
        sleep(0.05)
    assert Mark.objects.get(work="run hours").upto == last
    assert count_runs() == 0


@pytest.mark.django_db(transaction=True)
def test_what_is_withdrawn_while_its_hour_is_counted_is_counted_out_next(
    support: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = report(support, "anna", at=NOON)
    count_runs()
    real = rollups.recount

    def withdraw() -> None:
        withdraw_feedback(item.pk, actor=COMMAND_LINE)
        connection.close()

    def meanwhile(hours: set[Hour]) -> None:
        real(hours)
        other = Thread(target=withdraw)
        other.start()
        other.join(timeout=20)  # waits for nobody
        assert not other.is_alive()
        monkeypatch.setattr(rollups, "recount", real)

    monkeypatch.setattr(rollups, "recount", meanwhile)
    RecountDue.objects.create(agent=support, hour=NOON)
    count_runs()
    assert Feedback.objects.counted().count() == 0
    assert not TallyHour.objects.exists()
