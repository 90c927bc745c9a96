"""Count hours of runs and feedback anew, and add hours up to days.

Both take rows away and write them again from what is there, in the caller's transaction, so that doing it twice does no
harm, and whatever came, went or was excluded since the last time is taken in.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, Final

from django.db import connection

from feedback.health.sketch import LEAST_MS, LOG_GAMMA
from feedback.models import Tally

Hour = tuple[int, datetime]
"""An agent's key and the beginning of an hour."""

_SUMS: Final = "runs, successes, rated, quality_sum, priced, cost_sum, reports, positive, negative"
_ADDED: Final = ", ".join(
    f"sum({name}){'' if name.endswith('_sum') else '::bigint'} AS {name}" for name in _SUMS.split(", ")
)

_PLACES: Final = """
    CASE WHEN grouping(document) = 0 THEN 'version' WHEN grouping(task) = 0 THEN 'task'
         WHEN grouping(tool) = 0 THEN 'tool' ELSE 'all' END AS kind,
    CASE WHEN grouping(document) = 0 THEN document WHEN grouping(task) = 0 THEN task
         WHEN grouping(tool) = 0 THEN tool ELSE '' END AS name,
    CASE WHEN grouping(version) = 0 THEN version ELSE 0 END AS version, false AS is_rest
"""

# Rows of sums, each with the step of the latencies it has `count` of, or none. The names with most have rows of their
# own, all else is in one. By windows and groups alone: the planner knows nothing of how much there is, and joins of
# what it takes for a single row would take for ever.
# Names of columns are ours, from this file; values travel as parameters.
_FOLDED: Final = f"""
    sized AS (
        SELECT *, sum(runs + reports) OVER (PARTITION BY agent_id, at, kind, is_rest, name, version) AS size FROM long
    ), ranked AS (
        SELECT *, is_rest OR dense_rank() OVER (
            PARTITION BY agent_id, at, kind ORDER BY is_rest, size DESC, name, version
        ) > {Tally.MOST} AS folds
        FROM sized
    ), stepped AS (
        SELECT agent_id, at, kind, CASE WHEN folds THEN '' ELSE name END AS own,
               CASE WHEN folds THEN 0 ELSE version END AS number, folds, step, sum(count)::bigint AS count, {_ADDED}
        FROM ranked GROUP BY 1, 2, 3, 4, 5, 6, 7
    )
    SELECT agent_id, at, kind, own, number, folds, {_ADDED},
           coalesce(array_agg(step ORDER BY step) FILTER (WHERE step IS NOT NULL), '{{}}'),
           coalesce(array_agg(count ORDER BY step) FILTER (WHERE step IS NOT NULL), '{{}}')
    FROM stepped GROUP BY 1, 2, 3, 4, 5, 6
"""  # noqa: S608

_PART: Final = f"kind, name, version, is_rest, {_SUMS}, steps, counts"

# Tallies added up: of what `part` holds, one row for each agent_id and at, and for each place in them.
_ADDED_UP: Final = f"""
    long AS (
        SELECT agent_id, at, kind, name, version, is_rest, NULL::int AS step, 0 AS count, {_SUMS} FROM part
        UNION ALL
        SELECT agent_id, at, kind, name, version, is_rest, step, count, 0, 0, 0, 0, 0, 0, 0, 0, 0
        FROM part, unnest(steps, counts) AS rung (step, count)
    ), {_FOLDED}
"""  # noqa: S608

# OFFSET 0 has the index looked up hour by hour, however little the planner knows of the tables.
# A run that names no document is of its agent's only one, where there is only one. Feedback is counted where its run
# was, and without a run in the version it names.
_HOURS: Final = f"""
    WITH due AS (
        SELECT * FROM unnest(%(agents)s::bigint[], %(hours)s::timestamptz[]) AS due (agent_id, at)
    ), only_one AS (
        SELECT agent_id, min(slug) AS slug FROM agents_document GROUP BY agent_id HAVING count(*) = 1
    ), ran AS (
        SELECT due.agent_id, due.at, coalesce(nullif(run.document, ''), slug, '') AS document,
               coalesce(run.version, 0) AS version, run.task, run.tool, success, quality, cost_usd,
               CASE WHEN latency_ms <= {LEAST_MS} THEN 0 ELSE ceil(ln(latency_ms) / {LOG_GAMMA!r})::int END AS step
        FROM due LEFT JOIN only_one USING (agent_id) CROSS JOIN LATERAL (
            SELECT * FROM feedback_run AS run WHERE run.agent_id = due.agent_id
              AND run.at >= due.at AND run.at < due.at + interval '1 hour' AND excluded_at IS NULL OFFSET 0
        ) AS run
    ), said AS (
        SELECT due.agent_id, due.at, coalesce(nullif(run.document, ''), slug, '') AS document,
               coalesce(run.version, item.version, 0) AS version,
               coalesce(run.task, '') AS task, coalesce(run.tool, '') AS tool, item.rating
        FROM due LEFT JOIN only_one USING (agent_id) CROSS JOIN LATERAL (
            SELECT * FROM feedback_feedback AS item WHERE item.agent_id = due.agent_id
              AND item.at >= due.at AND item.at < due.at + interval '1 hour'
              AND withdrawn_at IS NULL AND excluded_at IS NULL OFFSET 0
        ) AS item LEFT JOIN LATERAL (
            SELECT document, version, task, tool FROM feedback_run AS run
            WHERE item.run_id <> '' AND run.agent_id = due.agent_id AND run.external_id = item.run_id OFFSET 0
        ) AS run ON true
    ), long AS (
        SELECT agent_id, at, {_PLACES}, step, count(step) AS count,
               count(*) AS runs, count(*) FILTER (WHERE success) AS successes,
               count(quality) AS rated, coalesce(sum(quality), 0) AS quality_sum,
               count(cost_usd) AS priced, coalesce(sum(cost_usd), 0) AS cost_sum,
               0 AS reports, 0 AS positive, 0 AS negative
        FROM ran GROUP BY agent_id, at, step, GROUPING SETS ((), (document, version), (task), (tool))
        UNION ALL
        SELECT agent_id, at, {_PLACES}, NULL, 0, 0, 0, 0, 0, 0, 0, count(*),
               count(*) FILTER (WHERE rating = 'positive'), count(*) FILTER (WHERE rating = 'negative')
        FROM said GROUP BY agent_id, at, GROUPING SETS ((), (document, version), (task), (tool))
    ), {_FOLDED}
"""  # noqa: S608

_DAYS: Final = f"""
    WITH part AS MATERIALIZED (
        SELECT due.agent_id, due.day AS at, {_PART}
        FROM unnest(%(agents)s::bigint[], %(days)s::date[]) AS due (agent_id, day) CROSS JOIN LATERAL (
            SELECT * FROM feedback_tallyhour AS tally WHERE tally.agent_id = due.agent_id
              AND tally.kind IN ('all', 'version', 'task', 'tool')
              AND tally.at >= (due.day::timestamp AT TIME ZONE 'UTC')
              AND tally.at < ((due.day + 1)::timestamp AT TIME ZONE 'UTC') OFFSET 0
        ) AS tally
    ), {_ADDED_UP}
"""  # noqa: S608

_COLUMNS: Final = f"agent_id, at, {_PART}"
_FORGET_HOURS: Final = """
    DELETE FROM feedback_tallyhour AS tally
    USING unnest(%(agents)s::bigint[], %(hours)s::timestamptz[]) AS due (agent_id, at)
    WHERE tally.agent_id = due.agent_id AND tally.at = due.at
"""
_FORGET_DAYS: Final = """
    DELETE FROM feedback_tallyday AS tally USING unnest(%(agents)s::bigint[], %(days)s::date[]) AS due (agent_id, at)
    WHERE tally.agent_id = due.agent_id AND tally.at = due.at
"""
_WRITE_HOURS: Final = f"INSERT INTO feedback_tallyhour ({_COLUMNS}) {_HOURS}"
_WRITE_DAYS: Final = f"INSERT INTO feedback_tallyday ({_COLUMNS}) {_DAYS}"


def recount(hours: Iterable[Hour]) -> None:
    """Count these hours, and the days they are in. The caller holds the transaction, and keeps others from doing so."""
    due = sorted(set(hours))
    days = sorted({(agent, _day(hour)) for agent, hour in due})
    with connection.cursor() as cursor:
        whole: dict[str, Any] = {"agents": [agent for agent, _ in due], "hours": [hour for _, hour in due]}
        cursor.execute(_FORGET_HOURS, whole)
        cursor.execute(_WRITE_HOURS, whole)
        rounded: dict[str, Any] = {"agents": [agent for agent, _ in days], "days": [day for _, day in days]}
        cursor.execute(_FORGET_DAYS, rounded)
        cursor.execute(_WRITE_DAYS, rounded)


def _day(hour: datetime) -> date:
    return hour.astimezone(UTC).date()
