"""What a pattern says about itself: how often, how bad, where, in whose words, and what it is like.

Each read is a fixed number of queries over at most READ of the newest reports, or over rollups; none grows with what
was ever reported.
"""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final, NamedTuple

from django.db import connection
from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import Coalesce, Left
from django.utils import timezone

from feedback import signals
from feedback.actions.rollups import runs_between
from feedback.mining import Kind
from feedback.mining.typical import typical
from feedback.models import Evidence, Feedback, Pattern, Run
from feedback.rates import Rate, rate
from feedback.related import Related, related
from feedback.severity import Said, Severity, severity

READ: Final = 300
TEXTS: Final = 80
TEXT: Final = 400
RATE_DAYS: Final = 14
PLACES: Final = 8
HINTS: Final = 300
"""So many of the newest reports with signals are looked at."""

_WORDLESS: Final = dict.fromkeys(("rating", "reason_code", "reason", "correction", "edited_output", "expected"), "")

_PLACES = """
    SELECT coalesce(nullif(own.tool, ''), behind.tool, ''), coalesce(nullif(own.task, ''), behind.task, ''), count(*)
    FROM (
        SELECT run_id, feedback_id FROM feedback_evidence WHERE pattern_id = %s ORDER BY at DESC, id DESC LIMIT %s
    ) AS evidence
    LEFT JOIN feedback_run AS own ON own.id = evidence.run_id
    LEFT JOIN feedback_feedback AS said ON said.id = evidence.feedback_id AND said.run_id <> ''
    LEFT JOIN feedback_run AS behind ON behind.agent_id = %s AND behind.external_id = said.run_id
    GROUP BY 1, 2
"""


class Counted(NamedTuple):
    """A tool or a task, and how many of the newest reports concern it."""

    name: str
    items: int


@dataclass(frozen=True, slots=True)
class Places:
    """Where it happens; `main` is the field and name that three quarters of the reports with a place concern."""

    tools: list[Counted]
    tasks: list[Counted]
    main: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Hints:
    """Implicit signals of runs in the place a pattern is about, from `sources` that said no word: their `weight`.

    `observed` has each signal in words with its number of sources.
    """

    weight: float
    sources: int
    observed: list[Counted]
    place: str


@dataclass(frozen=True, slots=True)
class Examples:
    """The report most like all the others, and the ones least like it."""

    medoid: Evidence
    different: list[Evidence]


class Insight:
    """All of it for one pattern; each part is asked for when it is needed."""

    def __init__(self, pattern: Pattern) -> None:
        self.pattern = pattern

    @cached_property
    def rate(self) -> Rate | None:
        """Reports per run in the last RATE_DAYS days up to today (UTC); None for an agent that reports no runs."""
        last = timezone.now()
        first = last - timedelta(days=RATE_DAYS - 1)
        days = self.pattern.days.filter(day__range=(first.astimezone(UTC).date(), last.astimezone(UTC).date()))
        return rate(days.aggregate(items=Sum("items"))["items"] or 0, runs_between(self.pattern.agent_id, first, last))

    @cached_property
    def severity(self) -> Severity:
        """By the newest reports."""
        return severity(said_by(self.pattern))

    @cached_property
    def places(self) -> Places:
        """By the newest reports."""
        return places_of(self.pattern)

    @cached_property
    def versions(self) -> list[tuple[int | None, int]]:
        """The versions the newest reports are about, with their number, newest first; None for what names none."""
        newest = _newest(self.pattern).values("pk")[:READ]
        rows = Evidence.objects.filter(pk__in=newest).annotate(of=Coalesce("feedback__version", "run__version"))
        counts = rows.values_list("of").annotate(items=Count("pk")).order_by()
        return sorted(counts, key=lambda row: (row[0] is None, -(row[0] or 0)))

    @cached_property
    def examples(self) -> Examples | None:
        """Among the newest reports; None where there are fewer than three with words."""
        return examples_of(self.pattern)

    @cached_property
    def hints(self) -> Hints | None:
        """Of the last RATE_DAYS days; None without any."""
        now = timezone.now()
        return hints(self.pattern, self.places, since=now - timedelta(days=RATE_DAYS), until=now)

    @cached_property
    def related(self) -> Related:
        return related(self.pattern)


def _newest(pattern: Pattern) -> "QuerySet[Evidence]":
    return pattern.evidence.order_by("-at", "-pk")


def said_by(pattern: Pattern) -> list[Said]:
    """What the newest reports say of how bad it is; one query."""
    rows = _newest(pattern).annotate(fix=Left("feedback__correction", 1))
    fields = ("source", "run", "feedback__rating", "feedback__reason_code", "feedback__signals", "fix")
    weighed, kind = signals.weights(), pattern.kind
    return [
        Said(
            bytes(source),
            failed=run is not None,
            rating=rating or "",
            reason_code=code or "",
            complained=kind == Kind.COMPLAINT,
            missed=kind == Kind.MISLABEL,
            corrected=bool(fix) or kind == Kind.CORRECTION,
            signals=[name for name in signals.sent(sent) if name in weighed],
        )
        for source, run, rating, code, sent, fix in rows.values_list(*fields)[:READ]
    ]


def places_of(pattern: Pattern) -> Places:
    """Tools and tasks of the newest reports, those of the runs behind feedback included; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_PLACES, [pattern.pk, READ, pattern.agent_id])
        rows = cursor.fetchall()
    tools, tasks = Counter[str](), Counter[str]()
    for tool, task, items in rows:
        tools[tool] += items
        tasks[task] += items
    counted = {"tool": _counted(tools), "task": _counted(tasks)}
    main = next((found for field in counted if (found := _main(field, counted[field]))), None)
    return Places(counted["tool"], counted["task"], main)


def _counted(counts: Counter[str]) -> list[Counted]:
    found = [Counted(name, items) for name, items in counts.items() if name]
    return sorted(found, key=lambda one: (-one.items, one.name))[:PLACES]


def _main(field: str, counted: list[Counted]) -> tuple[str, str] | None:
    if counted and counted[0].items >= 2 and counted[0].items * 4 >= 3 * sum(one.items for one in counted):
        return field, counted[0].name
    return None


def examples_of(pattern: Pattern) -> Examples | None:
    """The medoid of the newest reports and the ones least like it, each from another source; two queries."""
    said = [f"feedback__{name}" for name in ("correction", "edited_output", "reason", "input")]
    cut = {f"said_{number}": Left(field, TEXT) for number, field in enumerate([*said, "run__error"])}
    fields = ("pk", "source", *cut)
    found: dict[bytes, tuple[int, str]] = {}
    for pk, source, *texts in _newest(pattern).annotate(**cut).values_list(*fields)[:TEXTS]:
        found.setdefault(bytes(source), (pk, next(filter(None, texts), "")))
    rows = list(found.values())
    best = typical([text for _, text in rows]) if len(rows) >= 3 else None
    if best is None:
        return None
    keys = [rows[place][0] for place in (best.medoid, *best.different)]
    shown = Evidence.objects.select_related("feedback", "run").in_bulk(keys)
    medoid, *different = [shown[key] for key in keys if key in shown]
    return Examples(medoid, different)


def hints(pattern: Pattern, places: Places, *, since: datetime, until: datetime) -> Hints | None:
    """What runs in the pattern's main place signalled, from sources that did not say it in words; three queries.

    A source counts once, by the heaviest of its signals, so its weight is always less than a report's.
    """
    if places.main is None or pattern.kind == Kind.SUCCESS:
        return None
    weighed, (field, name) = signals.weights(), places.main
    wordless = Feedback.objects.counted().filter(agent=pattern.agent_id, signals__isnull=False, **_WORDLESS)
    rows = wordless.filter(at__gt=since, at__lte=until).exclude(run_id="").order_by("-at")
    sent = list(rows.values_list("run_id", "source", "signals")[:HINTS])
    there = Run.objects.filter(agent=pattern.agent_id, external_id__in={run for run, _, _ in sent}, **{field: name})
    runs = set(there.values_list("external_id", flat=True)) if sent else set()
    observed: dict[bytes, set[str]] = defaultdict(set)
    for run, source, values in sent:
        if run in runs:
            observed[bytes(source)].update(one for one in signals.sent(values) if one in weighed)
    return _weighed({source: names for source, names in observed.items() if names}, pattern, weighed, name)


def _weighed(observed: dict[bytes, set[str]], pattern: Pattern, weighed: dict[str, float], place: str) -> Hints | None:
    spoke = pattern.source_counts.filter(source__in=list(observed)).values_list("source", flat=True) if observed else ()
    silent = {source: names for source, names in observed.items() if source not in set(map(bytes, spoke))}
    counts = Counter(name for names in silent.values() for name in names)
    if not counts:
        return None
    weight = math.fsum(max(weighed[name] for name in names) for names in silent.values())
    told = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return Hints(round(weight, 2), len(silent), [Counted(signals.in_words(name), items) for name, items in told], place)
