"""What people say of patterns, and where their proposals take them."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from agents.exceptions import BadName
from agents.models import Version
from agents.names import clean_name
from agents.reach import require_act
from audit.record import Actor, record
from feedback.actions import naming, weighing
from feedback.exceptions import PatternError
from feedback.models import Pattern
from people.models import User

MAX_LABEL = 200


@transaction.atomic
def dismiss(pattern_id: int, *, user: User, dismissed_as: str, reason: str, duplicate_of: int | None = None) -> Pattern:
    """Mark a pattern as wrongly found: nothing is drafted from it any more, and nothing like it opens.

    Raises PatternError, with the field it is about.
    """
    require_curator(user, pattern_id)
    if dismissed_as not in _BY_PEOPLE:
        raise PatternError("Choose what is wrong with it.", field="dismissed_as")
    if not reason.strip():
        raise PatternError("Say why the pattern is wrongly found; the reason stays with it.", field="reason")
    changes: dict[str, Any] = {
        "status": Pattern.Status.DISMISSED,
        "dismissed_as": dismissed_as,
        "dismissed_reason": reason.strip(),
        "duplicate_of": None,
        "draft_due_at": None,
    }
    if dismissed_as == Pattern.Dismissal.DUPLICATE:
        changes["duplicate_of"] = _original(pattern_id, duplicate_of)
    return _move(pattern_id, Pattern.Status.OPEN, "pattern.dismissed", user, changes)


_BY_PEOPLE = [reason for reason in Pattern.Dismissal if reason != Pattern.Dismissal.ALIKE]


def _original(pattern_id: int, given: int | None) -> int:
    """The pattern that another says the same as. Raises PatternError."""
    agent = Pattern.objects.values_list("agent", flat=True).get(pk=pattern_id)
    if given is None or not Pattern.objects.shown().exclude(pk=pattern_id).filter(pk=given, agent=agent).exists():
        raise PatternError("Choose the pattern that it is a duplicate of.", field="duplicate_of")
    return given


@transaction.atomic
def reopen(pattern_id: int, *, user: User) -> Pattern:
    """Take a dismissal back, with what was dismissed for being like it. Raises PatternError."""
    require_curator(user, pattern_id)
    changes = {
        "status": Pattern.Status.OPEN,
        "dismissed_as": "",
        "dismissed_reason": "",
        "duplicate_of": None,
        "draft_due_at": timezone.now(),
    }
    pattern = _move(pattern_id, Pattern.Status.DISMISSED, "pattern.reopened", user, changes)
    alike = Pattern.objects.filter(
        duplicate_of=pattern, dismissed_as=Pattern.Dismissal.ALIKE, status=Pattern.Status.DISMISSED
    )
    for other in list(alike.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True)):
        _move(other, Pattern.Status.DISMISSED, "pattern.reopened", user, changes)
    return pattern


@transaction.atomic
def rename(pattern_id: int, *, user: User, label: str) -> Pattern:
    """Give a pattern another label, which the miner keeps; an empty one lets the miner name it again.

    Raises PatternError, with the field it is about.
    """
    require_curator(user, pattern_id)
    label = clean_label(label)
    pattern = Pattern.objects.select_for_update(no_key=True, of=("self",)).select_related("agent").get(pk=pattern_id)
    if pattern.status == Pattern.Status.MERGED:
        raise PatternError("The pattern was merged into another; look at it again.")
    was, before = pattern.label, _given(pattern)
    pattern.is_named_by_hand, pattern.label = bool(label), label or pattern.label
    if not label:
        pattern.named_support = 0
        naming.refresh(pattern)
    if pattern.label == was and pattern.is_named_by_hand:
        raise PatternError("That is its label already.", field="label")
    pattern.save(update_fields=["label", "terms", "error_class", "named_support", "is_named_by_hand"])
    record(
        "pattern.renamed",
        actor=Actor.person(user),
        target=pattern,
        agent=pattern.agent.slug,
        before=before,
        after=_given(pattern),
    )
    return pattern


def _given(pattern: Pattern) -> dict[str, Any]:
    """The label as the log keeps it: what a person gave, and of the miner's only that it is one."""
    return {"by_hand": pattern.is_named_by_hand} | ({"label": pattern.label} if pattern.is_named_by_hand else {})


def clean_label(label: str) -> str:
    """One line of at most MAX_LABEL characters that can be seen, or nothing. Raises PatternError."""
    try:
        label = clean_name(label, what="label") if label.strip() else ""
    except BadName as bad:
        raise PatternError(str(bad), field="label") from None
    if len(label) > MAX_LABEL:
        raise PatternError(f"The label has {len(label)} characters; at most {MAX_LABEL} are allowed.", field="label")
    return label


def change_status(
    pattern_ids: Collection[int],
    status: Pattern.Status,
    *,
    actor: Actor,
    proposal: int,
    expected: Collection[Pattern.Status] = tuple(Pattern.Status),
    version: Version | None = None,
    answered_by: Iterable[int] | None = None,
) -> None:
    """Move those of these patterns that are in one of the expected states; each move has an entry of its own.

    `proposal` is the one whose fate moves them, `version` the one that is to end what they tell of. With `answered_by`
    (keys of versions) only those move that one of these was to end. What was merged into another pattern moves that
    one. The caller holds the transaction.
    """
    roots = Pattern.objects.filter(agent__patterns__in=pattern_ids).roots()
    ids = {roots.get(pk, pk) for pk in pattern_ids}
    # In the order in which mining locks them.
    rows = Pattern.objects.select_for_update(no_key=True, of=("self",)).select_related("agent").order_by("pk")
    rows = rows.filter(pk__in=ids, status__in=expected)
    if answered_by is not None:
        rows = rows.filter(answered_by__in=list(answered_by))
    for pattern in rows.defer("centroid"):
        changes = _changes(pattern, status, version)
        if changes["status"] == pattern.status and version is None:
            continue
        Pattern.objects.filter(pk=pattern.pk).update(**changes)
        if status == Pattern.Status.PROPOSED:
            weighing.weigh(pattern)
        record(
            "pattern.status_changed",
            actor=actor,
            target=pattern,
            agent=pattern.agent.slug,
            proposal=proposal,
            before={"status": pattern.status},
            after={"status": changes["status"]},
        )


def _changes(pattern: Pattern, status: Pattern.Status, version: Version | None) -> dict[str, Any]:
    """What a move changes: what came of the version that answers the pattern goes with it."""
    if version:
        return {"status": status, "answered_by": version, "answered_at": version.created_at, "came_back_at": None}
    is_answered = pattern.answered_by_id is not None and pattern.came_back_at is None
    if status == Pattern.Status.OPEN and pattern.status in Pattern.ANSWERED:
        return {"status": status, "answered_by": None, "answered_at": None}
    if status == Pattern.Status.OPEN and pattern.status == Pattern.Status.PROPOSED and is_answered:
        # A further change was refused; the one before it is in force all the same.
        return {"status": Pattern.Status.WATCHING}
    return {"status": status}


def require_curator(user: User, pattern_id: int) -> None:
    """Raises PatternError for whoever may not say what a pattern is, and OutOfReach where it is another team's."""
    if not user.has_perm("feedback.curate_pattern"):
        raise PatternError("This needs the role reviewer or admin.")
    require_act(user, Pattern.objects.values_list("agent_id", flat=True).get(pk=pattern_id))


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
        after={
            "status": pattern.status,
            "reason": pattern.dismissed_reason,
            "dismissed_as": pattern.dismissed_as,
            "duplicate_of": pattern.duplicate_of_id,
        },
    )
    return pattern
