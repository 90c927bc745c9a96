"""What an agent's page shows of its health: figures, charts with the versions in them, and tables, the worst first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import timezone

from agents.models import Agent, Release, Version
from audit import numbers
from feedback import vitals
from feedback.charts import Bar, Line, Mark, band, bars, line
from feedback.health.figures import Figures
from feedback.health.score import Score
from feedback.health.tools import ToolQuality, quality
from feedback.models import Tally
from feedback.vitals import Miss, Place, Span, Statistics

WIDTH, HEIGHT = 630, 96
RELEASES: Final = 200


@dataclass(frozen=True, slots=True)
class Part:
    """One bin of the charts and row of the table behind them, with the versions that became current in it."""

    at: datetime
    figures: Figures
    releases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars, or lines with an interval behind them, in SVG units; `title` and `note` are its caption."""

    title: str
    note: str
    marks: list[Mark]
    bars: list[Bar] | None = None
    lines: tuple[Line, ...] = ()
    band: str = ""
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class Row:
    """One version, task or tool. `number` is a version there is, to lead to; `is_current` says it is served."""

    place: Place
    figures: Figures
    number: int | None = None
    is_current: bool = False
    quality: ToolQuality | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """All of it. `score` is None with too few runs; `is_new` is an agent nothing was ever counted of."""

    span: Span
    sort: str
    total: Figures
    score: Score | None
    statistics: Statistics
    parts: list[Part]
    charts: list[Chart]
    versions: list[Row]
    tasks: list[Row]
    tools: list[Row]
    misses: list[Miss]
    is_new: bool

    @property
    def order(self) -> str:
        """What stands first in the tables, in words."""
        return ORDERS[self.sort]

    @property
    def tables(self) -> list["Table"]:
        """Those that say more than the whole does."""
        found = [
            Table(Tally.Kind.VERSION, "By version", "Version", self.versions),
            Table(Tally.Kind.TASK, "By task", "Task", self.tasks),
            Table(Tally.Kind.TOOL, "By tool", "Tool", self.tools),
        ]
        return [table for table in found if any(row.place.name or row.place.version for row in table.rows)]

    @property
    def called(self) -> list[Row]:
        """The tools with a quality, the lowest first, and what cannot be said yet last."""
        told = [row for row in self.tools if row.quality is not None]
        return sorted(told, key=lambda row: (_below(row.quality.value if row.quality else None), row.place.name))


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of place; `noun` heads its first column."""

    kind: str
    title: str
    noun: str
    rows: list[Row]


def _below(value: float | None) -> float:
    """The least first, and what says nothing last."""
    return float("inf") if value is None else value


_WORST: Final[dict[str, Callable[[Figures], float]]] = {
    # Surely bad before perhaps bad: one failure of one run is no reason to lead the list.
    "success": lambda told: _below(told.success.high if told.success else None),
    "latency": lambda told: -(told.p95_ms or 0.0),
    "feedback": lambda told: -(told.thumbs_down.low if told.thumbs_down else 0.0),
    "quality": lambda told: _below(told.quality),
    "cost": lambda told: -(told.cost or 0.0),
    "runs": lambda told: -float(told.runs),
}
SORTS: Final = {
    "success": "Success",
    "latency": "p50, p95",
    "feedback": "Thumbs down",
    "quality": "Quality",
    "cost": "Cost a run",
    "runs": "Runs",
}
"""What tables can be sorted by, in the order of their columns."""
ORDERS: Final = {
    "success": "surest failures",
    "latency": "slowest",
    "feedback": "surest thumbs down",
    "quality": "lowest quality",
    "cost": "dearest",
    "runs": "most runs",
}


def health(agent: Agent, *, over: str, sort: str) -> Health:
    """The health of an agent over a day, week or month; unknown words mean a month, and worst success first."""
    span = vitals.span(over)
    sort = sort if sort in _WORST else "success"
    found = vitals.series(agent.pk, span)
    total = sum(found, Figures())
    if not (total.runs or total.reports) and not vitals.has_reported(agent.pk):
        return Health(span, sort, total, None, Statistics(), [], [], [], [], [], [], is_new=True)
    parts = _parts(agent, span, found)
    placed = vitals.places(agent.pk, span)
    return Health(
        span=span,
        sort=sort,
        total=total,
        score=vitals.scores(agent.pk).get(agent.pk),
        statistics=vitals.statistics(span.since, agent.pk, runs=total.runs),
        parts=parts,
        charts=_charts(parts, span.unit),
        versions=_sorted(_versions(agent, placed), sort),
        tasks=_sorted([Row(place, told) for place, told in placed.items() if place.kind == Tally.Kind.TASK], sort),
        tools=_sorted(_tools(agent, placed), sort),
        misses=vitals.misses(agent.pk, span),
        is_new=False,
    )


def _parts(agent: Agent, over: Span, found: Sequence[Figures]) -> list[Part]:
    releases: dict[int, list[str]] = {}
    rows = Release.objects.filter(document__agent=agent, at__gte=over.since, at__lte=timezone.now())
    for at, name, number in rows.order_by("at").values_list("at", "document__name", "version__number")[:RELEASES]:
        releases.setdefault((at - over.since) // over.step, []).append(f"{name} v{number}")
    starts = [over.since + number * over.step for number in range(over.bins)]
    return [Part(at, told, tuple(releases.get(n, ()))) for n, (at, told) in enumerate(zip(starts, found, strict=True))]


def _versions(agent: Agent, placed: dict[Place, Figures]) -> list[Row]:
    mine = {place: told for place, told in placed.items() if place.kind == Tally.Kind.VERSION}
    numbers = {place.version for place in mine}
    # Agents say what they like: a number is a link only where there is such a version.
    rows = Version.objects.filter(document__agent=agent, number__in=numbers)
    known = {
        (slug, number): pk == current
        for slug, number, pk, current in rows.order_by().values_list(
            "document__slug", "number", "pk", "document__current"
        )
    }
    return [
        Row(
            place,
            told,
            number=place.version if (place.name, place.version) in known else None,
            is_current=known.get((place.name, place.version), False),
        )
        for place, told in mine.items()
    ]


def _tools(agent: Agent, placed: dict[Place, Figures]) -> list[Row]:
    mine = {place: told for place, told in placed.items() if place.kind == Tally.Kind.TOOL}
    calls = vitals.last_calls(agent.pk, [place.name for place in mine if place.name])
    return [
        Row(place, told, quality=quality(calls[place.name]) if place.name in calls else None)
        for place, told in mine.items()
    ]


def _sorted(rows: list[Row], sort: str) -> list[Row]:
    """The worst first; the rest last, as nobody can tell what is in it."""
    worst = _WORST[sort]
    return sorted(rows, key=lambda row: (row.place.is_rest, worst(row.figures), -row.place.version, row.place.name))


def _charts(parts: Sequence[Part], unit: str) -> list[Chart]:
    told = [part.figures for part in parts]
    step = WIDTH / len(parts)
    marks = [Mark(round(i * step, 1), ", ".join(part.releases)) for i, part in enumerate(parts) if part.releases]
    rates = [figures.success for figures in told]
    floor = _floor([rate.low for rate in rates if rate])
    p50, p95 = [figures.p50_ms for figures in told], [figures.p95_ms for figures in told]
    slowest = max([value for value in p95 if value is not None], default=0.0)
    size = {"width": WIDTH, "height": HEIGHT}
    return [
        Chart(
            f"Runs {unit}",
            f"failed ones in red; at most {numbers.number(max(one.runs for one in told))}",
            marks,
            bars=bars([(one.runs, one.failed) for one in told], **size),
        ),
        Chart(
            "Success",
            f"with its 95 % interval; the scale goes from {floor * 100:.0f} to {numbers.percent(1)}",
            marks,
            lines=(line([rate.share if rate else None for rate in rates], floor, 1.0, **size),),
            band=band([(rate.low, rate.high) if rate else None for rate in rates], floor, 1.0, **size),
        ),
        Chart(
            "Latency",
            f"half of the runs below the full line, 95 % below the thin one; at most {seconds(slowest)}",
            marks,
            lines=(line(p50, 0.0, slowest, **size), line(p95, 0.0, slowest, **size)),
        ),
        Chart(
            f"Feedback {unit}",
            f"thumbs down in red; at most {numbers.number(max(one.reports for one in told))}",
            marks,
            bars=bars([(one.reports, one.negative) for one in told], **size),
        ),
    ]


def _floor(lows: Sequence[float]) -> float:
    """Where the scale of success begins: a tenth at or below the lowest limit."""
    return int(min(lows, default=0.0) * 10) / 10


def seconds(milliseconds: float | None) -> str:
    """“840 ms”, “2.1 s”, “75 s”."""
    if milliseconds is None:
        return "–"
    if milliseconds < 1_000:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1_000:.1f} s" if milliseconds < 9_950 else f"{milliseconds / 1_000:,.0f} s"
