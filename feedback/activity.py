"""What an agent's runs and feedback amount to, day by day."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from agents.models import Agent, Release
from feedback.charts import Bar, bars
from feedback.models import Feedback, Run

DAYS = 21
WIDTH, HEIGHT = 630, 96


@dataclass(frozen=True, slots=True)
class Day:
    """One day (UTC) of one agent, with the versions that became current on it, as “System prompt v5”."""

    day: date
    runs: int
    failed: int
    feedback: int
    negative: int
    releases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A release in a chart: where it stands, and what it was."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Activity:
    """The days, oldest first, and the two charts drawn from them; `top_…` is the highest day of each."""

    days: list[Day]
    runs: list[Bar]
    feedback: list[Bar]
    marks: list[Mark]
    top_runs: int
    top_feedback: int
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def is_empty(self) -> bool:
        return not (self.top_runs or self.top_feedback)


def activity(agent: Agent, *, days: int = DAYS) -> Activity:
    """The last days up to today, in three queries."""
    today = timezone.now().date()
    dates = [today - timedelta(days=days - 1 - i) for i in range(days)]
    first = datetime.combine(dates[0], time(), UTC)
    runs = _per_day(Run.objects.filter(agent=agent, at__gte=first), Q(success=False))
    counted = Feedback.objects.counted().filter(agent=agent, at__gte=first)
    reports = _per_day(counted, Q(rating=Feedback.Rating.NEGATIVE))
    releases = _releases(agent, first)
    told = [Day(day, *runs.get(day, (0, 0)), *reports.get(day, (0, 0)), tuple(releases.get(day, ()))) for day in dates]
    return Activity(
        days=told,
        runs=bars([(day.runs, day.failed) for day in told], width=WIDTH, height=HEIGHT),
        feedback=bars([(day.feedback, day.negative) for day in told], width=WIDTH, height=HEIGHT),
        marks=_marks(told),
        top_runs=max(day.runs for day in told),
        top_feedback=max(day.feedback for day in told),
    )


def _per_day(rows: QuerySet[Run] | QuerySet[Feedback], bad: Q) -> dict[date, tuple[int, int]]:
    counts = rows.order_by().annotate(day=TruncDate("at")).values("day")
    counts = counts.annotate(everything=Count("at"), bad=Count("at", filter=bad))  # of an index alone
    return {day: (everything, failed) for day, everything, failed in counts.values_list("day", "everything", "bad")}


def _releases(agent: Agent, first: datetime) -> dict[date, list[str]]:
    found: dict[date, list[str]] = {}
    rows = Release.objects.filter(document__agent=agent, at__gte=first).order_by("at")
    for at, name, number in rows.values_list("at", "document__name", "version__number")[:200]:
        found.setdefault(at.date(), []).append(f"{name} v{number}")
    return found


def _marks(days: list[Day]) -> list[Mark]:
    step = WIDTH / len(days)
    return [Mark(round(i * step, 1), ", ".join(day.releases)) for i, day in enumerate(days) if day.releases]
