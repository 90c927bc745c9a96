"""The only writer of the audit log."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import structlog
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models, transaction
from django.utils import timezone

from audit.chain import canonical
from audit.models import AuditEntry


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as the log keeps it: a copy that outlives the account or key."""

    kind: AuditEntry.ActorKind
    id: str
    label: str

    @classmethod
    def person(cls, user: AbstractBaseUser) -> "Actor":
        return cls(AuditEntry.ActorKind.PERSON, str(user.pk), str(user))

    @classmethod
    def key(cls, prefix: str, label: str) -> "Actor":
        return cls(AuditEntry.ActorKind.KEY, prefix, label)


SYSTEM = Actor(AuditEntry.ActorKind.SYSTEM, "system", "Countersign")
COMMAND_LINE = Actor(AuditEntry.ActorKind.SYSTEM, "cli", "Command line")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What is to be recorded, see `record`."""

    verb: str
    actor: Actor
    target: models.Model
    agent: str = ""
    document: str = ""
    proposal: int | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


def named(target: models.Model) -> str:
    """What the log calls something: its `name_on_log` where it has one, because its own may hold what has to be erased
    some day, and nothing is ever erased from the log.
    """
    return str(getattr(target, "name_on_log", target))


def record(
    verb: str,
    *,
    actor: Actor,
    target: models.Model,
    agent: str = "",
    document: str = "",
    proposal: int | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEntry:
    """Write one entry into the running transaction; it is sealed into the chain when that commits.

    `before` and `after` hold JSON values only (no floats that are NaN, no NUL characters).
    Raises TransactionManagementError outside a transaction: an entry stands or falls with its change.
    """
    event = Event(
        verb=verb,
        actor=actor,
        target=target,
        agent=agent,
        document=document,
        proposal=proposal,
        before=before,
        after=after,
    )
    return record_all([event])[0]


def record_all(events: Iterable[Event]) -> list[AuditEntry]:
    """As `record`, for several in one statement, in their order."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("an audit entry is written only within a transaction")
    return AuditEntry.objects.bulk_create(map(_entry, events))


def _entry(event: Event) -> AuditEntry:
    fact = {
        "at": timezone.now().isoformat(timespec="microseconds"),
        "actor_kind": str(event.actor.kind),
        "actor_id": event.actor.id,
        "actor_label": event.actor.label[:200],
        "verb": event.verb,
        "target_kind": event.target._meta.model_name,
        "target_id": str(event.target.pk),
        "target_label": named(event.target)[:300],
        "agent": event.agent,
        "document": event.document,
        "proposal": event.proposal,
    }
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    body = canonical({**fact, "before": event.before, "after": event.after, "request_id": request_id})
    return AuditEntry(**fact, body=body)
