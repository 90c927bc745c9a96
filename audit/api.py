"""GET /audit: the log for other programs."""

from datetime import UTC, datetime
from typing import Annotated, Any, Protocol

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from ninja.errors import HttpError
from pydantic import AfterValidator, Field

from audit import checkpoints, exporting
from audit.exceptions import AuditError
from audit.models import AuditEntry
from audit.paging import LARGEST_CURSOR, newest_first
from audit.record import Actor

router = Router(tags=["audit"])


class Reader(Protocol):
    """What this needs to know of whoever signs in: the one agent whose entries they may see, None for all."""

    agent_slug: str | None

    @property
    def actor(self) -> Actor: ...


def _in_utc(moment: datetime) -> datetime:
    """Without a zone it is UTC; no database knows all zones that can be written."""
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("This time is out of the calendar.") from None


Moment = Annotated[datetime, AfterValidator(_in_utc)]


class Filters(Schema):
    """Each given filter narrows the list."""

    agent: str | None = None
    document: str | None = None
    proposal: Annotated[int, Field(ge=1, le=LARGEST_CURSOR)] | None = None
    verb: str | None = None
    actor: str | None = Field(None, description="The actor's id: a person's number or a key's prefix.")
    since: Moment | None = Field(None, description="Entries at or after this time.")
    until: Moment | None = Field(None, description="Entries before this time.")
    cursor: Annotated[int, Field(ge=0, le=LARGEST_CURSOR)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class Party(Schema):
    """Who or what, as known at the time."""

    kind: str
    id: str
    label: str


class Entry(Schema):
    """One fact. `hash` is its place in the chain, in hex."""

    sequence: int
    at: datetime
    actor: Party
    verb: str
    target: Party
    agent: str
    document: str
    proposal: int | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    hash: str


class Entries(Schema):
    """A page of entries, newest first."""

    items: list[Entry]
    next: str | None


@router.get("", response=Entries, summary="Read the log", operation_id="list_audit_entries")
def list_entries(request: HttpRequest, filters: Query[Filters]) -> Entries:
    """Who did what to what, newest first."""
    reader = _reader(request)
    exporting.note_reading(reader.actor)
    page = newest_first(
        AuditEntry.objects.filter(sequence__isnull=False, **_conditions(filters, reader)),
        field="sequence",
        cursor=filters.cursor,
        limit=filters.limit,
        value=lambda entry: entry.sequence or 0,
    )
    return Entries(items=[_entry(entry) for entry in page.items], next=page.next)


_PLAIN: dict[str, Any] = {
    "responses": {200: {"description": "OK", "content": {"text/plain": {"schema": {"type": "string"}}}}}
}


@router.get("/checkpoint", summary="Get a checkpoint", operation_id="audit_checkpoint", openapi_extra=_PLAIN)
def checkpoint(request: HttpRequest) -> HttpResponse:
    """A signed statement of how many entries the log has now, and which (C2SP tlog-checkpoint, as text).

    Keep it where nobody here can change it: `verify_audit --checkpoint` tells whether the log still is what it was
    then. `503` where none can be made; nothing is signed that does not continue what was signed before.
    """
    try:
        made = checkpoints.make(_reader(request).actor)
    except AuditError as refusal:
        raise HttpError(503, str(refusal)) from None
    return HttpResponse(made.note, content_type="text/plain; charset=utf-8")


@router.get("/keys", summary="Get the public keys", operation_id="audit_keys", openapi_extra=_PLAIN)
def keys(request: HttpRequest) -> HttpResponse:
    """Every key that ever signed a checkpoint, one a line, as “name+id+key”; the one in use comes last."""
    return HttpResponse(exporting.keys_text(), content_type="text/plain; charset=utf-8")


def _reader(request: HttpRequest) -> Reader:
    reader: Reader = request.auth  # type: ignore[attr-defined]
    return reader


def _conditions(filters: Filters, reader: Reader) -> dict[str, Any]:
    wanted = {
        "agent": filters.agent,
        "document": filters.document,
        "proposal": filters.proposal,
        "verb": filters.verb,
        "actor_id": filters.actor,
        "at__gte": filters.since,
        "at__lt": filters.until,
    }
    found = {field: value for field, value in wanted.items() if value is not None}
    if reader.agent_slug is not None:
        found["agent__exact"] = reader.agent_slug
    return found


def _entry(entry: AuditEntry) -> Entry:
    fact = entry.fact
    return Entry(
        sequence=entry.sequence or 0,
        at=entry.at,
        actor=Party(kind=entry.actor_kind, id=entry.actor_id, label=entry.actor_label),
        verb=entry.verb,
        target=Party(kind=entry.target_kind, id=entry.target_id, label=entry.target_label),
        agent=entry.agent,
        document=entry.document,
        proposal=entry.proposal,
        before=fact.get("before"),
        after=fact.get("after"),
        hash=bytes(entry.hash or b"").hex(),
    )
