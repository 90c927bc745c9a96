"""One pattern's days as a chart, with the version that was to end it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, timedelta

from django.utils import timezone

from feedback.charts import Bar, Mark, bars
from feedback.models import Pattern

LEAST_DAYS, MOST_DAYS = 30, 90
BEFORE = 10
"""So many days before the version that answers a pattern are shown with it."""
WIDTH, HEIGHT = 630, 72


@dataclass(frozen=True, slots=True)
class PatternTime:
    """The days (UTC), oldest first, each with its reports; `bars` are red where `answer` did not help."""

    days: list[tuple[date, int]]
    answer: str
    answered_on: date | None
    bars: list[Bar]
    marks: list[Mark]
    top: int
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def busy(self) -> list[tuple[date, int]]:
        """The days with reports, newest first."""
        return [(day, items) for day, items in reversed(self.days) if items]


def timeline(pattern: Pattern, known: Mapping[date, int]) -> PatternTime:
    """The last days up to today, more of them if the answer is older. `known` has the reports of each of the last
    MOST_DAYS days that had any.
    """
    today = timezone.now().astimezone(UTC).date()
    answered = pattern.answered_at.astimezone(UTC).date() if pattern.answered_at else None
    count = LEAST_DAYS if answered is None else (today - answered).days + BEFORE
    first = today - timedelta(days=min(max(count, LEAST_DAYS), MOST_DAYS) - 1)
    items = {day: count for day, count in known.items() if first <= day <= today}
    dates = [first + timedelta(days=number) for number in range((today - first).days + 1)]
    days = [(day, items.get(day, 0)) for day in dates]
    named = f"version {pattern.answered_by.number}" if pattern.answered_by else ""
    drawn = [(count, count if answered and day > answered else 0) for day, count in days]
    step = WIDTH / len(days)
    marks = [Mark(round(number * step, 1), named.capitalize()) for number, day in enumerate(dates) if day == answered]
    return PatternTime(
        days, named, answered, bars(drawn, width=WIDTH, height=HEIGHT), marks, max(items.values() or [0])
    )
