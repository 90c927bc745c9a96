"""How many reports patterns got, day by day."""

from collections import defaultdict
from collections.abc import Set
from datetime import date, timedelta
from typing import Final

from django.db.models import DateField
from django.utils import timezone

from agents.compiled import Compiled, Given, keys
from feedback.models import PatternDay

TREND_DAYS = 14
_DAYS: Final = Compiled(
    lambda: PatternDay.objects.filter(
        **{"pattern__pk__any_of": keys("patterns")},
        day__range=(Given("first", DateField()), Given("last", DateField())),
    ).values_list("pattern", "day", "items")
)


def trends(pattern_ids: Set[int], *, days: int = TREND_DAYS) -> dict[int, list[int]]:
    """Reports per day of each pattern, oldest first, up to today (UTC), in one query; silent patterns are left out."""
    today = timezone.now().date()
    first = today - timedelta(days=days - 1)
    found: dict[int, list[int]] = defaultdict(lambda: [0] * days)
    for pattern, day, items in _DAYS.ask(patterns=list(pattern_ids), first=first, last=today) if pattern_ids else ():
        found[pattern][(day - first).days] = items
    return dict(found)


def days_of(pattern: int, first: date, last: date) -> dict[date, int]:
    """Reports of one pattern on each of these days that had any, both ends included."""
    return {day: items for _, day, items in _DAYS.ask(patterns=[pattern], first=first, last=last)}
