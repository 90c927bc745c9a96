"""What a pattern says about itself: how often, how bad, where, in whose words, and what it is like.

Each read is a fixed number of queries over at most so many of the newest reports, or over rollups; none grows with
what was ever reported.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Final, NamedTuple

from django.db.models import DateTimeField
from django.utils import timezone

from agents.compiled import Compiled, Given, key
from feedback import signals
from feedback.actions.rollups import runs_between
from feedback.contrast import Contrast, contrast
from feedback.mining import Kind
from feedback.mining.typical import typical
from feedback.models import Evidence, Feedback, Pattern, Run
from feedback.newest import TEXTS, Report, newest
from feedback.rates import Rate, rate
from feedback.related import Related, related
from feedback.severity import Said, Severity, severity
from feedback.timeline import MOST_DAYS
from feedback.trends import days_of
from people.models import User

RATE_DAYS: Final = 14
CONTRASTED: Final = 300
PLACES: Final = 8
HINTS: Final = 300
"""So many of the newest reports with signals are looked at."""

_WORDLESS: Final = dict.fromkeys(("rating", "reason_code", "reason", "correction", "edited_output", "expected"), "")
_SENT: Final = Compiled(
    lambda: (
        Feedback.objects.counted()
        .filter(agent=key("agent"), signals__isnull=False, **_WORDLESS)
        .filter(at__gt=Given("since", DateTimeField()), at__lte=Given("until", DateTimeField()))
        .exclude(run_id="")
        .order_by("-at")
        .values_list("run_id", "source", "signals")[:HINTS]
    )
)


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
    """All of it for one pattern; each part is asked for when it is needed.

    `user` is who reads it, None for a caller that leaves out by itself what is not to be seen. `is_shared` is False for
    a pattern that is known to be of one agent alone.
    """

    def __init__(self, pattern: Pattern, user: User | None = None, *, is_shared: bool = True) -> None:
        self.pattern, self._user = pattern, user
        self._is_shared = is_shared

    @cached_property
    def newest(self) -> list[Report]:
        """What most of it is read from."""
        return newest(self.pattern)

    @cached_property
    def days(self) -> dict[date, int]:
        """How many reports came on each of the last MOST_DAYS days up to today (UTC) that had any."""
        last = timezone.now().astimezone(UTC).date()
        return days_of(self.pattern.pk, last - timedelta(days=MOST_DAYS - 1), last)

    @cached_property
    def rate(self) -> Rate | None:
        """Reports per run in the last RATE_DAYS days up to today (UTC); None for an agent that reports no runs."""
        last = timezone.now()
        first = last - timedelta(days=RATE_DAYS - 1)
        items = sum(items for day, items in self.days.items() if day >= first.astimezone(UTC).date())
        return rate(items, runs_between(self.pattern.agent_id, first, last))

    @cached_property
    def severity(self) -> Severity:
        """By the newest reports."""
        return severity(said_by(self.pattern, self.newest))

    @cached_property
    def places(self) -> Places:
        """By the newest reports."""
        return places_in(self.newest)

    @cached_property
    def versions(self) -> list[tuple[int | None, int]]:
        """The versions the newest reports are about, with their number, newest first; None for what names none."""
        counts = Counter(report.version for report in self.newest)
        return sorted(counts.items(), key=lambda row: (row[0] is None, -(row[0] or 0)))

    @cached_property
    def examples(self) -> Examples | None:
        """Among the newest reports; None where there are fewer than three with words."""
        keys = self.example_keys
        shown = Evidence.objects.select_related("feedback", "run").in_bulk(keys) if keys else {}
        return examples_among(shown, keys)

    @cached_property
    def example_keys(self) -> list[int]:
        """Which evidence these are: the medoid's key first; empty where there are none."""
        return _typical(self.newest[:TEXTS])

    @cached_property
    def contrast(self) -> Contrast | None:
        """Of wrong labels; None where no words tell them apart."""
        if self.pattern.kind != Kind.MISLABEL:
            return None
        rows = self.pattern.evidence.select_related("feedback").defer("feedback__output", "feedback__metadata")
        found = contrast(list(rows.order_by("-at", "-pk")[:CONTRASTED]))
        return found if found and (found.for_expected or found.for_predicted) else None

    @cached_property
    def hints(self) -> Hints | None:
        """Of the last RATE_DAYS days; None without any."""
        now = timezone.now()
        return hints(self.pattern, self.places, since=now - timedelta(days=RATE_DAYS), until=now)

    @cached_property
    def related(self) -> Related:
        return related(self.pattern, self._user, is_shared=self._is_shared)


def said_by(pattern: Pattern, reports: Iterable[Report]) -> list[Said]:
    """What its reports say of how bad it is."""
    weighed, kind = signals.weights(), pattern.kind
    return [
        Said(
            report.source,
            failed=report.failed,
            rating=report.rating,
            reason_code=report.reason_code,
            complained=kind == Kind.COMPLAINT,
            missed=kind == Kind.MISLABEL,
            corrected=report.is_corrected or kind == Kind.CORRECTION,
            signals=[name for name in signals.sent(report.signals) if name in weighed],
        )
        for report in reports
    ]


def places_of(pattern: Pattern) -> Places:
    """Tools and tasks of its newest reports, those of the runs behind feedback included; one query."""
    return places_in(newest(pattern))


def places_in(reports: Sequence[Report]) -> Places:
    """The same of reports that were read."""
    tools, tasks = Counter(report.tool for report in reports), Counter(report.task for report in reports)
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


def _typical(reports: Iterable[Report]) -> list[int]:
    """The keys of the medoid and of the ones least like it, each from another source."""
    found: dict[bytes, Report] = {}
    for report in reports:
        found.setdefault(report.source, report)
    rows = list(found.values())
    best = typical([report.text for report in rows]) if len(rows) >= 3 else None
    return [rows[place].pk for place in (best.medoid, *best.different)] if best else []


def examples_among(shown: Mapping[int, Evidence], keys: Sequence[int]) -> Examples | None:
    """Those with the keys of which evidence is there; None without the medoid's."""
    if not keys or keys[0] not in shown:
        return None
    medoid, *different = [shown[key] for key in keys if key in shown]
    return Examples(medoid, different)


def hints(pattern: Pattern, places: Places, *, since: datetime, until: datetime) -> Hints | None:
    """What runs in the pattern's main place signalled, from sources that did not say it in words; three queries.

    A source counts once, by the heaviest of its signals, so its weight is always less than a report's.
    """
    if places.main is None or pattern.kind == Kind.SUCCESS:
        return None
    weighed, (field, name) = signals.weights(), places.main
    sent = _SENT.ask(agent=pattern.agent_id, since=since, until=until)
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
