"""What an agent ran on at a time, over REST."""

from datetime import datetime
from typing import Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field

from agents.api import Key, caller_of
from agents.models import Agent, ApiKey, Version
from agents.problems import Invalid
from agents.times import parse_time
from proposals.provenance import then
from proposals.provenance.blame import Origin

router = Router(tags=["agents"])


class ThenIn(Schema):
    """A moment, and a unit of the rollouts of then."""

    at: str = Field(description="RFC 3339, with a zone.")
    unit: str = Field("", max_length=200, description="Whose arm to tell, where a rollout was under way.")


class RolloutThen(Schema):
    """A rollout that was under way: what it served beside the current version, and to whom."""

    id: int
    candidate: int
    share: float = Field(description="The candidate's, from 0 to 1.")
    arm: Literal["current", "candidate"] | None = Field(description="What the unit got; null without one.")


class DocumentThen(Schema):
    """One document: what was served, since when it was, who let it through, and on what."""

    document: str
    version: int
    sha256: str
    content: str
    current_version: int
    current_from: datetime
    current_until: datetime | None = Field(description="Null if it still is.")
    released_by: str
    approved_by: list[str]
    proposal: int | None
    title: str
    pattern: int | None
    reports: int
    sources: int
    rollout: RolloutThen | None


class Then(Schema):
    """What the agent ran on."""

    agent: str
    at: datetime
    unit: str
    documents: list[DocumentThen]


@router.get("/agents/{agent}/then", response=Then, auth=Key(ApiKey.Scope.READ), summary="What ran at a time")
def read_then(request: HttpRequest, agent: str, asked: Query[ThenIn]) -> Then:
    """Each document of the agent as it was served at that time: text, digest, who approved it, on what evidence."""
    found = Agent.objects.get(pk=caller_of(request).agent(agent))
    at = _past(asked.at)
    ran = then.ran(found, at, asked.unit)
    texts = dict(Version.objects.filter(pk__in=[one.version.pk for one in ran]).values_list("pk", "text"))
    documents = [_document(one, texts[one.version.pk]) for one in ran]
    return Then(agent=found.slug, at=at, unit=asked.unit, documents=documents)


def _past(value: str) -> datetime:
    try:
        at = parse_time(value)
    except ValueError as error:
        raise Invalid([{"loc": ["query", "at"], "msg": str(error)}]) from None
    if at > timezone.now():
        raise Invalid([{"loc": ["query", "at"], "msg": "This time has not come yet."}])
    return at


def _document(one: then.Ran, text: str) -> DocumentThen:
    served, proposal = one.served, one.served.proposal
    return DocumentThen(
        document=one.version.document.slug,
        version=one.version.number,
        sha256=one.version.sha256,
        content=text,
        current_version=one.current.version.number,
        current_from=one.since,
        current_until=one.until,
        released_by=one.moved_by,
        approved_by=list(served.approvers),
        proposal=proposal.pk if proposal else None,
        title=_title(served),
        pattern=proposal.pattern_id if proposal else None,
        reports=proposal.evidence_items if proposal else 0,
        sources=proposal.evidence_sources if proposal else 0,
        rollout=_rollout(one.candidate),
    )


def _title(served: Origin) -> str:
    return served.proposal.title if served.proposal else served.version.get_origin_display()


def _rollout(candidate: then.Candidate | None) -> RolloutThen | None:
    if candidate is None:
        return None
    arm: Literal["current", "candidate"] | None = None
    if candidate.got_it is not None:
        arm = "candidate" if candidate.got_it else "current"
    return RolloutThen(
        id=candidate.rollout, candidate=candidate.origin.version.number, share=candidate.share / 100, arm=arm
    )
