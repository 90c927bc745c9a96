"""Merge the miner's groups of errors that turn out to be one error, once there are enough of them to tell.

A merged group keeps its row, as when a person merges patterns; a person can take it out of its family, for good.
What the miner merges depends on the signatures there are and on nothing else, so it is the same whenever this ran
before, and however often it was killed: the rows that wait to be compared say what is to be done.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, IntegerField, QuerySet, Value
from django.db.models.functions import Coalesce, Length, Replace

from audit.record import SYSTEM, record
from feedback.actions import counting, lifecycle, locks
from feedback.mining import Kind, label
from feedback.mining.errors import joined
from feedback.models import Evidence, Pattern, PatternDay, PatternSource

Status = Pattern.Status
MOST_COMPARED = 150_000
"""So many tokens of signatures of one length, the newest first: 10 000 errors of 15 words. Comparing takes 0.5 s."""

_EMPTY = """
    UPDATE feedback_pattern p
    SET status = 'merged', merged_into_id = %s, is_merged_by_miner = true, draft_due_at = NULL, named_support = 0,
        support = 0, sources = 0, first_seen = NULL, last_seen = NULL,
        label = coalesce(nullif(p.label, ''), named.label)
    FROM unnest(%s::bigint[], %s::text[]) AS named (id, label) WHERE p.id = named.id
"""
_JUDGED = (Status.PROPOSED, Status.WATCHING, Status.RESOLVED)
_BLANKS = Length("signature") - Length(Replace("signature", Value(" "), Value("")))


@transaction.atomic
def join_families(agent_id: int) -> int:
    """Compare an agent's new errors with its others, and merge those of one family; how many patterns were merged."""
    errors = Pattern.objects.filter(agent=agent_id, kind=Kind.ERROR)
    waiting = errors.filter(is_compared=False)
    if not waiting.exists():
        return 0
    locks.regroup(agent_id)
    counted = errors.exclude(signature="").annotate(blanks=_BLANKS)
    counts = set(counted.filter(is_compared=False).values_list("blanks", flat=True).order_by())
    merged = sum(_join_alike(counted.filter(blanks=blanks), MOST_COMPARED // (blanks + 1)) for blanks in sorted(counts))
    _show(waiting)
    waiting.update(is_compared=True)
    return merged


def _show(waiting: QuerySet[Pattern]) -> None:
    """What enough sources reported is shown now that it is known to be no part of something else."""
    found = waiting.filter(
        status=Status.CANDIDATE, sources__gte=settings.COUNTERSIGN_MIN_SOURCES + F("unproven")
    ).order_by("pk")
    rows = found.select_for_update(no_key=True, of=("self",)).select_related("agent").defer("centroid", "meaning")
    patterns = list(rows)
    for pattern in patterns:
        pattern.is_compared = True
    lifecycle.react_all(patterns, lifecycle.Dismissed())


def _join_alike(errors: QuerySet[Pattern], most: int) -> int:
    found = joined(dict(errors.filter(is_kept_apart=False).order_by("-pk").values_list("pk", "signature")[:most]))
    roots = Pattern.objects.roots_of(found)
    tops: dict[int, set[int]] = defaultdict(set)
    for pk, first in found.items():
        tops[first].add(roots.get(pk, pk))
    return sum(_join(several) for _, several in sorted(tops.items()) if len(several) > 1)


def _join(tops: Collection[int]) -> int:
    """Merge these patterns of one family, but for those that people have decided something about."""
    rows = Pattern.objects.select_for_update(no_key=True, of=("self",)).select_related("agent").order_by("pk")
    target, *others = sorted(rows.filter(pk__in=tops), key=_rank)
    joining = [other for other in others if _may_join(other, target)]
    if joining:
        _move(joining, target)
    return len(joining)


def _rank(pattern: Pattern) -> tuple[int, int]:
    """Those come first that people know best, and of these the oldest."""
    if pattern.status in _JUDGED or pattern.is_named_by_hand:
        return 0, pattern.pk
    order = (Status.OPEN, Status.DISMISSED, Status.CANDIDATE)
    return 1 + order.index(Status(pattern.status)), pattern.pk


def _may_join(pattern: Pattern, target: Pattern) -> bool:
    """Nothing that was judged is merged without a person, nor hidden in what was dismissed."""
    if pattern.is_named_by_hand or pattern.is_kept_apart or pattern.proposals.open().exists():
        return False
    is_hidden = target.status == Status.DISMISSED
    return pattern.status == Status.CANDIDATE or (pattern.status == Status.OPEN and not is_hidden)


def _move(joining: Sequence[Pattern], target: Pattern) -> None:
    """Evidence and counts of some patterns to another. Set by set, since one run may find hundreds."""
    pks = [pattern.pk for pattern in joining]
    moved = Evidence.objects.filter(pattern__in=pks)
    moved.update(grouped_in=Coalesce(F("grouped_in_id"), F("pattern_id"), output_field=IntegerField()), pattern=target)
    PatternSource.objects.filter(pattern__in=pks).delete()
    PatternDay.objects.filter(pattern__in=pks).delete()
    Pattern.objects.filter(merged_into__in=pks, is_merged_by_miner=True).update(merged_into=target)
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY, [target.pk, pks, [label(Kind.ERROR, template=other.signature) for other in joining]])
    counting.recount(target)
    target.named_support, target.is_compared = 0, True
    lifecycle.react(target, lifecycle.Dismissed())
    target.save()
    for pattern in joining:
        if pattern.status != Status.CANDIDATE:  # what nobody had seen needs no entry
            _record(pattern, target)


def _record(pattern: Pattern, target: Pattern) -> None:
    record(
        "pattern.merged",
        actor=SYSTEM,
        target=pattern,
        agent=pattern.agent.slug,
        before={"status": pattern.status},
        after={"status": Status.MERGED, "merged_into": target.pk, "moved": pattern.support},
    )
