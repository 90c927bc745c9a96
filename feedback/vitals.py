"""Read how agents fare from the tallies: a fixed number of questions over at most a month of hours or days.

Nothing here grows with what ever happened, but for the last calls of each tool and the newest wrong labels, which have
indexes of their own and limits.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final, Literal, NamedTuple

from django.db import connection
from django.db.models import Count, Sum
from django.utils import timezone

from agents.models import Version
from feedback.health import score as scoring
from feedback.health.figures import Figures
from feedback.health.score import Score, Weighed
from feedback.health.sketch import Sketch
from feedback.health.tools import LAST, Call
from feedback.health.wire import SENT, added_up
from feedback.models import Tally, TallyDay, TallyHour

LABELS_READ: Final = 500
"""So many of the newest reports with an expected label are looked at."""
MISSES_SHOWN: Final = 20
OVERALL_DAYS: Final = 30

_SUMS: Final = (
    "runs", "successes", "rated", "quality_sum", "priced", "cost_sum", "reports", "positive", "negative",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time up to now, in `bins` equal parts of `step`, and whether days are fine enough for it."""

    name: Literal["day", "week", "month"]
    since: datetime
    step: timedelta
    bins: int
    by_days: bool

    @property
    def words(self) -> str:
        """“The last 30 days”."""
        return {"day": "The last 24 hours", "week": "The last 7 days", "month": "The last 30 days"}[self.name]

    @property
    def unit(self) -> str:
        """How long one part is, as in runs “a day”."""
        return {"day": "an hour", "week": "in 6 hours", "month": "a day"}[self.name]


SPANS: Final = ("day", "week", "month")


def span(name: str, now: datetime | None = None) -> Span:
    """The last 24 hours, or 7 or 30 days (UTC) with today; the month for any other name."""
    now = (now or timezone.now()).astimezone(UTC)
    today = datetime.combine(now.date(), time(), UTC)
    if name == "day":
        hour = now.replace(minute=0, second=0, microsecond=0)
        return Span("day", hour - timedelta(hours=23), timedelta(hours=1), 24, by_days=False)
    if name == "week":
        return Span("week", today - timedelta(days=6), timedelta(hours=6), 28, by_days=False)
    return Span("month", today - timedelta(days=29), timedelta(days=1), 30, by_days=True)


class Place(NamedTuple):
    """A version, task or tool, as tallies name it; all that is beyond the named ones has `is_rest`."""

    kind: str
    name: str
    version: int
    is_rest: bool


def series(agent_id: int, over: Span) -> list[Figures]:
    """The figures of each part of a span, earliest first; one query."""
    parts = [Figures()] * over.bins
    rows = _rows(over).filter(agent=agent_id, kind=Tally.Kind.ALL)
    for at, *told in rows.values_list("at", *_SUMS, "steps", "counts"):
        begin = at if isinstance(at, datetime) else datetime.combine(at, time(), UTC)
        number = (begin - over.since) // over.step
        if 0 <= number < over.bins:  # a clock that is ahead may report from tomorrow
            parts[number] += _figures(told)
    return parts


def _rows(over: Span) -> "Any":
    if over.by_days:
        return TallyDay.objects.filter(at__gte=over.since.date())
    return TallyHour.objects.filter(at__gte=over.since)


def _figures(told: Sequence[Any]) -> Figures:
    *sums, steps, counts = told
    return Figures(**dict(zip(_SUMS, sums, strict=True)), latency=Sketch(dict(zip(steps, counts, strict=True))))


_ADDED: Final = ", ".join(f"sum({name}){'' if name.endswith('_sum') else '::bigint'}" for name in _SUMS)
_PLACES: Final = f"""
    SELECT kind, name, version, is_rest, {_ADDED}, {SENT} FROM {{table}}
    WHERE agent_id = %s AND kind IN ('version', 'task', 'tool') AND at >= %s GROUP BY 1, 2, 3, 4
"""  # noqa: S608 (names of ours)


def places(agent_id: int, over: Span) -> dict[Place, Figures]:
    """The figures of the busiest versions, tasks and tools of a span, and of the rest; one query."""
    table = TallyHour if over.name == "day" else TallyDay
    with connection.cursor() as cursor:
        cursor.execute(_PLACES.format(table=table._meta.db_table), [agent_id, over.since])
        rows = cursor.fetchall()
    sketches = added_up([row[-2:] for row in rows])
    return _folded(
        {
            Place(*row[:4]): Figures(**dict(zip(_SUMS, row[4:-2], strict=True)), latency=sketch)
            for row, sketch in zip(rows, sketches, strict=True)
        }
    )


def _folded(found: dict[Place, Figures]) -> dict[Place, Figures]:
    """Of each kind the busiest MOST, as in every single tally, and all others in one."""
    kept: dict[Place, Figures] = {}
    taken: Counter[str] = Counter()
    busiest = sorted(found.items(), key=lambda one: (one[0].is_rest, -one[1].runs - one[1].reports, one[0].name))
    for place, told in busiest:
        taken[place.kind] += 1
        if place.is_rest or taken[place.kind] > Tally.MOST:
            place = Place(place.kind, "", 0, True)
        kept[place] = kept[place] + told if place in kept else told
    return kept


def version_figures(
    agent_id: int, document: str, numbers: Collection[int], since: datetime, until: datetime | None = None
) -> dict[int, Figures]:
    """What some versions of a document amount to between two times, the hours of both counted whole; one query.

    A number without runs and feedback in this time has empty figures.
    """
    found = dict.fromkeys(numbers, Figures())
    rows = TallyHour.objects.filter(
        agent=agent_id, kind=Tally.Kind.VERSION, name=document, version__in=found, is_rest=False,
        at__gte=since.astimezone(UTC).replace(minute=0, second=0, microsecond=0), at__lte=until or timezone.now(),
    )  # fmt: skip
    for number, *told in rows.values_list("version", *_SUMS, "steps", "counts"):
        found[number] += _figures(told)
    return found


_WEIGHED: Final = """
    SELECT agent_id, sum(weight * runs), sum(weight * weight * runs), sum(weight * successes), sum(weight * negative),
           sum(reports)::bigint, sum(weight * rated), sum(weight * weight * rated), sum(weight * quality_sum)
    FROM (
        SELECT *, power(2, (at - %(today)s::date) / %(half)s::float) AS weight FROM feedback_tallyday
        WHERE kind = 'all' AND at > %(today)s::date - %(days)s AND at <= %(today)s::date
          AND (%(agent)s::bigint IS NULL OR agent_id = %(agent)s)
    ) AS day GROUP BY agent_id
"""


def scores(agent_id: int | None = None) -> dict[int, Score | None]:
    """The health score of every agent, or of one, that reported anything lately; one query."""
    today = timezone.now().astimezone(UTC).date()
    asked: dict[str, Any] = {"today": today, "half": scoring.HALF_LIFE_DAYS, "days": scoring.DAYS, "agent": agent_id}
    with connection.cursor() as cursor:
        cursor.execute(_WEIGHED, asked)
        return {agent: scoring.score(Weighed(*sums)) for agent, *sums in cursor.fetchall()}


_CALLS: Final = """
    SELECT named.tool, called.* FROM unnest(%s::text[]) AS named (tool)
    CROSS JOIN LATERAL (
        SELECT at, success, latency_ms, document, coalesce(version, 0), input_hash, output_hash, left(error, 200)
        FROM feedback_run
        WHERE agent_id = %s AND tool = named.tool AND tool <> '' AND excluded_at IS NULL ORDER BY at DESC LIMIT %s
    ) AS called
"""


def last_calls(agent_id: int, tools: Iterable[str]) -> dict[str, list[Call]]:
    """The last calls of each of these tools, newest first; one query."""
    found: dict[str, list[Call]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_CALLS, [list(tools), agent_id, LAST])
        for tool, *told in cursor.fetchall():
            found[tool].append(Call(*told))
    return dict(found)


@dataclass(frozen=True, slots=True)
class Miss:
    """How often one label was predicted where another was expected, by one version; version 0 where none is named."""

    document: str
    version: int
    predicted: str
    expected: str
    items: int


_MISSES: Final = """
    SELECT coalesce(run.document, ''), coalesce(run.version, item.version, 0), min(item.predicted), min(item.expected),
           count(*)
    FROM (
        SELECT run_id, version, predicted, expected FROM feedback_feedback
        WHERE agent_id = %(agent)s AND expected <> '' AND at >= %(since)s
          AND withdrawn_at IS NULL AND excluded_at IS NULL ORDER BY at DESC LIMIT %(read)s
    ) AS item
    LEFT JOIN feedback_run AS run
        ON run.agent_id = %(agent)s AND item.run_id <> '' AND run.external_id = item.run_id
    WHERE lower(item.predicted) <> lower(item.expected)
    GROUP BY 1, 2, lower(item.predicted), lower(item.expected) ORDER BY 5 DESC, 2 DESC, 3, 4 LIMIT %(most)s
"""


def misses(agent_id: int, over: Span) -> list[Miss]:
    """Wrong labels among the newest LABELS_READ reports with one, the most frequent first; one query."""
    asked: dict[str, Any] = {"agent": agent_id, "since": over.since, "read": LABELS_READ, "most": MISSES_SHOWN}
    with connection.cursor() as cursor:
        cursor.execute(_MISSES, asked)
        return [Miss(*row) for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Runs, and the versions that came of approved proposals and of rollbacks, since some time."""

    runs: int = 0
    improvements: int = 0
    rollbacks: int = 0


def statistics(
    since: datetime, agent_id: int | None = None, *, runs: int | None = None, but: Collection[int] = ()
) -> Statistics:
    """Of one agent or of all but some, the runs in whole days (UTC); two queries, or one where the runs are known."""
    if runs is None:
        days = TallyDay.objects.filter(kind=Tally.Kind.ALL, at__gte=since.astimezone(UTC).date())
        days = days.exclude(agent__in=but) if agent_id is None else days.filter(agent=agent_id)
        runs = days.aggregate(runs=Sum("runs"))["runs"] or 0
    made = Version.objects.filter(created_at__gte=since)
    made = made.exclude(document__agent__in=but) if agent_id is None else made.filter(document__agent=agent_id)
    origins = dict(made.order_by().values_list("origin").annotate(Count("pk")))
    improvements, rollbacks = (origins.get(origin, 0) for origin in (Version.Origin.PROPOSAL, Version.Origin.ROLLBACK))
    return Statistics(runs, improvements, rollbacks)


def has_reported(agent_id: int) -> bool:
    """Whether anything of an agent was ever counted; one query."""
    return TallyDay.objects.filter(agent=agent_id, kind=Tally.Kind.ALL).exists()
