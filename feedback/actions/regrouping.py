"""Merge patterns that say the same, take them apart again, split one that says several things.

Evidence moves, and both patterns are counted anew. A merged pattern keeps its row as a group of the miner's: reports
that would join it count for the pattern it was merged into, and remember where they came from.
"""

from collections.abc import Collection

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from audit.record import Actor, record
from feedback.actions import counting, lifecycle, locks, meaning, naming
from feedback.actions.patterns import clean_label, require_curator
from feedback.exceptions import PatternError
from feedback.mining import EXACT_KINDS, Kind
from feedback.mining.texts import MAX_MOVES
from feedback.models import Evidence, Pattern
from people.models import User

Status = Pattern.Status
MOST_CHOSEN = 1000


@transaction.atomic
def merge(pattern_id: int, *, other_id: int, user: User) -> Pattern:
    """Merge another pattern of the same agent and kind into this one, which is returned. Raises PatternError."""
    require_curator(user, pattern_id)
    pattern, other = _lock_both(pattern_id, other_id)
    _refuse_merge(pattern, other)
    was = other.status
    moved = Evidence.objects.filter(pattern=other).update(
        pattern=pattern, grouped_in=Coalesce(F("grouped_in"), Value(other.pk))
    )
    other.status, other.merged_into, other.draft_due_at = Status.MERGED, pattern, None
    other.is_kept_apart = False
    pattern.is_formed_by_hand = other.is_formed_by_hand = True
    _settle(other)
    _settle(pattern)
    _record("pattern.merged", other, user, was, {"merged_into": pattern.pk, "moved": moved})
    return pattern


def _refuse_merge(pattern: Pattern, other: Pattern) -> None:
    if pattern.pk == other.pk:
        raise PatternError("Choose another pattern than this one.", field="other")
    if (pattern.agent_id, pattern.kind) != (other.agent_id, other.kind):
        raise PatternError("Only patterns of one agent and of one kind can be merged.", field="other")
    if pattern.status in (Status.MERGED, Status.CANDIDATE):
        raise PatternError("Nothing can be merged into this pattern; look at it again.")
    if other.status == Status.MERGED:
        raise PatternError("The other pattern was merged already; look again.", field="other")
    if other.status == Status.PROPOSED or other.proposals.open().exists():  # one that is answered may have another
        raise PatternError(
            "A proposal of the other pattern is open. Decide it first, or merge the other way round.", field="other"
        )


@transaction.atomic
def part(pattern_id: int, *, user: User) -> Pattern:
    """Take a merged pattern apart again, with all that joined it since; returns it. Raises PatternError."""
    require_curator(user, pattern_id)
    locks.regroup(Pattern.objects.values_list("agent_id", flat=True).get(pk=pattern_id))
    roots = Pattern.objects.filter(agent__patterns=pattern_id).roots()
    if pattern_id not in roots:
        raise PatternError("The pattern is not merged any more; look at it again.")
    root, pattern = _lock(roots[pattern_id], pattern_id)
    inner = [pattern.pk, *_inside(pattern)]
    moved = Evidence.objects.filter(pattern=root, grouped_in__in=inner).update(
        pattern=pattern, grouped_in=Case(When(grouped_in=pattern.pk, then=None), default=F("grouped_in"))
    )
    pattern.merged_into, pattern.is_merged_by_miner, pattern.is_kept_apart = None, False, True
    pattern.status = Status.CANDIDATE
    _settle(root)
    counting.recount(pattern)
    pattern.status = _alone(pattern)
    _settle(pattern)
    _record("pattern.parted", pattern, user, Status.MERGED, {"taken_from": root.pk, "moved": moved})
    return pattern


def _inside(pattern: Pattern) -> list[int]:
    """The patterns that were merged into this one before it was merged itself."""
    into = dict(Pattern.objects.filter(agent=pattern.agent_id, status=Status.MERGED).values_list("pk", "merged_into"))
    found, last = [], {pattern.pk}
    while last := {pk for pk, target in into.items() if target in last}:
        found += sorted(last)
    return found


def _alone(pattern: Pattern) -> Status:
    """The state of a pattern that stands by itself again."""
    if pattern.dismissed_reason:
        return Status.DISMISSED
    if pattern.sources < settings.COUNTERSIGN_MIN_SOURCES:
        return Status.CANDIDATE
    is_answered = pattern.answered_by_id is not None and pattern.came_back_at is None
    return Status.WATCHING if is_answered else Status.OPEN


@transaction.atomic
def split(pattern_id: int, *, evidence_ids: Collection[int], user: User, label: str = "") -> Pattern:
    """Make a pattern of its own of some of the evidence; returns it. Raises PatternError.

    Later reports go to whichever of the two they are nearer to. With too few sources it is a candidate at first.
    """
    require_curator(user, pattern_id)
    locks.regroup(Pattern.objects.values_list("agent_id", flat=True).get(pk=pattern_id))
    (pattern,) = _lock(pattern_id)
    label = clean_label(label)
    _refuse_split(pattern, evidence_ids)
    chosen = Evidence.objects.filter(pattern=pattern, pk__in=evidence_ids)
    touched = {group or pattern.pk for group in chosen.values_list("grouped_in", flat=True)}
    new = Pattern.objects.create(
        agent=pattern.agent, kind=pattern.kind, split_from=pattern, label=label, is_named_by_hand=bool(label)
    )
    moved = chosen.update(pattern=new, grouped_in=None, similarity=None, threshold=None)
    for group in sorted(touched):
        _center(group, pattern)
    _center(new.pk, new)
    new.refresh_from_db()
    pattern.refresh_from_db(fields=["centroid", "meaning", "grouped", "is_formed_by_hand"])
    counting.recount(new)
    new.status = _alone(new)
    new.draft_due_at = timezone.now() if new.status == Status.OPEN else None
    _settle(new)
    _settle(pattern)
    _record("pattern.split", new, user, "", {"taken_from": pattern.pk, "moved": moved})
    return new


def _refuse_split(pattern: Pattern, evidence_ids: Collection[int]) -> None:
    if pattern.status in (Status.MERGED, Status.CANDIDATE):
        raise PatternError("The pattern was merged into another; look at it again.")
    if Kind(pattern.kind) in EXACT_KINDS:
        raise PatternError("What is grouped by equal text cannot be split; only what was merged can be taken apart.")
    if not evidence_ids:
        raise PatternError("Choose the reports that belong to another pattern.", field="items")
    there = Evidence.objects.filter(pattern=pattern, pk__in=list(evidence_ids)[:MOST_CHOSEN]).count()
    if there < len(set(evidence_ids)):
        raise PatternError("Some of the chosen reports are not in this pattern any more; look again.", field="items")
    if there == pattern.support:
        raise PatternError("Leave at least one report; otherwise rename the pattern instead.", field="items")


def _center(group: int, pattern: Pattern) -> None:
    """Work out anew what stands for a group of the miner's whose reports count for this pattern."""
    own = Q(grouped_in=None) if group == pattern.pk else Q(grouped_in=group)
    members = Evidence.objects.filter(own, pattern=pattern).order_by("pk")
    items = meaning.items_of_all(members.select_related("feedback", "run")[:MAX_MOVES], pattern.kind)
    kind = Kind(pattern.kind)
    formed = meaning.grouper().formed(group, kind, items, meaning.middles(pattern.agent_id).get(kind))
    Pattern.objects.filter(pk=group).update(
        centroid=formed.centroid, meaning=formed.meaning, grouped=members.count(), is_formed_by_hand=True
    )


def _lock_both(pattern_id: int, other_id: int) -> tuple[Pattern, Pattern]:
    locks.regroup(Pattern.objects.values_list("agent_id", flat=True).get(pk=pattern_id))
    found = {pattern.pk: pattern for pattern in _lock(pattern_id, other_id)}
    if other_id not in found:
        raise PatternError("There is no such pattern.", field="other")
    return found[pattern_id], found[other_id]


def _lock(*pattern_ids: int) -> list[Pattern]:
    """The patterns as given, without those that are not there; locked in the order in which mining locks them."""
    rows = Pattern.objects.select_for_update(no_key=True, of=("self",)).select_related("agent").order_by("pk")
    found = {pattern.pk: pattern for pattern in rows.filter(pk__in=pattern_ids)}
    return [found[pk] for pk in dict.fromkeys(pattern_ids) if pk in found]


def _settle(pattern: Pattern) -> None:
    """Count and name a pattern anew, see what the reports make of it, and save it."""
    counting.recount(pattern)
    pattern.named_support = 0
    if pattern.status not in (Status.MERGED, Status.CANDIDATE) and pattern.support:
        naming.refresh(pattern)
    if pattern.status != Status.CANDIDATE:
        lifecycle.react(pattern, lifecycle.Dismissed())
    pattern.save()


def _record(verb: str, pattern: Pattern, user: User, was: str, more: dict[str, object]) -> None:
    record(
        verb,
        actor=Actor.person(user),
        target=pattern,
        agent=pattern.agent.slug,
        before={"status": was},
        after={"status": pattern.status, **more},
    )
