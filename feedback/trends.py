"""How many reports patterns got, day by day."""

from collections import defaultdict
from collections.abc import Set
from datetime import timedelta

from django.utils import timezone

from feedback.models import PatternDay

TREND_DAYS = 14


def trends(pattern_ids: Set[int], *, days: int = TREND_DAYS) -> dict[int, list[int]]:
    """Reports per day of each pattern, oldest first, up to today (UTC), in one query; silent patterns are left out."""
    today = timezone.now().date()
    first = today - timedelta(days=days - 1)
    found: dict[int, list[int]] = defaultdict(lambda: [0] * days)
    rows = PatternDay.objects.filter(pattern__in=pattern_ids, day__range=(first, today))
    for pattern, day, items in rows.values_list("pattern", "day", "items"):
        found[pattern][(day - first).days] = items
    return dict(found)
