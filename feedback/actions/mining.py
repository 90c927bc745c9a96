"""Take what was reported since the last time into patterns.

One batch is one transaction: the reports are marked in the same commit that links them, so a miner killed at any
point leaves either all of a batch or nothing of it, and whoever comes next goes on from there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import BinaryField, BooleanField, ExpressionWrapper, F, Q, Value
from django.utils import timezone

from agents.models import Agent
from feedback.actions import counting, locks, meaning
from feedback.actions.families import join_families
from feedback.actions.items import items_of
from feedback.mining import EXACT_KINDS, Assignment, Group, Grouper, Item, Kind
from feedback.models import Evidence, Feedback, Pattern, Run


@dataclass(slots=True)
class Tally:
    """What a mining run did."""

    reports: int = 0
    linked: int = 0
    patterns: set[int] = field(default_factory=set)


def mine(agent: Agent, *, grouper: Grouper | None = None) -> Tally:
    """Mine everything that waits for this agent, batch by batch."""
    tally = Tally()
    while mine_batch(agent.pk, tally, grouper=grouper):
        pass
    join_families(agent.pk)
    return tally


def waiting_agents() -> list[Agent]:
    """Agents with reports that no miner has looked at, or with errors that were not compared yet."""
    ids = set(Feedback.objects.unmined().order_by().values_list("agent", flat=True).distinct())
    ids |= set(Run.objects.unmined().order_by().values_list("agent", flat=True).distinct())
    ids |= set(Pattern.objects.filter(is_compared=False).order_by().values_list("agent", flat=True).distinct())
    return list(Agent.objects.filter(pk__in=ids).order_by("pk"))


def waiting(agents: Iterable[Agent]) -> int:
    """How many reports of these agents no miner has looked at."""
    return sum(queue.filter(agent__in=agents).count() for queue in (Feedback.objects.unmined(), Run.objects.unmined()))


def mine_batch(agent_id: int, tally: Tally, *, grouper: Grouper | None = None) -> bool:
    """Mine an agent's oldest waiting reports, COUNTERSIGN_MINE_BATCH of each table at most; False when none waited.

    What texts mean is worked out before the transaction, so that nobody waits for that.
    """
    meaning.prepare(agent_id)
    return _mine_batch(agent_id, tally, grouper or meaning.grouper())


@transaction.atomic
def _mine_batch(agent_id: int, tally: Tally, grouper: Grouper) -> bool:
    locks.one_miner(agent_id)
    size = settings.COUNTERSIGN_MINE_BATCH
    feedback = list(Feedback.objects.unmined().filter(agent=agent_id).select_for_update(no_key=True)[:size])
    runs = list(Run.objects.unmined().filter(agent=agent_id).select_for_update(no_key=True)[:size])
    if not feedback and not runs:
        return False
    reports: dict[int, Feedback | Run] = {}
    items: list[Item] = []
    both: list[Feedback | Run] = [*feedback, *runs]
    for report in both:
        for item in items_of(report, first_key=len(items)):
            items.append(item)
            reports[item.key] = report
    linked = _assign(agent_id, meaning.with_points(items, reports), reports, grouper)
    now = timezone.now()
    Feedback.objects.filter(pk__in=[f.pk for f in feedback]).update(mined_at=now)
    Run.objects.filter(pk__in=[r.pk for r in runs]).update(mined_at=now)
    tally.reports += len(feedback) + len(runs)
    tally.linked += len(linked)
    tally.patterns |= {evidence.pattern_id for evidence in linked}
    return True


def _assign(
    agent_id: int, items: Sequence[Item], reports: dict[int, Feedback | Run], grouper: Grouper
) -> list[Evidence]:
    result = grouper.assign(items, _known_groups(agent_id, items, grouper), meaning.middles(agent_id))
    keys = _store_groups(agent_id, result.groups)
    merged = Pattern.objects.roots_of({group.key for group in result.groups if group.key > 0})
    meaning.keep(agent_id, result.middles)
    linked = [
        _evidence(keys.get(assigned.group, assigned.group), reports[assigned.item], merged, assigned)
        for assigned in result.assignments
        if assigned.group is not None
    ]
    Evidence.objects.bulk_create(linked)
    into = {goes: keys.get(stays, stays) for goes, stays in result.merged}
    counting.add([*linked, *_dissolve(agent_id, into, merged)])
    return linked


def _dissolve(agent_id: int, into: Mapping[int, int], merged: Mapping[int, int]) -> list[Evidence]:
    """Take the evidence of candidates that are no more to the patterns that have it now, and return it."""
    if not into:
        return []
    locks.regroup(agent_id)
    moved = list(Evidence.objects.filter(pattern__in=into).order_by("pk"))
    for evidence in moved:
        group = into[evidence.pattern_id]
        evidence.pattern_id, evidence.grouped_in_id = merged.get(group, group), group if group in merged else None
    Evidence.objects.bulk_update(moved, ["pattern", "grouped_in"])
    Pattern.objects.filter(pk__in=into).delete()
    return moved


def _known_groups(agent_id: int, items: Sequence[Item], grouper: Grouper) -> list[Group]:
    """The groups the items may join: all of their text kinds, and those that share an exact signature.

    Words and meaning are read only where an item needs them: a group has some thousand bytes of either.
    """
    kinds = {item.kind for item in items}
    patterns = Pattern.objects.filter(agent=agent_id)
    near = patterns.filter(kind__in=kinds - EXACT_KINDS)
    signatures = {grouper.signature(item) for item in items if item.kind in EXACT_KINDS} - {""}
    exact = patterns.filter(kind__in=kinds & EXACT_KINDS, signature__in=signatures)
    texts = [item for item in items if item.kind not in EXACT_KINDS]
    nothing = Value(b"", output_field=BinaryField())
    words = nothing if texts and all(item.point for item in texts) else F("centroid")
    sums = F("meaning") if any(item.point for item in texts) else nothing
    rows = (near | exact).order_by("pk").values_list("pk", "kind", "signature", words, "grouped", sums, _KEPT)
    return [
        Group(pk, Kind(kind), signature, bytes(centroid), size, bytes(total), kept)
        for pk, kind, signature, centroid, size, total, kept in rows.iterator(chunk_size=2000)
    ]


_KEPT = ExpressionWrapper(~Q(status=Pattern.Status.CANDIDATE) | Q(is_formed_by_hand=True), output_field=BooleanField())


def _store_groups(agent_id: int, groups: Sequence[Group]) -> dict[int, int]:
    """Save new groups in the order they were made, and the moved centroids of known ones; new key → primary key."""
    new = sorted((group for group in groups if group.key < 0), key=lambda group: -group.key)
    made = Pattern.objects.bulk_create(
        Pattern(
            agent_id=agent_id,
            kind=g.kind,
            signature=g.signature,
            centroid=g.centroid,
            meaning=g.meaning,
            grouped=g.size,
            is_compared=g.kind is not Kind.ERROR,
        )
        for g in new
    )
    moved = [g for g in groups if g.key > 0]
    for column in ("centroid", "meaning"):
        found = [Pattern(pk=g.key, grouped=g.size, **{column: getattr(g, column)}) for g in moved if getattr(g, column)]
        Pattern.objects.bulk_update(found, [column, "grouped"], batch_size=500)
    exact = [Pattern(pk=g.key, grouped=g.size) for g in moved if g.kind in EXACT_KINDS]
    Pattern.objects.bulk_update(exact, ["grouped"], batch_size=500)
    return {group.key: pattern.pk for group, pattern in zip(new, made, strict=True)}


def _evidence(group: int, report: Feedback | Run, merged: Mapping[int, int], assigned: Assignment) -> Evidence:
    """What joins a group that was merged into another counts there, and keeps in mind where it came from."""
    which: dict[str, Any] = {"run": report} if isinstance(report, Run) else {"feedback": report}
    which |= {"similarity": assigned.similarity, "threshold": assigned.threshold}
    if group in merged:
        which["grouped_in_id"] = group
    return Evidence(pattern_id=merged.get(group, group), source=report.source, at=report.at, **which)
