"""Where each line of a text comes from, over REST."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema

from agents.api import Key, caller_of, find_document, find_version
from agents.models import ApiKey
from agents.sections import lines_of
from proposals.provenance import blame

router = Router(tags=["agents"])


class LineOut(Schema):
    """One line and the version that brought it."""

    line: int
    text: str
    version: int


class OriginOut(Schema):
    """A version that lines come from: what it was made of, and who approved it."""

    version: int
    at: datetime
    by: str
    proposal: int | None
    title: str
    pattern: int | None
    sources: int
    approved_by: list[str]


class Blame(Schema):
    """The lines in order, and each version they name."""

    version: int
    lines: list[LineOut]
    origins: list[OriginOut]


@router.get(
    "/agents/{agent}/documents/{document}/versions/{number}/blame",
    response=Blame,
    auth=Key(ApiKey.Scope.READ),
    summary="Who brought each line",
)
def read_blame(request: HttpRequest, agent: str, document: str, number: int) -> Blame:
    """For each line of a version: the version that brought it, its proposal, pattern and approvers."""
    version = find_version(find_document(caller_of(request), agent, document), number)
    numbered = enumerate(zip(lines_of(version.text), version.line_versions, strict=True), start=1)
    return Blame(
        version=number,
        lines=[LineOut(line=line, text=text.removesuffix("\n"), version=owner) for line, (text, owner) in numbered],
        origins=[_origin(origin) for _, origin in sorted(blame.origins(version).items())],
    )


def _origin(origin: blame.Origin) -> OriginOut:
    proposal = origin.proposal
    return OriginOut(
        version=origin.version.number,
        at=origin.version.created_at,
        by=origin.version.created_by,
        proposal=proposal.pk if proposal else None,
        title=proposal.title if proposal else origin.version.get_origin_display(),
        pattern=proposal.pattern_id if proposal else None,
        sources=proposal.evidence_sources if proposal else 0,
        approved_by=list(origin.approvers),
    )
