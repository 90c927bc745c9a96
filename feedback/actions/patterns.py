"""What people say of patterns, and where their proposals take them."""

from collections.abc import Collection, Mapping

from django.db import transaction
from django.utils import timezone

from audit.record import Actor, record
from feedback.exceptions import PatternError
from feedback.models import Pattern
from people.models import User


@transaction.atomic
def dismiss(pattern_id: int, *, user: User, reason: str) -> Pattern:
    """Mark a pattern as wrongly found; nothing is drafted from it any more. Raises PatternError."""
    _require_curator(user)
    if not reason.strip():
        raise PatternError("Say why the pattern is wrongly found; the reason stays with it.")
    changes = {"status": Pattern.Status.DISMISSED, "dismissed_reason": reason.strip(), "draft_due_at": None}
    return _move(pattern_id, Pattern.Status.OPEN, "pattern.dismissed", user, changes)


@transaction.atomic
def reopen(pattern_id: int, *, user: User) -> Pattern:
    """Take a dismissal back. Raises PatternError."""
    _require_curator(user)
    changes = {"status": Pattern.Status.OPEN, "dismissed_reason": "", "draft_due_at": timezone.now()}
    return _move(pattern_id, Pattern.Status.DISMISSED, "pattern.reopened", user, changes)


def change_status(
    pattern_ids: Collection[int],
    status: Pattern.Status,
    *,
    actor: Actor,
    proposal: int,
    expected: Collection[Pattern.Status] = tuple(Pattern.Status),
) -> None:
    """Move those of these patterns that are in one of the expected states; each move has an entry of its own.

    `proposal` is the one whose fate moves them. The caller holds the transaction.
    """
    # In the order in which mining locks them.
    rows = Pattern.objects.select_for_update(no_key=True, of=("self",)).select_related("agent").order_by("pk")
    for pattern in rows.filter(pk__in=pattern_ids, status__in=expected).exclude(status=status).defer("centroid"):
        Pattern.objects.filter(pk=pattern.pk).update(status=status)
        record(
            "pattern.status_changed",
            actor=actor,
            target=pattern,
            agent=pattern.agent.slug,
            proposal=proposal,
            before={"status": pattern.status},
            after={"status": status},
        )


def _require_curator(user: User) -> None:
    if not user.has_perm("feedback.curate_pattern"):
        raise PatternError("This needs the role reviewer or admin.")


def _move(pattern_id: int, expected: str, verb: str, user: User, changes: Mapping[str, object]) -> Pattern:
    if not Pattern.objects.filter(pk=pattern_id, status=expected).update(**changes):
        raise PatternError(f"The pattern is no longer {expected}; look at it again.")
    pattern = Pattern.objects.select_related("agent").get(pk=pattern_id)
    record(
        verb,
        actor=Actor.person(user),
        target=pattern,
        agent=pattern.agent.slug,
        before={"status": expected},
        after={"status": pattern.status, "reason": pattern.dismissed_reason},
    )
    return pattern
