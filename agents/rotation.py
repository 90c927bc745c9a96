"""Change a key while programs go on using it: replace it by a successor, or set where and how much it may be used.

A key that is replaced works on for a while beside its successor, and then ends by itself, because it expires. When each
of the two was last used shows whether anybody still has the old one.
"""

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from agents.keys import NO_RULES, Rules, facts, forget, record_on, require_may_own, rules_of
from agents.models import ApiKey
from agents.reach import require_act
from agents.tokens import digest_of, mint
from audit.record import Actor
from people.models import User

OVERLAP_H: Final = 7 * 24
LONGEST_H: Final = 90 * 24
LONGEST_LIFE: Final = 36_500


class CannotChange(ValueError):
    """This key cannot be changed so; the message is fit to be shown."""


@transaction.atomic
def rotate(
    prefix: str, *, actor: Actor, by: User | None = None, overlap_h: int = OVERLAP_H, days: int | None = None
) -> tuple[ApiKey, str]:
    """Replace a key by a new one of the same rights, owner and rules; returns it with its secret, shown this once.

    The old one works for `overlap_h` hours more, or until it would have ended anyway; 0 ends it now. The new one lives
    for `days`, or as long as the old one was made for. `by` is the person who does so.
    Raises ApiKey.DoesNotExist, OwnerRefused, OutOfReach, CannotChange.
    """
    if not 0 <= overlap_h <= LONGEST_H:
        raise CannotChange(f"The old key can work for 0 to {LONGEST_H} hours more.")
    if days is not None and not 1 <= days <= LONGEST_LIFE:
        raise CannotChange(f"A key lives for 1 to {LONGEST_LIFE} days.")
    key = _lock(prefix, by)
    require_may_own(key.owner, key.scopes, actor)
    before, now = facts(key), timezone.now()
    new_prefix, token = mint()
    life = timedelta(days=days) if days else key.expires_at and key.expires_at - key.created_at
    successor = ApiKey.objects.create(
        prefix=new_prefix,
        digest=digest_of(token),
        label=key.label,
        scopes=key.scopes,
        agent=key.agent,
        owner=key.owner,
        expires_at=now + life if life else None,
        probation_until=key.probation_until,
        probation_reports=key.probation_reports,
        probation_ended_at=key.probation_ended_at,
        **rules_of(key)._asdict(),
    )
    until = now + timedelta(hours=overlap_h)
    key.expires_at = min(until, key.expires_at) if key.expires_at else until
    key.successor = successor
    key.save(update_fields=["expires_at", "successor"])
    record_on("key.rotated", key, actor, before=before, after={**facts(key), "successor": new_prefix})
    record_on("key.created", successor, actor, after={**facts(successor), "replaces": prefix})
    forget(prefix)
    return successor, token


@transaction.atomic
def set_rules(prefix: str, rules: Rules, *, actor: Actor, by: User | None = None) -> bool:
    """Set where a key may be used from and how much; False where that is so already.

    Raises ApiKey.DoesNotExist, OutOfReach, CannotChange.
    """
    key = _lock(prefix, by, even_replaced=True)
    before = facts(key)
    for name, value in rules._asdict().items():
        setattr(key, name, value)
    after = facts(key)
    if after == before:
        return False
    key.save(update_fields=list(NO_RULES._fields))
    record_on("key.rules_set", key, actor, before=before, after=after)
    forget(prefix)
    return True


def _lock(prefix: str, by: User | None, *, even_replaced: bool = False) -> ApiKey:
    """A key that works, held until the transaction ends: of two who replace it at once, the second is refused.

    Its successor is not joined in: of what is joined, a question that had to wait for the lock gives what was before.
    """
    rows = ApiKey.objects.select_for_update(no_key=True, of=("self",)).select_related("agent", "owner")
    key = rows.get(prefix=prefix)
    if by and key.agent_id is not None:
        require_act(by, key.agent_id)
    if key.revoked_at:
        raise CannotChange(f"{key} is revoked.")
    if key.expires_at and key.expires_at <= timezone.now():
        raise CannotChange(f"{key} has expired. Create another in its place.")
    if key.successor and not even_replaced:
        raise CannotChange(f"{key} was replaced already, by csk_{key.successor.prefix}….")
    return key
