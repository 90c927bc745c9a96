"""How an agent fares, over REST."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema

from agents.api import Key, caller_of
from agents.models import Agent, ApiKey
from feedback.health.figures import Figures
from feedback.health.score import Score
from feedback.health.tools import ToolQuality
from feedback.health_page import Health, Row, health
from feedback.rates import Rate

router = Router(tags=["agents"])


class ShareOut(Schema):
    """A share of one, and the limits of its 95 % interval (Wilson)."""

    share: float
    low: float
    high: float


class ScoreOut(Schema):
    """Between 0 and 1, the last days weighing most. `runs` is what the weighed runs are worth; `parts` are the averaged
    shares: `success`, `content` (one less the thumbs down per run) and `quality`.
    """

    value: float
    low: float
    high: float
    runs: float
    parts: dict[str, float]


class LatencyOut(Schema):
    """Milliseconds, within 5 % of the true quantiles of the `runs` that told."""

    runs: int
    p50: float
    p95: float


class FeedbackOut(Schema):
    """Reports that count, by the time they were given. `negative_per_run` is null without runs."""

    reports: int
    positive: int
    negative: int
    negative_per_run: ShareOut | None


class FiguresOut(Schema):
    """What was reported; null is what nothing tells of. `quality` is the mean, `cost_usd` the dollars a run."""

    runs: int
    failed: int
    success: ShareOut | None
    latency_ms: LatencyOut | None
    feedback: FeedbackOut
    quality: float | None
    cost_usd: float | None


class VersionFigures(FiguresOut):
    """One version; null where runs named none. With `others`, all versions beyond the 20 busiest."""

    document: str | None
    version: int | None
    current: bool
    others: bool


class TaskFigures(FiguresOut):
    """One task; null where runs named none. With `others`, all beyond the 20 busiest."""

    task: str | None
    others: bool


class ToolQualityOut(Schema):
    """By the last `calls`, at most 20: 0.5 success + 0.3 quickness + 0.2 consistency; null below 3 calls.

    `inputs` and `outputs` are different fingerprints, `unsteady` the inputs that came back with several outputs.
    """

    calls: int
    value: float | None
    asks_for_rewrite: bool
    success: float | None
    quickness: float | None
    consistency: float | None
    inputs: int
    outputs: int
    unsteady: int
    versions: list[str]
    last_error: str


class ToolFigures(FiguresOut):
    """One tool; null where runs named none. With `others`, all beyond the 20 busiest."""

    tool: str | None
    others: bool
    quality_score: ToolQualityOut | None


class MissOut(Schema):
    """How often one label was predicted where another was expected."""

    document: str | None
    version: int | None
    predicted: str
    expected: str
    items: int


class StatisticsOut(Schema):
    """Runs, versions from approved proposals, and rollbacks."""

    runs: int
    improvements: int
    rollbacks: int


class HealthOut(Schema):
    """All since `since`, but for `score`, which looks back three weeks and is null with too few runs to say."""

    agent: str
    range: Literal["day", "week", "month"]
    since: datetime
    score: ScoreOut | None
    total: FiguresOut
    statistics: StatisticsOut
    versions: list[VersionFigures]
    tasks: list[TaskFigures]
    tools: list[ToolFigures]
    misses: list[MissOut]


Range = Annotated[
    Literal["day", "week", "month"], Query(description="The last 24 hours, or 7 or 30 days (UTC) with today.")
]
Sort = Annotated[
    Literal["success", "latency", "feedback", "quality", "cost", "runs"],
    Query(description="What stands first in the lists: the worst by this, or most runs."),
]


@router.get("/{agent}/health", response=HealthOut, auth=Key(ApiKey.Scope.READ), summary="Read an agent's health")
def read_health(request: HttpRequest, agent: str, range: Range = "month", sort: Sort = "success") -> HealthOut:
    """Score, rates and latency, as a whole and by version, task and tool; counted once a minute."""
    found = Agent.objects.get(pk=caller_of(request).agent(agent))
    return _health(found, health(found, over=range, sort=sort))


def _health(agent: Agent, shown: Health) -> HealthOut:
    return HealthOut(
        agent=agent.slug,
        range=shown.span.name,
        since=shown.span.since,
        score=_score(shown.score),
        total=FiguresOut(**_figures(shown.total)),
        statistics=StatisticsOut(
            runs=shown.statistics.runs,
            improvements=shown.statistics.improvements,
            rollbacks=shown.statistics.rollbacks,
        ),
        versions=[
            VersionFigures(
                document=row.place.name or None,
                version=row.place.version or None,
                current=row.is_current,
                **_row(row),
            )
            for row in shown.versions
        ],
        tasks=[TaskFigures(task=row.place.name or None, **_row(row)) for row in shown.tasks],
        tools=[
            ToolFigures(tool=row.place.name or None, quality_score=_quality(row.quality), **_row(row))
            for row in shown.tools
        ],
        misses=[
            MissOut(
                document=miss.document or None,
                version=miss.version or None,
                predicted=miss.predicted,
                expected=miss.expected,
                items=miss.items,
            )
            for miss in shown.misses
        ],
    )


def _score(score: Score | None) -> ScoreOut | None:
    if score is None:
        return None
    return ScoreOut(value=score.value, low=score.low, high=score.high, runs=score.worth, parts=score.parts)


def _row(row: Row) -> dict[str, Any]:
    return {**_figures(row.figures), "others": row.place.is_rest}


def _figures(told: Figures) -> dict[str, Any]:
    return {
        "runs": told.runs,
        "failed": told.failed,
        "success": _share(told.success),
        "latency_ms": {"runs": told.latency.total, "p50": told.p50_ms, "p95": told.p95_ms}
        if told.latency.counts
        else None,
        "feedback": {
            "reports": told.reports,
            "positive": told.positive,
            "negative": told.negative,
            "negative_per_run": _share(told.thumbs_down),
        },
        "quality": told.quality,
        "cost_usd": told.cost,
    }


def _share(rate: Rate | None) -> dict[str, float] | None:
    return {"share": rate.share, "low": rate.low, "high": rate.high} if rate else None


def _quality(quality: ToolQuality | None) -> ToolQualityOut | None:
    if quality is None:
        return None
    return ToolQualityOut(
        calls=quality.calls,
        value=quality.value,
        asks_for_rewrite=quality.asks_for_rewrite,
        success=quality.success,
        quickness=quality.quickness,
        consistency=quality.consistency,
        inputs=quality.inputs,
        outputs=quality.outputs,
        unsteady=quality.unsteady,
        versions=[f"{document}/{version}" if document else str(version) for document, version in quality.versions],
        last_error=quality.last_error,
    )
