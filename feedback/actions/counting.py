"""Keep the counts of patterns true as evidence comes and goes, at a cost that follows what came, not what is there."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Protocol

from django.db import connection
from django.db.models import Count, Max, Min, QuerySet

from feedback.actions import columns, lifecycle, locks, probation
from feedback.models import Evidence, Pattern, PatternSource

_ADD_SOURCES = """
    INSERT INTO feedback_patternsource (pattern_id, source, items)
    SELECT * FROM unnest(%s::bigint[], %s::bytea[], %s::int[])
    ON CONFLICT (pattern_id, source) DO UPDATE SET items = feedback_patternsource.items + excluded.items
    RETURNING pattern_id, (xmax = 0) AS is_new
"""
_ADD_DAYS = """
    INSERT INTO feedback_patternday (pattern_id, day, items)
    SELECT * FROM unnest(%s::bigint[], %s::date[], %s::int[])
    ON CONFLICT (pattern_id, day) DO UPDATE SET items = feedback_patternday.items + excluded.items
"""


class Linked(Protocol):
    """A report that came to a pattern: evidence, or what is stored as such."""

    @property
    def pattern_id(self) -> int: ...
    @property
    def source(self) -> bytes | memoryview: ...
    @property
    def at(self) -> datetime: ...


def add(linked: Sequence[Linked]) -> None:
    """Count new evidence in, name what it changed, and wake the drafter for patterns that recur enough."""
    by_pattern: dict[int, list[Linked]] = defaultdict(list)
    for evidence in linked:
        by_pattern[evidence.pattern_id].append(evidence)
    # Patterns are locked before their rollups, here and in `remove`, so that the two cannot deadlock.
    rows = Pattern.objects.select_for_update(no_key=True, of=("self",)).select_related("agent")
    patterns = list(rows.filter(pk__in=by_pattern).order_by("pk").defer("centroid", "meaning"))
    new_sources = _add_sources(linked)
    _add_days(linked)
    for pattern in patterns:
        _grow(pattern, by_pattern[pattern.pk], new_sources[pattern.pk])
    _store_counts(patterns)
    probation.weigh(patterns)
    lifecycle.react_all(filter(lifecycle.concerns, patterns), lifecycle.Dismissed())


_COUNTS = """
    UPDATE feedback_pattern p
    SET support = new.support, sources = new.sources, first_seen = new.first_seen, last_seen = new.last_seen
    FROM unnest(%s::bigint[], %s::int[], %s::int[], %s::timestamptz[], %s::timestamptz[])
        AS new (id, support, sources, first_seen, last_seen)
    WHERE p.id = new.id
"""


def _store_counts(patterns: Sequence[Pattern]) -> None:
    columns.run(_COUNTS, [(p.pk, p.support, p.sources, p.first_seen, p.last_seen) for p in patterns])


def _grow(pattern: Pattern, came: Sequence[Linked], new_sources: int) -> None:
    times = [evidence.at for evidence in came]
    pattern.support += len(came)
    pattern.sources += new_sources
    pattern.first_seen = min([*times, pattern.first_seen or times[0]])
    pattern.last_seen = max([*times, pattern.last_seen or times[0]])


def _add_sources(linked: Iterable[Linked]) -> Counter[int]:
    """Returns how many sources are new to each pattern."""
    counts = Counter((evidence.pattern_id, bytes(evidence.source)) for evidence in linked)
    rows = sorted((*key, items) for key, items in counts.items())
    return Counter(pattern for pattern, is_new in columns.run(_ADD_SOURCES, rows) if is_new)


def _add_days(linked: Iterable[Linked]) -> None:
    counts = Counter((evidence.pattern_id, _day(evidence.at)) for evidence in linked)
    columns.run(_ADD_DAYS, sorted((*key, items) for key, items in counts.items()))


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()


def remove(evidence: Evidence) -> None:
    """Count one piece of evidence out and unlink it. The caller holds the transaction."""
    locks.hold_groups(evidence.pattern.agent_id)
    evidence.refresh_from_db(fields=["pattern", "source"])  # merged, split or erased since it was read
    pattern = Pattern.objects.select_for_update(no_key=True).get(pk=evidence.pattern_id)
    share = PatternSource.objects.select_for_update().get(pattern=pattern, source=evidence.source)
    if share.items > 1:
        share.items -= 1
        share.save(update_fields=["items"])
    else:
        share.delete()
        pattern.sources -= 1
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE feedback_patternday SET items = items - 1 WHERE pattern_id = %s AND day = %s",
            [pattern.pk, _day(evidence.at)],
        )
    evidence.delete()
    pattern.support -= 1
    first, last = pattern.first_seen, pattern.last_seen
    if first is None or last is None or not first < evidence.at < last:
        span = Evidence.objects.filter(pattern=pattern).aggregate(first=Min("at"), last=Max("at"))
        pattern.first_seen, pattern.last_seen = span["first"], span["last"]
    pattern.save(update_fields=["support", "sources", "first_seen", "last_seen"])


_LESS_SOURCES = """
    UPDATE feedback_patternsource s SET items = s.items - gone.items
    FROM unnest(%s::bigint[], %s::bytea[], %s::int[]) AS gone (pattern, source, items)
    WHERE s.pattern_id = gone.pattern AND s.source = gone.source
"""
_NO_SOURCES = "DELETE FROM feedback_patternsource WHERE pattern_id = ANY(%s) AND items = 0 RETURNING pattern_id"
_LESS_DAYS = """
    UPDATE feedback_patternday d SET items = d.items - gone.items
    FROM unnest(%s::bigint[], %s::date[], %s::int[]) AS gone (pattern, day, items)
    WHERE d.pattern_id = gone.pattern AND d.day = gone.day
"""
_SPANS = """
    SELECT p.id, (SELECT min(at) FROM feedback_evidence WHERE pattern_id = p.id),
        (SELECT max(at) FROM feedback_evidence WHERE pattern_id = p.id)
    FROM unnest(%s::bigint[]) AS p (id)
"""


def remove_all(found: QuerySet[Evidence]) -> list[Evidence]:
    """As `remove`, for much at once; returns what it was. The caller holds the groups, see `locks.hold_groups`."""
    ids = set(found.order_by().values_list("pattern", flat=True))
    rows = Pattern.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    patterns = {pattern.pk: pattern for pattern in rows.defer("centroid", "meaning")}
    gone = list(found.order_by("pk"))
    by_source = Counter((one.pattern_id, bytes(one.source)) for one in gone)
    by_day = Counter((one.pattern_id, _day(one.at)) for one in gone)
    columns.run(_LESS_SOURCES, sorted((*key, items) for key, items in by_source.items()))
    columns.run(_LESS_DAYS, sorted((*key, items) for key, items in by_day.items()))
    Evidence.objects.filter(pk__in=[one.pk for one in gone]).delete()
    lost = Counter(pattern for (pattern,) in columns.read(_NO_SOURCES, [list(patterns)]))
    for pk, first, last in columns.read(_SPANS, [list(patterns)]):
        pattern = patterns[pk]
        pattern.support -= sum(items for (of, _), items in by_source.items() if of == pk)
        pattern.sources -= lost[pk]
        pattern.first_seen, pattern.last_seen = first, last
    _store_counts(list(patterns.values()))
    return gone


_SOURCES_ANEW = """
    INSERT INTO feedback_patternsource (pattern_id, source, items)
    SELECT pattern_id, source, count(*) FROM feedback_evidence WHERE pattern_id = %s GROUP BY pattern_id, source
"""
_DAYS_ANEW = """
    INSERT INTO feedback_patternday (pattern_id, day, items)
    SELECT pattern_id, (at AT TIME ZONE 'UTC')::date, count(*) FROM feedback_evidence WHERE pattern_id = %s
    GROUP BY 1, 2
"""


def recount(pattern: Pattern) -> None:
    """Count all evidence of a pattern anew, after some was moved. The caller has locked the pattern, and saves it."""
    pattern.source_counts.all().delete()
    pattern.days.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(_SOURCES_ANEW, [pattern.pk])
        cursor.execute(_DAYS_ANEW, [pattern.pk])
    found = pattern.evidence.aggregate(items=Count("pk"), first=Min("at"), last=Max("at"))
    pattern.support, pattern.first_seen, pattern.last_seen = found["items"], found["first"], found["last"]
    pattern.sources = pattern.source_counts.count()
