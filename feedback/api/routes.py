"""Patterns, and taking feedback back, over REST."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from pydantic import Field

from agents.api import Key, Paging, caller_of, while_it_works
from agents.keys import Caller
from agents.limits import Call
from agents.models import ApiKey
from agents.problems import Invalid, NotFound
from agents.wire import through_django
from audit.paging import newest_first
from feedback.actions.withdraw import withdraw_feedback
from feedback.api.lean import post_feedback, post_runs
from feedback.ingest.reading import LONGEST_LIST
from feedback.ingest.shapes import FeedbackIn, RunIn
from feedback.insight import RATE_DAYS, Insight
from feedback.models import Feedback, Pattern, PatternDay

router = Router()

TREND_DAYS = 14
EVIDENCE_SHOWN = 200


class Filters(Paging):
    """Each given filter narrows the list."""

    agent: str | None = None
    kind: Pattern.Kind | None = None
    status: Pattern.Status | None = None


class Day(Schema):
    """How many items one day (UTC) brought."""

    day: date
    items: int


class PatternOut(Schema):
    """What recurs: `support` counts items, `sources` the distinct ones they came from."""

    id: int
    agent: str
    kind: str
    error_class: str = Field(description="Of an error, what sort: rate_limit, timeout, …; empty otherwise.")
    status: str
    label: str
    support: int
    sources: int
    first_seen: datetime | None
    last_seen: datetime | None
    trend: Annotated[list[Day], Field(description=f"The last {TREND_DAYS} days, those with items.")]


class RateOut(Schema):
    """Reports per run over the last `days` days, with the limits of the 95 % interval of the true share (Wilson)."""

    days: int
    reports: int
    runs: int
    share: float
    low: float
    high: float


class SeverityOut(Schema):
    """`sources` of `among` reported that or worse, mostly `mostly`."""

    level: Literal["none", "low", "medium", "high", "critical"]
    sources: int
    among: int
    mostly: str


class Place(Schema):
    """A tool or a task, and how many of the newest reports concern it."""

    name: str
    items: int


class VersionItems(Schema):
    """How many of the newest reports are about a version; null for those that name none."""

    version: int | None
    items: int


class HintsOut(Schema):
    """Sources that said nothing, but whose runs in `place` signalled something; `weight` is in reports."""

    weight: float
    sources: int
    place: str
    observed: list[Place]


class OtherPattern(Schema):
    """A pattern that says the same: of another agent, or a closed one of this."""

    id: int
    agent: str
    label: str
    status: str


class PatternWithEvidence(PatternOut):
    """A pattern with what it amounts to, and the ids of its newest evidence, as their senders gave them."""

    rate: RateOut | None
    severity: SeverityOut
    versions: list[VersionItems]
    tools: list[Place]
    tasks: list[Place]
    hints: HintsOut | None
    typical: str | None
    least_typical: list[str]
    related: list[OtherPattern]
    feedback: list[str]
    runs: list[str]


class Patterns(Schema):
    """A page of patterns, newest first."""

    items: list[PatternOut]
    next: str | None


class Accepted(Schema):
    """The id of a single report, ours when it came without one."""

    id: str


class Rejected(Schema):
    """One report of a list that was not stored, and why."""

    index: int
    errors: list[dict[str, Any]]


class ListAccepted(Schema):
    """What became of a list."""

    accepted: int
    duplicates: int
    rejected: list[Rejected]


_ANSWERS = {200: Accepted, 201: Accepted, 207: ListAccepted}


def _body(shape: type[FeedbackIn] | type[RunIn]) -> dict[str, Any]:
    """The body of a reporting call in OpenAPI's words: one report, or a list."""
    one = msgspec.json.schema(shape)["$defs"][shape.__name__]
    either = {"oneOf": [one, {"type": "array", "maxItems": LONGEST_LIST, "items": one}]}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": either}}}}


@router.post(
    "/feedback",
    response=_ANSWERS,
    auth=Key(ApiKey.Scope.INGEST, Call.REPORT),
    tags=["reports"],
    summary="Report feedback",
    openapi_extra=_body(FeedbackIn),
)
def report_feedback(request: HttpRequest) -> HttpResponse:
    """One report or a list; sending the same `id` again is safe. Of a list, the good ones are stored."""
    return through_django(post_feedback, request)


@router.post(
    "/runs",
    response=_ANSWERS,
    auth=Key(ApiKey.Scope.INGEST, Call.REPORT),
    tags=["reports"],
    summary="Report runs",
    openapi_extra=_body(RunIn),
)
def report_runs(request: HttpRequest) -> HttpResponse:
    """One run or a list; sending the same `id` again is safe. Of a list, the good ones are stored."""
    return through_django(post_runs, request)


@router.get("/patterns", response=Patterns, auth=Key(ApiKey.Scope.READ), tags=["patterns"], summary="List patterns")
def list_patterns(request: HttpRequest, filters: Query[Filters]) -> Patterns:
    """What keeps happening."""
    rows = _visible(caller_of(request), filters.agent)
    rows = rows.filter(kind=filters.kind) if filters.kind else rows
    rows = rows.filter(status=filters.status) if filters.status else rows
    page = newest_first(rows, field="pk", cursor=filters.cursor, limit=filters.limit, value=lambda pattern: pattern.pk)
    return Patterns(items=[PatternOut(**_pattern(item)) for item in page.items], next=page.next)


@router.get(
    "/patterns/{pattern_id}",
    response=PatternWithEvidence,
    auth=Key(ApiKey.Scope.READ),
    tags=["patterns"],
    summary="Read a pattern",
)
def read_pattern(request: HttpRequest, pattern_id: int) -> PatternWithEvidence:
    """One pattern with its newest evidence."""
    visible = _visible(caller_of(request), None)
    pattern = visible.filter(pk=pattern_id).first() if 0 < pattern_id < 2**63 else None
    if pattern is None:
        raise NotFound(f"There is no pattern {pattern_id} for this key.")
    newest = list(pattern.evidence.select_related("feedback", "run").order_by("-at", "-pk")[:EVIDENCE_SHOWN])
    return PatternWithEvidence(
        **_pattern(pattern),
        **_insight(Insight(pattern), caller_of(request)),
        feedback=[item.feedback.external_id for item in newest if item.feedback],
        runs=[item.run.external_id for item in newest if item.run],
    )


@router.delete(
    "/feedback/{path:feedback_id}",
    response={204: None},
    auth=Key(ApiKey.Scope.INGEST),
    tags=["reports"],
    summary="Withdraw feedback",
)
@while_it_works
def delete_feedback(
    request: HttpRequest, feedback_id: str, agent: Annotated[str | None, Query()] = None
) -> Status[None]:
    """Keep a report in history and count it no more; doing so again changes nothing.

    With a key for all agents, `agent` says whose report is meant.
    """
    caller = caller_of(request)
    withdraw_feedback(_reported(caller, feedback_id, agent), actor=caller.actor)
    return Status(204, None)


def _reported(caller: Caller, feedback_id: str, agent: str | None) -> int:
    rows = Feedback.objects.filter(external_id=feedback_id)
    if agent is not None or caller.agent_id is not None:
        rows = rows.filter(agent=caller.find_agent(agent))
    found = list(rows.values_list("pk", flat=True)[:2])
    if not found:
        raise NotFound("There is no feedback with this id for this key.")
    if len(found) > 1:
        message = "Several agents have feedback with this id. Say which one: ?agent=…"
        raise Invalid([{"loc": ["query", "agent"], "msg": message}])
    return found[0]


def _visible(caller: Caller, agent: str | None) -> "QuerySet[Pattern]":
    since = timezone.now().date() - timedelta(days=TREND_DAYS - 1)
    days = PatternDay.objects.filter(day__gte=since, items__gt=0).order_by("day")
    rows = Pattern.objects.shown().select_related("agent").defer("centroid")
    rows = rows.prefetch_related(Prefetch("days", days, to_attr="recent_days"))
    if agent is not None:
        return rows.filter(agent=caller.agent(agent))
    return rows.filter(agent=caller.agent_id) if caller.agent_id is not None else rows


def _insight(insight: Insight, caller: Caller) -> dict[str, Any]:
    rate, severity, hints, examples = insight.rate, insight.severity, insight.hints, insight.examples
    others = [*insight.related.elsewhere, *insight.related.closed]
    return {
        "rate": {"days": RATE_DAYS, "reports": rate.events, **_of(rate, "runs", "share", "low", "high")}
        if rate
        else None,
        "severity": {"level": severity.level.word, **_of(severity, "sources", "among", "mostly")},
        "versions": [{"version": version, "items": items} for version, items in insight.versions],
        "tools": [place._asdict() for place in insight.places.tools],
        "tasks": [place._asdict() for place in insight.places.tasks],
        "hints": {
            **_of(hints, "weight", "sources", "place"),
            "observed": [seen._asdict() for seen in hints.observed],
        }
        if hints
        else None,
        "typical": examples.medoid.report.external_id if examples else None,
        "least_typical": [item.report.external_id for item in examples.different] if examples else [],
        "related": [
            {"id": other.pk, "agent": other.agent.slug, "label": str(other), "status": other.status}
            for other in others
            if caller.agent_id in (None, other.agent_id)
        ],
    }


def _of(record: object, *names: str) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names}


def _pattern(pattern: Pattern) -> dict[str, Any]:
    days: Sequence[PatternDay] = pattern.recent_days  # type: ignore[attr-defined]
    return {
        "id": pattern.pk,
        "agent": pattern.agent.slug,
        "kind": pattern.kind,
        "error_class": pattern.error_class,
        "status": pattern.status,
        "label": str(pattern),
        "support": pattern.support,
        "sources": pattern.sources,
        "first_seen": pattern.first_seen,
        "last_seen": pattern.last_seen,
        "trend": [Day(day=day.day, items=day.items) for day in days],
    }
