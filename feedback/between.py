"""How much there was between two moments: runs, praise and reports of patterns, exactly, at a cost that does not grow.

Whole days and hours come from what was counted already. Only the hours, and for patterns the days, that a moment falls
into are counted from the reports themselves.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Q, Sum

from feedback.models import Evidence, Feedback, Pattern, PatternDay, Run, Tally, TallyDay, TallyHour

Stretch = tuple[datetime, datetime]
"""From one moment on, up to and without another."""
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


class Told(NamedTuple):
    """An agent's runs, and what people were content with."""

    runs: int
    praise: int


def told(agent_id: int, since: datetime, until: datetime) -> Told:
    """Of one agent; at most four queries."""
    hours, edges = _whole((since, until), _HOUR)
    days, around = _whole(hours, _DAY) if hours else (None, [])
    runs, praise = 0, 0
    if days:
        counted = TallyDay.objects.filter(agent=agent_id, kind=Tally.Kind.ALL, at__range=_dates(days))
        runs, praise = _added(counted.aggregate(runs=Sum("runs"), praise=Sum("positive")))
    if around:
        by_hour = TallyHour.objects.filter(_within(around), agent=agent_id, kind=Tally.Kind.ALL)
        more, content = _added(by_hour.aggregate(runs=Sum("runs"), praise=Sum("positive")))
        runs, praise = runs + more, praise + content
    if edges:
        runs += Run.objects.filter(_within(edges), agent=agent_id, excluded_at=None).count()
        praise += Feedback.objects.praise().filter(_within(edges), agent=agent_id).order_by().count()
    return Told(runs, praise)


def items(patterns: Collection[int], since: datetime, until: datetime) -> Counter[int]:
    """The reports of each of these patterns; two queries."""
    days, edges = _whole((since, until), _DAY)
    found: Counter[int] = Counter()
    if days:
        rows = PatternDay.objects.filter(pattern__in=patterns, day__range=_dates(days)).values("pattern")
        found.update(dict(rows.annotate(sum=Sum("items")).values_list("pattern", "sum").order_by()))
    if edges:
        reports = Evidence.objects.filter(_within(edges), pattern__in=patterns).values("pattern")
        found.update(dict(reports.annotate(count=Count("pk")).values_list("pattern", "count").order_by()))
    return found


def loudest(agent_id: int, since: datetime, until: datetime, *, most: int) -> dict[int, str]:
    """The agent's patterns with most reports on these days, with their names; praise is no trouble."""
    between = (since.astimezone(UTC).date(), until.astimezone(UTC).date())
    rows = Pattern.objects.shown().exclude(kind=Pattern.Kind.SUCCESS).filter(agent=agent_id, days__day__range=between)
    ranked = rows.annotate(sum=Sum("days__items")).order_by("-sum", "pk").defer("centroid", "meaning")[:most]
    return {pattern.pk: str(pattern) for pattern in ranked}


def _added(sums: Mapping[str, int | None]) -> Told:
    return Told(sums["runs"] or 0, sums["praise"] or 0)


def _dates(days: Stretch) -> tuple[date, date]:
    """The first and the last of whole days."""
    return days[0].date(), (days[1] - _DAY).date()


def _whole(stretch: Stretch, step: timedelta) -> tuple[Stretch | None, list[Stretch]]:
    """The whole hours or days (UTC) in it, and what is left at its ends."""
    since, until = (moment.astimezone(UTC) for moment in stretch)
    first, last = _floor(since, step), _floor(until, step)
    first += step if first < since else timedelta(0)
    if first >= last:
        return None, [(since, until)] if since < until else []
    ends = [(since, first), (last, until)]
    return (first, last), [(start, end) for start, end in ends if start < end]


def _floor(moment: datetime, step: timedelta) -> datetime:
    hour = moment.replace(minute=0, second=0, microsecond=0)
    return hour if step == _HOUR else hour.replace(hour=0)


def _within(stretches: Iterable[Stretch]) -> Q:
    found = Q()
    for since, until in stretches:
        found |= Q(at__gte=since, at__lt=until)
    return found
