"""Keys over REST: see them, and replace one."""

from datetime import datetime
from typing import Annotated, Any

from django.db import transaction
from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from agents.api import Key, Paging, caller_of
from agents.keys import Caller, OwnerRefused, require_live
from agents.models import ApiKey, ApiKeyQuerySet
from agents.problems import Invalid, NotFound, Problem
from agents.rotation import LONGEST_H, OVERLAP_H, CannotChange, rotate
from audit.paging import newest_first

router = Router(tags=["keys"])
ADMIN = Key(ApiKey.Scope.ADMIN)


class KeyOut(Schema):
    """A key, without its secret. `successor` and `replaces` are prefixes; `calls_a_…` are null for no limit."""

    prefix: str
    label: str
    scopes: list[str]
    agent: str | None
    owner: str
    networks: list[str] = Field(description="Where it may be used from; empty for anywhere.")
    calls_a_minute: int | None
    other_calls_a_minute: int | None = Field(description="Those that neither fetch instructions nor report.")
    calls_a_day: int | None
    created_at: datetime
    on_probation: bool = Field(description="Whether what it reports carries no pattern by itself yet.")
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute.")
    last_used_from: str | None
    successor: str | None
    replaces: str | None


class Keys(Schema):
    """A page of keys, newest first."""

    items: list[KeyOut]
    next: str | None


class RotationIn(Schema):
    """For how long the old key works on, and for how many days the new one lives (null: as the old one did)."""

    model_config = ConfigDict(extra="forbid")

    overlap_h: Annotated[int, Field(ge=0, le=LONGEST_H)] = OVERLAP_H
    days: Annotated[int, Field(ge=1, le=36_500)] | None = None


class NewKey(KeyOut):
    """The successor, with its secret, which nothing shows again, and until when the old key works."""

    key: str
    old_works_until: datetime | None


@router.get("", response=Keys, auth=ADMIN, summary="List keys")
def list_keys(request: HttpRequest, paging: Query[Paging]) -> Keys:
    """The keys of the agents this key may see, revoked and expired ones included."""
    page = newest_first(
        _visible(caller_of(request)), field="pk", cursor=paging.cursor, limit=paging.limit, value=lambda key: key.pk
    )
    return Keys(items=[KeyOut(**_out(key)) for key in page.items], next=page.next)


@router.get("/{prefix}", response=KeyOut, auth=ADMIN, summary="Read a key")
def read_key(request: HttpRequest, prefix: str) -> KeyOut:
    """One key: when and from where it was last used, what replaces it."""
    return KeyOut(**_out(find_key(caller_of(request), prefix)))


@router.post("/{prefix}/rotate", response={201: NewKey}, auth=ADMIN, summary="Replace a key")
@transaction.atomic
def rotate_key(request: HttpRequest, prefix: str, body: RotationIn) -> Status[NewKey]:
    """Make its successor; both work for `overlap_h` hours. Only for keys of one's own owner with no more rights."""
    caller = caller_of(request)
    key = find_key(caller, prefix)
    if key.party != caller.party or not caller.scopes.issuperset(key.scopes):
        raise Problem(403, "not-yours", "A key replaces only keys of its own owner that may do no more than itself.")
    if prefix != caller.prefix:  # its own is held by being replaced
        require_live(caller.key_id)
    try:
        successor, secret = rotate(prefix, actor=caller.actor, overlap_h=body.overlap_h, days=body.days)
    except OwnerRefused as refusal:
        raise Invalid([{"loc": [], "msg": str(refusal)}]) from None
    except CannotChange as refusal:
        raise Problem(409, "cannot-rotate", str(refusal)) from None
    old = ApiKey.objects.get(prefix=prefix)
    out = _out(_visible(caller).get(pk=successor.pk))
    return Status(201, NewKey(**out, key=secret, old_works_until=old.expires_at))


def _visible(caller: Caller) -> ApiKeyQuerySet:
    keys = ApiKey.objects.select_related("agent", "owner", "successor", "predecessor")
    return keys.filter(agent=caller.agent_id) if caller.agent_id is not None else keys


def find_key(caller: Caller, prefix: str) -> ApiKey:
    """The key, if this caller may see it. Raises NotFound."""
    found = None if "\0" in prefix else _visible(caller).filter(prefix=prefix).first()
    if found is None:
        raise NotFound("There is no such key for this key.")
    return found


def _out(key: ApiKey) -> dict[str, Any]:
    limits, predecessor = key.limits, getattr(key, "predecessor", None)
    return {
        "prefix": key.prefix,
        "label": key.label,
        "scopes": key.scopes,
        "agent": key.agent.slug if key.agent else None,
        "owner": key.owner.username,
        "networks": key.networks,
        "calls_a_minute": (limits and limits.a_minute) or None,
        "other_calls_a_minute": (limits and limits.a_minute_of_others) or None,
        "calls_a_day": (limits and limits.a_day) or None,
        "created_at": key.created_at,
        "on_probation": key.is_on_probation,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
        "last_used_from": key.last_used_from,
        "successor": key.successor.prefix if key.successor else None,
        "replaces": predecessor.prefix if predecessor else None,
    }
