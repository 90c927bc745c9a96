"""Proposals over REST. An agent can propose; nothing here lets a key decide."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from agents.api import Key, Paging, caller_of, no_nul
from agents.keys import Caller
from agents.models import ApiKey, Document
from agents.problems import Invalid as InvalidBody
from agents.problems import NotFound, Problem
from audit.paging import newest_first
from feedback.models import Feedback, Pattern
from proposals import diffs
from proposals.actions.proposals import submit
from proposals.actions.wishes import MAX_AGAIN
from proposals.api.outcomes import OutcomeOut, outcome_out
from proposals.api.revisions import RevisionOut, revision_out, revisions_of
from proposals.api.talks import ThreadOut, thread_out
from proposals.authority.policies import bypasser_id
from proposals.checking.risk import Level
from proposals.exceptions import Duplicate, Invalid, NotAllowed, RolledBackBefore, StaleProposal
from proposals.models import Assignment, Proposal, SelfStart
from proposals.queue.filters import weighed
from proposals.status import came_of

router = Router(tags=["proposals"])
# Each call keeps the name by which generated clients know it, wherever its function stands.

EVIDENCE_AT_MOST = 1000

Text = Annotated[str, AfterValidator(no_nul)]
FeedbackId = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(no_nul)]


class ProposalIn(Schema):
    """A wish to change one document: its whole new text, and why."""

    model_config = ConfigDict(extra="forbid")

    agent: Text | None = Field(None, description="May be left out with a key bound to one agent.")
    document: Text
    base_version: int = Field(description="The version the text was made from; it must be the current one.")
    content: Text
    title: Annotated[str, StringConstraints(max_length=200), AfterValidator(no_nul)]
    rationale: Annotated[str, StringConstraints(max_length=16_000), AfterValidator(no_nul)]
    evidence: Annotated[list[FeedbackId], Field(max_length=EVIDENCE_AT_MOST)] = []
    pattern: Annotated[int, Field(gt=0, lt=2**63)] | None = Field(
        None, description="The pattern of this agent that the change answers; what was reported comes with it."
    )
    again: Annotated[str, StringConstraints(max_length=MAX_AGAIN), AfterValidator(no_nul)] = Field(
        "", description="Why it should be tried again, where this very text was rolled back before; refused without."
    )


class Created(Schema):
    """Where the new proposal is."""

    id: int
    url: str
    state: str


class StartOut(Schema):
    """A canary that Countersign began by itself: one setting changed, as the rules of its document allow."""

    category: Literal["retry", "threshold", "routing"]
    key: str
    was: str
    now: str
    rule: str = Field(description="The rule in words, as it was then.")
    at: datetime


class ProposalOut(Schema):
    """A proposal as a row of the queue."""

    id: int
    url: str
    agent: str
    document: str
    state: str
    stale: bool = Field(description="Another version became current since it was drafted.")
    title: str
    rationale: str
    origin: str
    author: str
    base_version: int
    published_version: int | None
    bypassed: bool = Field(description="Published in an emergency, without the approvals needed.")
    started_itself: StartOut | None = Field(
        description="The rule under which its canary began without waiting for an approval; else null."
    )
    risk: Literal["low", "medium", "high"]
    risk_reasons: list[str] = Field(description="Why, in sentences; about the newest revision.")
    impact: int = Field(description="Sources behind it, doubled while the reports of its pattern are rising.")
    turn: Literal["reviewers", "author"] | None = Field(description="Whose turn it is; null once it is decided.")
    assignees: list[str] = Field(description="The people, roles and teams asked to decide.")
    pattern: int | None
    again: str = Field(description="Why it is proposed again though this very text was rolled back; empty otherwise.")
    superseded_by: int | None = Field(description="The proposal for the same pattern that was chosen instead.")
    created_at: datetime
    decided_at: datetime | None


class ProposalWithHistory(ProposalOut):
    """A proposal with its revisions, newest last, and the difference its newest one makes, in unified format."""

    revisions: list[RevisionOut]
    threads: list[ThreadOut]
    outcome: OutcomeOut | None = Field(description="What came of it since it became current; null before, or if never.")
    diff: str


class Proposals(Schema):
    """A page of proposals, newest first."""

    items: list[ProposalOut]
    next: str | None


class Filters(Paging):
    """Each given filter narrows the list."""

    agent: str | None = None
    document: str | None = None
    state: Proposal.Status | None = None


@router.post(
    "/proposals",
    response={201: Created},
    auth=Key(ApiKey.Scope.PROPOSE),
    summary="Propose a change",
    operation_id="proposals_api_post_proposal",
)
def post_proposal(request: HttpRequest, body: ProposalIn) -> Status[Created]:
    """Open a proposal for people to review.

    409 when `base_version` is not current, the same is open already, or this very text was rolled back and `again` says
    nothing.
    """
    caller = caller_of(request)
    document = _document(caller, body)
    try:
        proposal = submit(
            document=document,
            base_number=body.base_version,
            text=body.content,
            title=body.title,
            rationale=body.rationale,
            key=ApiKey.objects.select_related("owner", "agent").get(pk=caller.key_id),
            evidence=_evidence(document, body.evidence),
            pattern_id=_pattern(document, body),
            again=body.again,
        )
    except (StaleProposal, Duplicate, NotAllowed, Invalid) as error:
        raise _refusal(error) from None
    return Status(201, Created(id=proposal.pk, url=_url(request, proposal), state=proposal.status))


@router.get(
    "/proposals",
    response=Proposals,
    auth=Key(ApiKey.Scope.READ),
    summary="List proposals",
    operation_id="proposals_api_list_proposals",
)
def list_proposals(request: HttpRequest, filters: Query[Filters]) -> Proposals:
    """Proposals of the agents this key may see, newest first."""
    rows = _visible(caller_of(request), filters.agent)
    rows = rows.filter(document__slug=filters.document) if filters.document is not None else rows
    rows = rows.filter(status=filters.state) if filters.state else rows
    page = newest_first(rows, field="pk", cursor=filters.cursor, limit=filters.limit, value=lambda item: item.pk)
    return Proposals(items=[ProposalOut(**_proposal(request, item)) for item in page.items], next=page.next)


@router.get(
    "/proposals/{proposal_id}",
    response=ProposalWithHistory,
    auth=Key(ApiKey.Scope.READ),
    summary="Read one",
    operation_id="proposals_api_read_proposal",
)
def read_proposal(request: HttpRequest, proposal_id: int) -> ProposalWithHistory:
    """One proposal with its revisions, their checks and decisions, and the difference."""
    visible = _visible(caller_of(request), None)
    proposal = visible.filter(pk=proposal_id).first() if 0 < proposal_id < 2**63 else None
    if proposal is None:
        raise NotFound(f"There is no proposal {proposal_id} for this key.")
    revisions = list(revisions_of(proposal))
    newest = revisions[-1]
    return ProposalWithHistory(
        **_proposal(request, proposal),
        revisions=[revision_out(item) for item in revisions],
        threads=[thread_out(item) for item in proposal.threads.for_page()],
        outcome=outcome_out(came_of.of_proposal(proposal)),
        diff=diffs.unified(newest.base_version.text, newest.text),
    )


def _document(caller: Caller, body: ProposalIn) -> Document:
    agent_id = caller.find_agent(body.agent)
    if agent_id is None and body.agent is None:
        raise InvalidBody([{"loc": ["agent"], "msg": "Required: this key is for all agents."}])
    found = Document.objects.filter(agent=agent_id, slug=body.document).select_related("agent", "current").first()
    if found is None:
        raise NotFound("There is no such document for this key.")
    return found


def _evidence(document: Document, ids: Sequence[str]) -> list[Feedback]:
    """The feedback meant, each once. Raises InvalidBody naming those that this agent has not."""
    wanted = list(dict.fromkeys(ids))
    known = {
        item.external_id: item for item in Feedback.objects.filter(agent=document.agent_id, external_id__in=wanted)
    }
    missing = [index for index, external_id in enumerate(ids) if external_id not in known]
    if missing:
        raise InvalidBody(
            [{"loc": ["evidence", index], "msg": "This agent has no such feedback."} for index in missing]
        )
    return [known[external_id] for external_id in wanted]


def _pattern(document: Document, body: ProposalIn) -> int | None:
    """The pattern meant. Raises InvalidBody for one that this agent has not, or that nothing can be proposed for."""
    if body.pattern is None:
        return None
    found = Pattern.objects.shown().filter(agent=document.agent_id, pk=body.pattern).only("status").first()
    if found is None:
        raise InvalidBody([{"loc": ["pattern"], "msg": "This agent has no such pattern."}])
    if found.status == Pattern.Status.DISMISSED:
        raise InvalidBody([{"loc": ["pattern"], "msg": "It was dismissed as wrongly found."}])
    if body.evidence:
        raise InvalidBody([{"loc": ["evidence"], "msg": "Leave it out: the evidence of the pattern is taken."}])
    return found.pk


def _refusal(error: StaleProposal | Duplicate | NotAllowed | Invalid) -> Problem:
    if isinstance(error, RolledBackBefore):
        return Problem(409, "rolled-back-before", str(error), errors=[{"loc": [error.field], "msg": str(error)}])
    if isinstance(error, Invalid):
        field = {"text": "content"}.get(error.field, error.field)
        return InvalidBody([{"loc": [field], "msg": str(error)}])
    if isinstance(error, NotAllowed):
        return Problem(403, "not-allowed", str(error))
    kind = "stale-base" if isinstance(error, StaleProposal) else "duplicate-proposal"
    return Problem(409, kind, str(error))


def _visible(caller: Caller, agent: str | None) -> "QuerySet[Proposal]":
    rows = (
        Proposal.objects.for_page()
        .select_related("published")
        .defer("base_version__text", "published__text", "revision__text", "revision__diff", "pattern__centroid")
        .prefetch_related(Prefetch("assignments", Assignment.objects.select_related("user", "group", "team")))
    )
    rows = weighed(rows, ("-impact",))
    if agent is not None:
        return rows.filter(document__agent=caller.agent(agent))
    return rows.filter(document__agent=caller.agent_id) if caller.agent_id is not None else rows


def _url(request: HttpRequest, proposal: Proposal) -> str:
    return request.build_absolute_uri(f"/proposals/{proposal.pk}")


def _proposal(request: HttpRequest, proposal: Proposal) -> dict[str, Any]:
    return {
        "id": proposal.pk,
        "url": _url(request, proposal),
        "agent": proposal.document.agent.slug,
        "document": proposal.document.slug,
        "state": proposal.status,
        "stale": proposal.is_open and proposal.is_stale,
        "title": proposal.title,
        "rationale": proposal.rationale,
        "origin": proposal.origin,
        "author": proposal.author_label,
        "base_version": proposal.base_version.number,
        "published_version": proposal.published.number if proposal.published else None,
        "bypassed": bypasser_id(proposal) is not None,
        "started_itself": _start(SelfStart.of(proposal)),
        "risk": Level(proposal.risk).name.lower(),
        "risk_reasons": proposal.risk_reasons,
        "impact": int(vars(proposal)["impact"]),
        "turn": _turn(proposal),
        "assignees": [str(one) for one in proposal.assignments.all()],
        "pattern": proposal.pattern_id,
        "again": proposal.again,
        "superseded_by": proposal.superseded_by_id,
        "created_at": proposal.created_at,
        "decided_at": proposal.decided_at,
    }


def _start(found: SelfStart | None) -> dict[str, Any] | None:
    return {name: getattr(found, name) for name in StartOut.model_fields} if found else None


def _turn(proposal: Proposal) -> str | None:
    """A machine's draft has no author to send it back to, so it stays with the reviewers."""
    if not proposal.is_open:
        return None
    waits = proposal.status == Proposal.Status.CHANGES_REQUESTED and proposal.origin != Proposal.Origin.DRAFTER
    return "author" if waits else "reviewers"
