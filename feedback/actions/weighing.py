"""What lists say of a pattern without reading its reports: how bad it is, and whether more and more come."""

from typing import Final

from django.db import connection
from django.db.models import F

from feedback.insight import said_by
from feedback.models import Pattern
from feedback.newest import newest
from feedback.severity import severity
from feedback.trends import TREND_DAYS


def weigh(pattern: Pattern) -> None:
    """Find its severity anew; two queries."""
    level = severity(said_by(pattern, newest(pattern))).level
    Pattern.objects.filter(pk=pattern.pk).update(severity=level, weighed_support=pattern.support)


def weigh_changed(agent_id: int) -> None:
    """Those of an agent's patterns that have a proposal, where their reports changed since."""
    changed = Pattern.objects.filter(agent=agent_id, status=Pattern.Status.PROPOSED).exclude(
        weighed_support=F("support")
    )
    for pattern in changed.defer("centroid", "meaning").order_by("pk"):
        weigh(pattern)


# What a miner holds at the moment is left to the next time.
_RISING: Final = f"""
    WITH today (day) AS (
        SELECT (now() AT TIME ZONE 'UTC')::date
    ), rising AS MATERIALIZED (
        SELECT d.pattern_id AS id FROM feedback_patternday d, today t
        WHERE d.day > t.day - {TREND_DAYS} AND d.day <= t.day GROUP BY d.pattern_id
        HAVING 4 * COALESCE(SUM(d.items) FILTER (WHERE d.day > t.day - {TREND_DAYS // 2}), 0)
             > 5 * COALESCE(SUM(d.items) FILTER (WHERE d.day <= t.day - {TREND_DAYS // 2}), 0)
    ), turned AS (
        SELECT id FROM feedback_pattern WHERE NOT is_rising AND id IN (SELECT id FROM rising)
        UNION ALL
        SELECT id FROM feedback_pattern WHERE is_rising AND id NOT IN (SELECT id FROM rising)
    ), free AS (
        SELECT id FROM feedback_pattern WHERE id IN (SELECT id FROM turned) FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE feedback_pattern p SET is_rising = p.id IN (SELECT id FROM rising) FROM free WHERE free.id = p.id
"""  # noqa: S608 (nothing in it comes from outside)


def note_rising() -> int:
    """Say of every pattern whether its trend line rises, as `charts.spark` draws it: a quarter more reports in its
    second half than in its first. How many turned; in one statement, which costs what patterns got in those days.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RISING)
        return cursor.rowcount
