"""Keep the tallies of runs and feedback true, at a cost that follows what came in and not what is there.

What came in since the last time says which hours are due; so does whoever withdraws or excludes something. An hour that
is due is counted whole and its row taken off the list in one transaction: a worker that dies leaves it on the list, and
counting it twice does no harm. Feedback is counted where its run was, so a run that comes after it makes the feedback's
hour due as well.

Marks move as `feedback.actions.fences` says.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import DateField, Max, Min
from django.utils import timezone

from agents.compiled import Compiled, Given, key
from agents.models import Agent
from feedback.actions.fences import pass_fence
from feedback.actions.tallies import Hour, recount
from feedback.models import Feedback, Mark, RecountDue, Run, Tally, TallyDay
from feedback.models.report import Report

MEASURED_DAYS: Final = 7
"""The runs a day are those of so many whole days before today, or of as many as there are since the first."""
AT_ONCE: Final = 240
"""Hours counted in one transaction."""

RUN_HOURS, _FEEDBACK = "run hours", "feedback hours"
FINAL: Final = "final hours"
"""Of this work `upto` is a time, in seconds since 1970: see `feedback.actions.finality`."""
_RUNS: Final = Compiled(
    lambda: TallyDay.objects.filter(
        agent=key("agent"), kind=Tally.Kind.ALL, at__range=(Given("first", DateField()), Given("last", DateField()))
    ).values_list("runs", flat=True)
)
_DUE_RUNS = """
    INSERT INTO feedback_recountdue (agent_id, hour)
    SELECT agent_id, date_trunc('hour', at, 'UTC') FROM feedback_run WHERE id > %(upto)s
    UNION
    SELECT item.agent_id, date_trunc('hour', item.at, 'UTC') FROM feedback_run AS run
    JOIN feedback_feedback AS item ON item.agent_id = run.agent_id AND item.run_id = run.external_id
    WHERE run.id > %(upto)s AND item.run_id <> ''
"""
_DUE_FEEDBACK = """
    INSERT INTO feedback_recountdue (agent_id, hour)
    SELECT DISTINCT agent_id, date_trunc('hour', at, 'UTC') FROM feedback_feedback WHERE id > %(upto)s
"""
_TAKE = """
    DELETE FROM feedback_recountdue AS due USING (
        SELECT DISTINCT agent_id, hour FROM feedback_recountdue ORDER BY agent_id, hour LIMIT %s
    ) AS first WHERE due.agent_id = first.agent_id AND due.hour = first.hour
    RETURNING due.agent_id, due.hour
"""


def count_runs() -> int:
    """Bring the tallies and the runs a day of every agent up to date; how many hours were counted."""
    _look(RUN_HOURS, Run, _DUE_RUNS)
    _look(_FEEDBACK, Feedback, _DUE_FEEDBACK)
    counted = 0
    while some := _count_some():
        counted += some
    _measure()
    return counted


def due(report: Report) -> None:
    """Have the hour of one report counted anew, for it counts no more or counts again."""
    hour = report.at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    RecountDue.objects.create(agent_id=report.agent_id, hour=hour)


@transaction.atomic
def _look(work: str, table: type[Run] | type[Feedback], note: str) -> None:
    """Note the hours of what came in since the mark, and move it as far as is safe."""
    Mark.objects.get_or_create(work=work)
    mark = Mark.objects.select_for_update().get(work=work)
    # In this order: what the fence lets through is seen by the question after it, and noted is only what was there.
    mark.fence, is_past = pass_fence(mark.fenced_at, mark.fence)
    last = table.objects.aggregate(last=Max("pk"))["last"] or 0
    with connection.cursor() as cursor:
        cursor.execute(note, {"upto": mark.upto})
    if is_past:
        mark.upto = mark.next_upto
    if is_past or mark.fenced_at is None:
        mark.next_upto, mark.fence, mark.fenced_at = max(last, mark.upto), None, timezone.now()
    mark.save()


@transaction.atomic
def _count_some() -> int:
    """Count some of the hours that are due, or take them off the list where they are final; how many."""
    Mark.objects.select_for_update().get(work=RUN_HOURS)  # one at a time
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [AT_ONCE])
        taken: set[Hour] = set(cursor.fetchall())
    until = final_until()
    # The next question sees at least all that was committed with the rows just taken.
    if counted := {(agent, hour) for agent, hour in taken if hour >= until}:
        recount(counted)
    return len(taken)


def final_until() -> datetime:
    """The beginning of the first hour that is counted anew when something in it changes."""
    seconds = Mark.objects.filter(work=FINAL).values_list("upto", flat=True).first()
    return datetime.fromtimestamp(seconds or 0, UTC)


def _measure() -> None:
    """The runs a day of each agent, where they changed."""
    today = timezone.now().astimezone(UTC).date()
    first = today - timedelta(days=MEASURED_DAYS)
    days: dict[int, dict[date, int]] = {}
    whole = TallyDay.objects.filter(kind=Tally.Kind.ALL)
    for agent, day, runs in whole.filter(at__range=(first, today), runs__gt=0).values_list("agent", "at", "runs"):
        days.setdefault(agent, {})[day] = runs
    earliest = dict(whole.filter(runs__gt=0).values_list("agent").annotate(first=Min("at")).order_by())
    for pk, before in Agent.objects.values_list("pk", "runs_a_day"):
        runs_a_day = _runs_a_day(days.get(pk, {}), earliest.get(pk), today)
        if runs_a_day != before:
            Agent.objects.filter(pk=pk).update(runs_a_day=runs_a_day)


def _runs_a_day(days: dict[date, int], earliest: date | None, today: date) -> float:
    """Over the last whole days; over today alone for an agent whose first runs are of today."""
    if earliest is None or earliest >= today:
        return float(days.get(today, 0))
    whole = min(MEASURED_DAYS, (today - earliest).days)
    return round(sum(runs for day, runs in days.items() if day < today) / whole, 1)


def runs_between(agent_id: int, first: datetime, last: datetime) -> int:
    """The runs of the days (UTC) from one time to another, both days counted whole."""
    between = (first.astimezone(UTC).date(), last.astimezone(UTC).date())
    return sum(_RUNS.ask(agent=agent_id, first=between[0], last=between[1]))
