"""The only writer of the audit log."""

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
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("an audit entry is written only within a transaction")
    fact = {
        "at": timezone.now().isoformat(timespec="microseconds"),
        "actor_kind": str(actor.kind),
        "actor_id": actor.id,
        "actor_label": actor.label[:200],
        "verb": verb,
        "target_kind": target._meta.model_name,
        "target_id": str(target.pk),
        "target_label": str(target)[:300],
        "agent": agent,
        "document": document,
        "proposal": proposal,
    }
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    body = canonical({**fact, "before": before, "after": after, "request_id": request_id})
    return AuditEntry.objects.create(**fact, body=body)
