"""Count the runs of each agent and day, at a cost that follows what came in and not what is there.

What came in since the last time says which days to count; a day is counted whole, so doing it twice does no harm.
Keys become visible out of order, so the mark stays behind those of the last minutes, and these are looked at again.
"""

from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max, Sum
from django.utils import timezone

from agents.models import Agent
from feedback.models import Mark, Run, RunDay

MEASURED_DAYS = 7
"""The runs a day are those of so many whole days before today, or of as many as there are since the first."""
SETTLED = timedelta(minutes=5)
"""No transaction that stores runs takes as long."""

_WORK = "run days"
_COUNT = """
    INSERT INTO feedback_runday (agent_id, day, runs)
    SELECT touched.agent_id, touched.day, (
        SELECT count(*) FROM feedback_run AS run WHERE run.agent_id = touched.agent_id
        AND run.at >= (touched.day::timestamp AT TIME ZONE 'UTC')
        AND run.at < ((touched.day + 1)::timestamp AT TIME ZONE 'UTC')
    )
    FROM (
        SELECT DISTINCT agent_id, (at AT TIME ZONE 'UTC')::date AS day FROM feedback_run WHERE id > %s
    ) AS touched
    ON CONFLICT (agent_id, day) DO UPDATE SET runs = excluded.runs
    RETURNING agent_id
"""


@transaction.atomic
def count_runs() -> int:
    """Bring the days and the runs a day of every agent up to date; how many days were counted."""
    Mark.objects.get_or_create(work=_WORK)
    mark = Mark.objects.select_for_update().get(work=_WORK)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [mark.upto])
        counted = len(cursor.fetchall())
    settled = Run.objects.filter(pk__gt=mark.upto, received_at__lt=timezone.now() - SETTLED)
    upto = settled.aggregate(last=Max("pk"))["last"]
    if upto is not None:
        Mark.objects.filter(pk=mark.pk).update(upto=upto)
    _measure()
    return counted


def _measure() -> None:
    """The runs a day of each agent, where they changed."""
    today = timezone.now().astimezone(UTC).date()
    for agent in Agent.objects.order_by("pk"):
        runs_a_day = _runs_a_day(agent, today)
        if runs_a_day != agent.runs_a_day:
            Agent.objects.filter(pk=agent.pk).update(runs_a_day=runs_a_day)


def _runs_a_day(agent: Agent, today: date) -> float:
    """Over the last whole days; over today alone for an agent whose first runs are of today."""
    first = today - timedelta(days=MEASURED_DAYS)
    days = dict(agent.run_days.filter(day__range=(first, today)).values_list("day", "runs"))
    earliest = agent.run_days.order_by("day").values_list("day", flat=True).first()
    if earliest is None or earliest >= today:
        return float(days.get(today, 0))
    whole = (today - max(first, earliest)).days
    return round(sum(runs for day, runs in days.items() if day < today) / whole, 1)


def runs_between(agent_id: int, first: datetime, last: datetime) -> int:
    """The runs of the days (UTC) from one time to another, both days counted whole."""
    days = RunDay.objects.filter(agent=agent_id, day__range=(first.astimezone(UTC).date(), last.astimezone(UTC).date()))
    return days.aggregate(runs=Sum("runs"))["runs"] or 0
