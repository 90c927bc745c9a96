"""Rollouts over REST. A key can read them, stop one and lower its share; it can never give a candidate to more."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from agents.api import Key, Paging, caller_of, find_document, no_nul, while_it_works
from agents.keys import Caller
from agents.models import ApiKey
from agents.problems import Invalid as InvalidBody
from agents.problems import NotFound, Problem
from audit.paging import newest_first
from proposals.actions import steering
from proposals.actions.rollouts import By
from proposals.exceptions import Invalid, ReviewError
from proposals.judging import Verdict, sentence
from proposals.models import Rollout, RolloutVerdict

router = Router(tags=["rollouts"])
VERDICTS_SHOWN = 100
Share = Annotated[float, Field(ge=0, le=1, description="From 0 to 1.")]


class StepOut(Schema):
    """One step of a plan: the share until there were enough candidate runs for long enough."""

    share: Share
    least_runs: int
    hold_hours: float


class RolloutOut(Schema):
    """A rollout. `share` is the candidate's now, 0 once it ended without being promoted, 1 once it was promoted."""

    id: int
    url: str
    agent: str
    document: str
    proposal: int
    candidate: int = Field(description="The number of the version that is rolled out.")
    current: int = Field(description="The number of the version it is compared with.")
    state: str
    share: Share
    step: int = Field(description="Which of the steps it is in, from 1.")
    steps: list[StepOut]
    asks: str = Field(description="What a person is asked to look at; empty if nothing.")
    waits_for_person: bool
    started_at: datetime
    started_by: str
    began_by_itself: bool = Field(description="Without waiting for an approval, under the rules of its document.")
    ended_at: datetime | None
    ended_by: str | None
    reason: str = Field(description="Why it ended so.")
    verdict: str | None = Field(description="The judge's last verdict in words.")


class VerdictOut(Schema):
    """What the judge said, by which rule, from which numbers; `findings` are rates and intervals by metric."""

    at: datetime
    kind: str
    rule: str
    share: Share
    candidate_runs: int
    current_runs: int
    words: str
    findings: list[dict[str, Any]]
    troubles: list[dict[str, Any]]


class ShareOut(Schema):
    """From `at` on the candidate had this share."""

    share: Share
    at: datetime
    by: str


class RolloutWhole(RolloutOut):
    """A rollout with what became of it: its shares, and the newest verdicts, newest first."""

    shares: list[ShareOut]
    verdicts: list[VerdictOut]


class Rollouts(Schema):
    """A page of rollouts, newest first."""

    items: list[RolloutOut]
    next: str | None


class StopIn(Schema):
    """Why it is stopped."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(min_length=1, max_length=5000), AfterValidator(no_nul)]


class ShareIn(Schema):
    """The new share, lower than the present one, in whole percent."""

    model_config = ConfigDict(extra="forbid")

    share: Annotated[float, Field(ge=0.01, le=0.5, description="From 0.01 to 0.5, in hundredths.")]


@router.get(
    "/agents/{agent}/documents/{document}/rollouts",
    response=Rollouts,
    auth=Key(ApiKey.Scope.READ),
    summary="List rollouts of a document",
)
def list_rollouts(request: HttpRequest, agent: str, document: str, paging: Query[Paging]) -> Rollouts:
    """Running and past ones, newest first."""
    found = find_document(caller_of(request), agent, document)
    page = newest_first(
        _rows().filter(split__document=found),
        field="pk",
        cursor=paging.cursor,
        limit=paging.limit,
        value=lambda rollout: rollout.pk,
    )
    return Rollouts(items=[RolloutOut(**_rollout(request, one)) for one in page.items], next=page.next)


@router.get("/rollouts/{id}", response=RolloutWhole, auth=Key(ApiKey.Scope.READ), summary="Read a rollout")
def read_rollout(request: HttpRequest, id: int) -> RolloutWhole:
    """Its state, plan, shares and verdicts."""
    return _whole(request, _find(caller_of(request), id))


@router.post("/rollouts/{id}/stop", response=RolloutWhole, auth=Key(ApiKey.Scope.ADMIN), summary="Stop a rollout")
@while_it_works
def stop(request: HttpRequest, id: int, body: StopIn) -> RolloutWhole:
    """Serve the candidate to nobody any more."""
    return _do(request, id, lambda by: steering.stop_with_key(id, by=by, reason=body.reason))


@router.post("/rollouts/{id}/share", response=RolloutWhole, auth=Key(ApiKey.Scope.ADMIN), summary="Lower a share")
@while_it_works
def lower(request: HttpRequest, id: int, body: ShareIn) -> RolloutWhole:
    """Serve the candidate to fewer. Giving it to more, or promoting it, takes a person."""
    percent = round(body.share * 100)
    if abs(percent - body.share * 100) > 1e-6:
        raise InvalidBody([{"loc": ["share"], "msg": "Give whole percent, such as 0.05."}])
    return _do(request, id, lambda by: steering.lower_share_with_key(id, by=by, share=percent))


def _do(request: HttpRequest, rollout_id: int, deed: Callable[[By], Rollout]) -> RolloutWhole:
    caller = caller_of(request)
    _find(caller, rollout_id)
    try:
        deed(By(caller.actor))
    except Invalid as error:
        raise InvalidBody([{"loc": [error.field], "msg": str(error)}]) from None
    except ReviewError as error:
        raise Problem(409, "rollout-moved", str(error)) from None
    return _whole(request, _find(caller, rollout_id))


def _rows() -> "QuerySet[Rollout]":
    return Rollout.objects.for_page().select_related("memory")


def _find(caller: Caller, rollout_id: int) -> Rollout:
    found = _rows().filter(pk=rollout_id).first() if 0 < rollout_id < 2**63 else None
    if found is None or not caller.sees(found.document.agent_id):
        raise NotFound(f"There is no rollout {rollout_id}.")
    return found


def _whole(request: HttpRequest, rollout: Rollout) -> RolloutWhole:
    verdicts = rollout.verdicts.order_by("-pk")[:VERDICTS_SHOWN]
    shares = [ShareOut(share=one.share / 100, at=one.at, by=one.by) for one in rollout.shares.all()]
    return RolloutWhole(**_rollout(request, rollout), shares=shares, verdicts=[_verdict(one) for one in verdicts])


def _rollout(request: HttpRequest, rollout: Rollout) -> dict[str, Any]:
    plan, last = rollout.plan, rollout.memory.verdict
    return {
        "id": rollout.pk,
        "url": request.build_absolute_uri(f"/rollouts/{rollout.pk}/"),
        "agent": rollout.document.agent.slug,
        "document": rollout.document.slug,
        "proposal": rollout.proposal_id,
        "candidate": rollout.candidate.number,
        "current": rollout.baseline.number,
        "state": rollout.state,
        "share": _served(rollout),
        "step": rollout.step_index + 1,
        "steps": [
            StepOut(share=one.share / 100, least_runs=one.least_runs, hold_hours=one.hold_h) for one in plan.steps
        ],
        "asks": rollout.asks,
        "waits_for_person": rollout.is_waiting,
        "started_at": rollout.split.started_at,
        "started_by": rollout.starter_label,
        "began_by_itself": rollout.began_by_itself,
        "ended_at": rollout.ended_at,
        "ended_by": str(rollout.ended_by) if rollout.ended_by else None,
        "reason": rollout.reason,
        "verdict": sentence(Verdict.from_json(last)) if last else None,
    }


def _served(rollout: Rollout) -> float:
    if rollout.is_live:
        return rollout.share / 100
    return 1.0 if rollout.state == Rollout.State.PROMOTED else 0.0


def _verdict(kept: RolloutVerdict) -> VerdictOut:
    return VerdictOut(
        at=kept.at,
        kind=kept.kind,
        rule=kept.rule,
        share=kept.share / 100,
        candidate_runs=kept.candidate_runs,
        current_runs=kept.current_runs,
        words=sentence(Verdict.from_json(kept.findings)),
        findings=kept.findings["findings"],
        troubles=kept.findings["troubles"],
    )
