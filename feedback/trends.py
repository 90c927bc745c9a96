"""How many reports patterns got, day by day."""

from collections import defaultdict
from collections.abc import Set
from datetime import timedelta
from typing import Any

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
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


def rising_patterns() -> "QuerySet[PatternDay, Any]":
    """Keys of the patterns whose trend line rises: a quarter more reports in its second half than in its first."""
    today = timezone.now().date()
    half = today - timedelta(days=TREND_DAYS // 2)
    late, early = Q(day__gt=half), Q(day__lte=half)
    shown = PatternDay.objects.filter(day__range=(today - timedelta(days=TREND_DAYS - 1), today)).values("pattern")
    halves = shown.annotate(late=Coalesce(Sum("items", filter=late), 0), early=Coalesce(Sum("items", filter=early), 0))
    return halves.filter(late__gt=F("early") * 1.25).values("pattern")
