"""Agents and their documents over REST."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from functools import wraps
from typing import Annotated, Any, Final, Literal, TypeVar, cast

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from ninja.security import HttpBearer
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from agents import keys
from agents.exceptions import BadName, BadText, NameTaken
from agents.instructions import get_instructions
from agents.limits import Call, spend
from agents.models import WHOLE, Agent, ApiKey, Document, Version, whole_of
from agents.problems import Invalid, NotFound, Problem
from agents.traffic import Profile
from agents.versions import create_agent
from agents.wire import admit, through_django
from audit.paging import LARGEST_CURSOR, newest_first

View = TypeVar("View", bound=Callable[..., Any])
router = Router(tags=["agents"])


class Key(HttpBearer):
    """Lets a caller in by an API key with one scope, within its limits; the caller is `request.auth`."""

    def __init__(self, scope: str, call: Call = Call.OTHER) -> None:
        self.scope = scope
        self.call = call
        super().__init__()

    def authenticate(self, request: HttpRequest, token: str) -> keys.Caller:
        caller = admit(request.META, token.strip(), self.scope)
        spend(request.META, caller, self.call)
        return caller


def caller_of(request: HttpRequest) -> keys.Caller:
    """Who was let in."""
    found: keys.Caller = request.auth  # type: ignore[attr-defined]
    return found


def while_it_works(view: View) -> View:
    """For acts with a key: done in one transaction in which the key works, so that whoever revokes it comes after.

    Letting a caller in goes by what was read of the key up to a second ago.
    """

    @wraps(view)
    def act(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with transaction.atomic():
            keys.require_live(caller_of(request).key_id)
            return view(request, *args, **kwargs)

    return cast(View, act)


def no_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("contains a NUL character")
    return value


def _slug(value: str) -> str:
    try:
        validate_slug(value)
    except ValidationError:
        raise ValueError("use letters, digits, hyphens and underscores") from None
    return value


Slug = Annotated[str, StringConstraints(min_length=1, max_length=80), AfterValidator(_slug)]


class Paging(Schema):
    """Where in a list to go on, and how far."""

    cursor: Annotated[int, Field(ge=0, le=LARGEST_CURSOR)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class DocumentOut(Schema):
    """A document and its current version."""

    slug: str
    name: str
    kind: str
    version: int | None
    sha256: str | None


class TrafficOut(Schema):
    """When drafts are made for an agent by themselves: `reports` distinct sources within `window_h` hours, and not
    for `cooldown_h` hours after a change. `by_hand` says that a person set the profile or a number of it.
    """

    profile: str
    runs_a_day: float
    reports: int
    window_h: int
    cooldown_h: int
    by_hand: bool


class AgentOut(Schema):
    """An agent and its documents."""

    slug: str
    name: str
    created_at: datetime
    traffic: TrafficOut
    documents: list[DocumentOut]


class Agents(Schema):
    """A page of agents, newest first."""

    items: list[AgentOut]
    next: str | None


class AgentIn(Schema):
    """A new agent; `documents` maps names to first texts."""

    model_config = ConfigDict(extra="forbid")

    slug: Slug
    name: Annotated[str, StringConstraints(max_length=120), AfterValidator(no_nul)] = ""
    documents: dict[Slug, Annotated[str, AfterValidator(no_nul)]] = {}


class RolloutArm(Schema):
    """Which of the two versions a unit gets while a rollout runs; `share` is the candidate's, from 0 to 1."""

    id: int
    arm: Literal["current", "candidate"]
    share: float


class Instructions(Schema):
    """What an agent runs on."""

    agent: str
    document: str
    kind: str
    version: int
    sha256: str
    content: str
    rollout: RolloutArm | None = Field(None, description="Null outside a rollout.")


class VersionOut(Schema):
    """One version; `restores` is the number it brought back, for a rollback; `share` the part of the units it is
    served to now, from 0 to 1.
    """

    version: int
    sha256: str
    origin: str
    parent: int | None
    restores: int | None
    created_at: datetime
    created_by: str
    current: bool
    share: float


class VersionText(VersionOut):
    """One version with its text."""

    content: str


class Versions(Schema):
    """A page of versions, newest first."""

    items: list[VersionOut]
    next: str | None


@router.get("", response=Agents, auth=Key(ApiKey.Scope.READ), summary="List agents")
def list_agents(request: HttpRequest, paging: Query[Paging]) -> Agents:
    """The agents this key may see, with their documents and current versions."""
    page = newest_first(
        _visible(caller_of(request)),
        field="pk",
        cursor=paging.cursor,
        limit=paging.limit,
        value=lambda agent: agent.pk,
    )
    return Agents(items=[_agent(agent) for agent in page.items], next=page.next)


@router.get("/{agent}", response=AgentOut, auth=Key(ApiKey.Scope.READ), summary="Read an agent")
def read_agent(request: HttpRequest, agent: str) -> AgentOut:
    """One agent with its documents and current versions."""
    caller = caller_of(request)
    return _agent(_visible(caller).get(pk=caller.agent(agent)))


@router.post("", response={201: AgentOut}, auth=Key(ApiKey.Scope.ADMIN), summary="Create an agent")
@while_it_works
def post_agent(request: HttpRequest, body: AgentIn) -> Status[AgentOut]:
    """Make an agent with its first documents. The key must be one for all agents."""
    caller = caller_of(request)
    if caller.agent_id is not None:
        raise Problem(403, "bound-key", "This API key is bound to one agent; creating another takes a key for all.")
    name = body.name.strip() or body.slug.replace("-", " ").capitalize()
    try:
        agent = create_agent(body.slug, name=name, actor=caller.actor, documents=body.documents)
    except NameTaken as error:
        raise Problem(409, "name-taken", str(error)) from None
    except BadName as error:
        raise Invalid([{"loc": ["name"], "msg": str(error)}]) from None
    except BadText as error:
        raise Invalid([{"loc": ["documents"], "msg": str(error)}]) from None
    return Status(201, _agent(_visible(caller).get(pk=agent.pk)))


@router.get(
    "/{agent}/documents/{document}/versions",
    response=Versions,
    auth=Key(ApiKey.Scope.READ),
    summary="List versions",
)
def list_versions(request: HttpRequest, agent: str, document: str, paging: Query[Paging]) -> Versions:
    """The history of a document, newest first; the cursor is a version number."""
    found = find_document(caller_of(request), agent, document)
    page = newest_first(
        found.versions.select_related("parent", "restores").defer(*WHOLE, *whole_of("parent"), *whole_of("restores")),
        field="number",
        cursor=paging.cursor,
        limit=paging.limit,
        value=lambda version: version.number,
    )
    shares = _shares(found)
    return Versions(items=[VersionOut(**_version(item, found, shares)) for item in page.items], next=page.next)


@router.get(
    "/{agent}/documents/{document}/versions/{number}",
    response=VersionText,
    auth=Key(ApiKey.Scope.READ),
    summary="Read a version",
)
def read_version(request: HttpRequest, agent: str, document: str, number: int) -> VersionText:
    """One version with its text."""
    found = find_document(caller_of(request), agent, document)
    version = find_version(found, number)
    return VersionText(**_version(version, found, _shares(found)), content=version.text)


_INSTRUCTION_PARAMETERS: Final = [
    {
        "in": "query",
        "name": "unit",
        "schema": {"type": "string"},
        "description": "Session or user, for sticky rollouts. Not together with `at`.",
    },
    {"in": "query", "name": "version", "schema": {"type": "integer"}, "description": "That version instead."},
    {
        "in": "query",
        "name": "at",
        "schema": {"type": "string", "format": "date-time"},
        "description": "What was current at that time instead.",
    },
    {"in": "header", "name": "If-None-Match", "schema": {"type": "string"}, "description": "The ETag you have."},
]


@router.get(
    "/{agent}/instructions/{document}",
    response={200: Instructions, 304: None},
    auth=Key(ApiKey.Scope.READ, Call.INSTRUCTIONS),
    summary="Read instructions",
    openapi_extra={"parameters": _INSTRUCTION_PARAMETERS},
)
def read_instructions(request: HttpRequest, agent: str, document: str) -> HttpResponse:
    """What the agent runs on now, with a strong ETag; 304 when `If-None-Match` names it."""
    return through_django(get_instructions, request, agent, document)


def find_document(caller: keys.Caller, agent: str, document: str) -> Document:
    """A document this caller may see. Raises NotFound."""
    found = Document.objects.filter(agent=caller.agent(agent), slug=document).select_related("agent").first()
    if found is None:
        raise NotFound(f"{agent} has no document “{document[:80]}”.")
    return found


def find_version(document: Document, number: int) -> Version:
    """A version by its number. Raises NotFound."""
    numbered = document.versions.select_related("parent", "restores")
    found = numbered.filter(number=number).first() if 0 < number < 2**31 else None
    if found is None:
        raise NotFound(f"“{document.slug}” has no version {number}.")
    return found


def _visible(caller: keys.Caller) -> "QuerySet[Agent]":
    documents = Document.objects.select_related("current").defer("current__text").order_by("pk")
    agents = Agent.objects.prefetch_related(Prefetch("documents", documents))
    return agents.filter(pk=caller.agent_id) if caller.agent_id is not None else agents


def _agent(agent: Agent) -> AgentOut:
    documents = [
        DocumentOut(
            slug=document.slug,
            name=document.name,
            kind=document.kind,
            version=document.current.number if document.current else None,
            sha256=document.current.sha256 if document.current else None,
        )
        for document in agent.documents.all()
    ]
    return AgentOut(
        slug=agent.slug,
        name=agent.name,
        created_at=agent.created_at,
        traffic=_traffic(agent.profile),
        documents=documents,
    )


def _traffic(profile: Profile) -> TrafficOut:
    return TrafficOut(
        profile=profile.traffic,
        runs_a_day=profile.runs_a_day,
        by_hand=profile.is_chosen or profile.is_changed,
        **asdict(profile.numbers),
    )


def _shares(document: Document) -> dict[int, float]:
    """The part of the units that each version is served to, by its key; those left out have none."""
    live = document.splits.live().first()
    candidate = live.share / 100 if live else 0.0
    found = {document.current_id: round(1 - candidate, 2)} if document.current_id else {}
    return found | ({live.candidate_id: candidate} if live else {})


def _version(version: Version, document: Document, shares: Mapping[int, float]) -> dict[str, Any]:
    return {
        "version": version.number,
        "sha256": version.sha256,
        "origin": version.origin,
        "parent": version.parent.number if version.parent else None,
        "restores": version.restores.number if version.restores else None,
        "created_at": version.created_at,
        "created_by": version.created_by,
        "current": version.pk == document.current_id,
        "share": shares.get(version.pk, 0.0),
    }
