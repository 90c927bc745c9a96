"""What rests on the reports of an API key, over REST, and having them count no more, or again."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from django.urls import reverse
from ninja import Query, Router, Schema, Status
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints

from agents.api import Key, Paging, caller_of, no_nul, while_it_works
from agents.api_keys import find_key
from agents.models import ApiKey
from agents.problems import Invalid, NotFound, Problem
from agents.times import parse_time
from feedback.actions import quarantine as actions
from feedback.exceptions import QuarantineError
from feedback.models import Quarantine
from proposals.grounds.taint import Shaken, resting_on

router = Router(tags=["keys"])
ADMIN = Key(ApiKey.Scope.ADMIN)


def _moment(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("Use a time with a zone, like 2026-05-03T10:42:00Z.")
    return parse_time(value)


Moment = Annotated[datetime, BeforeValidator(_moment)]


class QuarantineIn(Schema):
    """Which reports count no more: those that came in from `since` to before `until`; null is without end."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(min_length=1, max_length=actions.MAX_REASON), AfterValidator(no_nul)]
    since: Moment | None = None
    until: Moment | None = None
    revoke: bool = Field(default=False, description="End the key in the same moment.")


class QuarantineOut(Schema):
    """The newest quarantine of a key. While `done_at` is null, a worker is still counting anew."""

    reason: str
    by: str
    at: datetime
    since: datetime | None
    until: datetime | None
    lifted_by: str | None
    lifted_at: datetime | None
    done_at: datetime | None
    feedback: int = Field(description="Reports that are held out now.")
    runs: int = Field(description="Runs that are held out now.")


class RestingOut(Schema):
    """A proposal that is open, or whose change agents get now, and how many sources are left without the key."""

    proposal: int
    url: str
    title: str
    agent: str
    document: str
    state: str
    version: int | None = Field(description="What it made, where agents get its change now.")
    is_current: bool
    rollout: int | None = Field(description="The rollout that serves it, where only some get it.")
    reports: int = Field(description="Reports and runs behind it that came with the key.")
    sources: int
    left: int
    needed: int
    falls: bool = Field(description="Whether fewer are left than it takes, of as many as it takes.")


class RestingPage(Schema):
    """What may fall first, then the newest. `found` is how many there are in all, what was undone since included."""

    items: list[RestingOut]
    found: int
    next: str | None


@router.get("/{prefix}/resting", response=RestingPage, auth=ADMIN, summary="List what rests on a key")
def list_resting(request: HttpRequest, prefix: str, paging: Query[Paging]) -> RestingPage:
    """Open proposals and versions served now with reports that came with the key, as if these counted no more."""
    key = find_key(caller_of(request), prefix)
    page = resting_on(key, _in_force(key), before=paging.cursor, limit=paging.limit)
    items = [_resting(request, one) for one in page.rows]
    return RestingPage(items=items, found=page.found, next=None if page.next is None else str(page.next))


@router.get("/{prefix}/quarantine", response=QuarantineOut, auth=ADMIN, summary="Read a quarantine")
def read_quarantine(request: HttpRequest, prefix: str) -> QuarantineOut:
    """The newest one of the key, and how far it got."""
    found = find_key(caller_of(request), prefix).quarantines.first()
    if found is None:
        raise NotFound("No report of this key was ever in quarantine.")
    return _out(found)


@router.post("/{prefix}/quarantine", response={201: QuarantineOut}, auth=ADMIN, summary="Put reports in quarantine")
@while_it_works
def begin_quarantine(request: HttpRequest, prefix: str, body: QuarantineIn) -> Status[QuarantineOut]:
    """Have reports that came with the key count nowhere. A worker counts anew; nothing is taken back by itself."""
    caller = caller_of(request)
    find_key(caller, prefix)
    try:
        return Status(201, _out(actions.quarantine(prefix, actor=caller.actor, **body.model_dump())))
    except QuarantineError as refusal:
        raise _refused(refusal) from None


@router.delete("/{prefix}/quarantine", response=QuarantineOut, auth=ADMIN, summary="Lift a quarantine")
@while_it_works
def lift_quarantine(request: HttpRequest, prefix: str) -> QuarantineOut:
    """Have the reports count again, where their patterns are now. Not for keys of one's own owner."""
    caller = caller_of(request)
    if find_key(caller, prefix).party == caller.party:
        raise Problem(403, "not-yours", "A key lifts no quarantine of its own owner’s keys; a person does.")
    try:
        return _out(actions.lift(prefix, actor=caller.actor))
    except QuarantineError as refusal:
        raise _refused(refusal) from None


def _refused(refusal: QuarantineError) -> Problem:
    if refusal.field:
        return Invalid([{"loc": [refusal.field], "msg": str(refusal)}])
    return Problem(409, "quarantine", str(refusal))


def _in_force(key: ApiKey) -> Quarantine | None:
    return Quarantine.objects.in_force().filter(key=key).first()


def _resting(request: HttpRequest, one: Shaken) -> RestingOut:
    proposal = one.proposal
    return RestingOut(
        proposal=proposal.pk,
        url=request.build_absolute_uri(reverse("proposal", args=[proposal.pk])),
        title=proposal.title,
        agent=proposal.document.agent.slug,
        document=proposal.document.slug,
        state=proposal.status,
        version=one.number,
        is_current=one.is_current,
        rollout=one.rollout.pk if one.rollout else None,
        reports=one.reports,
        sources=one.sources,
        left=one.left,
        needed=one.least,
        falls=one.falls,
    )


def _out(found: Quarantine) -> QuarantineOut:
    names: dict[str, Any] = {name: getattr(found, name) for name in QuarantineOut.model_fields}
    return QuarantineOut(**names | {"lifted_by": found.lifted_by or None})
