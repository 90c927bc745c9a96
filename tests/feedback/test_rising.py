"""Which patterns rise, as lists have it without adding up days."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Event, Thread

import pytest
from django.db import connection, transaction

from agents.models import Agent
from feedback.actions.weighing import note_rising
from feedback.charts import spark
from feedback.models import Pattern, PatternDay
from feedback.tasks import note_rising as tick
from feedback.trends import trends


def pattern(agent: Agent, reports: Sequence[int]) -> Pattern:
    """One with so many reports on each of the last days, the newest last."""
    made = Pattern.objects.create(agent=agent, kind="complaint", status=Pattern.Status.OPEN)
    today = datetime.now(UTC).date()
    days = [(today - timedelta(days=ago), items) for ago, items in enumerate(reversed(reports))]
    PatternDay.objects.bulk_create(PatternDay(pattern=made, day=day, items=items) for day, items in days)
    return made


def rising() -> set[int]:
    return set(Pattern.objects.filter(is_rising=True).values_list("pk", flat=True))


@pytest.mark.django_db
def test_it_is_those_whose_trend_line_says_so(support: Agent) -> None:
    chance = Random(7)
    many = [pattern(support, [chance.choice((0, 0, 1, 1, 2, 3)) for _ in range(20)]) for _ in range(120)]
    many += [pattern(support, days) for days in ([4] * 7 + [5] * 7, [4] * 7 + [5] * 6 + [6], [9] + [0] * 14, [0] * 14)]
    lines = {key: spark(days, width=88, height=20) for key, days in trends({one.pk for one in many}).items()}
    expected = {key for key, line in lines.items() if line and line.rising}
    assert note_rising() == len(expected)
    assert rising() == expected
    assert len(many) > len(expected) > 10
    assert note_rising() == 0


@pytest.mark.django_db
def test_what_rises_no_more_is_noted_as_well(support: Agent) -> None:
    one, other = pattern(support, [0] * 7 + [1] * 7), pattern(support, [1] * 14)
    tick()
    assert rising() == {one.pk}
    one.days.update(items=0)
    PatternDay.objects.create(pattern=other, day=datetime.now(UTC).date() + timedelta(days=1), items=50)
    tick()
    assert rising() == set()


@pytest.mark.django_db(transaction=True)
def test_it_waits_for_nobody_who_holds_a_pattern(support: Agent) -> None:
    held, free = pattern(support, [1]), pattern(support, [1])
    holding, done = Event(), Event()

    def miner() -> None:
        with transaction.atomic():
            Pattern.objects.select_for_update(no_key=True).get(pk=held.pk)
            holding.set()
            done.wait(20)
        connection.close()

    thread = Thread(target=miner)
    thread.start()
    assert holding.wait(20)
    try:
        assert note_rising() == 1
        assert rising() == {free.pk}
    finally:
        done.set()
        thread.join()
    assert note_rising() == 1
    assert rising() == {held.pk, free.pk}
