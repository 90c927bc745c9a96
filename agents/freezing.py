"""One switch that stops all that happens by itself: mining, drafting, and every step of a rollout.

People go on deciding, agents go on reporting and reading; and a candidate found worse is still taken back.
"""

from typing import Final

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from agents.exceptions import AgentError
from agents.models import Freeze
from audit.record import Actor, record
from people.models import User

FREEZE: Final = "agents.freeze_all"


class CannotFreeze(AgentError):
    """Somebody who may not, no reason, or a switch that stands so already; `field` is what it is about."""

    def __init__(self, message: str, *, field: str = "") -> None:
        self.field = field
        super().__init__(message)


def frozen() -> Freeze | None:
    """The freeze in force, if there is one. One query."""
    return Freeze.objects.filter(lifted_at=None).select_related("by").first()


def is_frozen() -> bool:
    """Whether nothing may happen by itself."""
    return Freeze.objects.filter(lifted_at=None).exists()


def hold_switch() -> bool:
    """Whether everything is frozen, which stays so until the transaction ends: who freezes waits for it.

    What changes by itself what agents get asks this first, before it locks anything else.
    """
    _lock("pg_advisory_xact_lock_shared")
    return is_frozen()


@transaction.atomic
def freeze(*, user: User, reason: str) -> Freeze:
    """Stop all that happens by itself, from now on: a step under way is waited for. Raises CannotFreeze."""
    _require(user)
    if not reason.strip():
        raise CannotFreeze("Say why everything is frozen.", field="reason")
    _lock("pg_advisory_xact_lock")
    try:
        with transaction.atomic():
            made = Freeze.objects.create(by=user, reason=reason.strip())
    except IntegrityError:
        raise CannotFreeze("Everything is frozen already.") from None
    record("board.frozen", actor=Actor.person(user), target=made, after={"reason": made.reason})
    return made


@transaction.atomic
def thaw(*, user: User, reason: str = "") -> Freeze:
    """Let things happen by themselves again. Raises CannotFreeze."""
    _require(user)
    found = Freeze.objects.select_for_update(of=("self",)).filter(lifted_at=None).first()
    if found is None:
        raise CannotFreeze("Nothing is frozen.")
    found.lifted_at, found.lifted_by = timezone.now(), user
    found.save(update_fields=["lifted_at", "lifted_by"])
    after = {"reason": reason.strip()}
    record("board.thawed", actor=Actor.person(user), target=found, before={"reason": found.reason}, after=after)
    return found


def _require(user: User) -> None:
    if not user.has_perm(FREEZE):
        raise CannotFreeze("Freezing everything needs the role operator or admin.")


def _lock(function: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtext('agents.freeze'), 0)")
