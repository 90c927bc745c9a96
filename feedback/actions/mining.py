"""Take what was reported since the last time into patterns.

One batch is one transaction: the reports are marked in the same commit that links them, so a miner killed at any
point leaves either all of a batch or nothing of it, and whoever comes next goes on from there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from agents.models import Agent
from feedback.actions import counting, locks, meaning, naming
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
    finish(agent.pk, tally)
    return tally


def finish(agent_id: int, tally: Tally) -> None:
    """What follows when nothing waits any more: errors of one family come together, and what grew is named anew."""
    join_families(agent_id)
    naming.refresh_all(tally.patterns)


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
    said = Feedback.objects.unmined().filter(agent=agent_id).defer("input", "metadata", "signals")
    feedback = list(said.select_for_update(no_key=True)[:size])
    failed = Run.objects.unmined().filter(agent=agent_id).defer("metadata")
    runs = list(failed.select_for_update(no_key=True)[:size])
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
    with connection.cursor() as cursor:
        cursor.execute(_FEEDBACK_MINED, [now, [report.pk for report in feedback]])
        cursor.execute(_RUNS_MINED, [now, [report.pk for report in runs]])
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
    _store_evidence(linked)
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
    """The groups the items may join: those of their text kinds that may grow, and those that share a signature."""
    exact = [item for item in items if item.kind in EXACT_KINDS]
    signatures = {grouper.signature(item) for item in exact} - {""}
    rows = Pattern.objects.filter(agent=agent_id, kind__in={item.kind for item in exact}, signature__in=signatures)
    known = rows.order_by("pk").values_list("pk", "kind", "signature", "grouped")
    found = [Group(pk, Kind(kind), signature, b"", size) for pk, kind, signature, size in known]
    for kind in sorted({item.kind for item in items} - EXACT_KINDS):
        of_kind = [item for item in items if item.kind is kind]
        by_meaning = sum(1 for item in of_kind if item.point)
        found += meaning.growing(
            agent_id,
            kind,
            grouper,
            items=len(of_kind),
            by_meaning=by_meaning > 0,
            by_words=by_meaning < len(of_kind),
        )
    return found


_FEEDBACK_MINED = "UPDATE feedback_feedback SET mined_at = %s WHERE id = ANY(%s)"
_RUNS_MINED = "UPDATE feedback_run SET mined_at = %s WHERE id = ANY(%s)"
_GROWN = """
    UPDATE feedback_pattern p SET grouped = new.grouped, grown = new.grown,
        centroid = coalesce(new.centroid, p.centroid), meaning = coalesce(new.meaning, p.meaning)
    FROM unnest(%s::bigint[], %s::int[], %s::bigint[], %s::bytea[], %s::bytea[])
        AS new (id, grouped, grown, centroid, meaning)
    WHERE p.id = new.id
"""


def _store_groups(agent_id: int, groups: Sequence[Group]) -> dict[int, int]:
    """Save new groups in the order they were made, and what moved of known ones; new key → primary key."""
    new = sorted((group for group in groups if group.key < 0), key=lambda group: -group.key)
    made = Pattern.objects.bulk_create(
        [
            Pattern(
                agent_id=agent_id,
                kind=g.kind,
                signature=g.signature,
                centroid=g.centroid,
                meaning=g.meaning,
                grouped=g.size,
                grown=g.grown,
                is_compared=g.kind is not Kind.ERROR,
            )
            for g in new
        ],
        batch_size=500,
    )
    moved = [(g.key, g.size, g.grown, g.centroid or None, g.meaning or None) for g in groups if g.key > 0]
    with connection.cursor() as cursor:
        for start in range(0, len(moved), 500):
            cursor.execute(_GROWN, [list(column) for column in zip(*moved[start : start + 500], strict=True)])
    return {group.key: pattern.pk for group, pattern in zip(new, made, strict=True)}


_LINKED = ("pattern_id", "feedback_id", "run_id", "grouped_in_id", "source", "at", "similarity", "threshold")


def _store_evidence(linked: Sequence[Evidence]) -> None:
    """As bulk_create, at a tenth of its cost, and without the keys."""
    rows = ([getattr(evidence, name) for name in _LINKED] for evidence in linked)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY feedback_evidence ({', '.join(_LINKED)}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def _evidence(group: int, report: Feedback | Run, merged: Mapping[int, int], assigned: Assignment) -> Evidence:
    """What joins a group that was merged into another counts there, and keeps in mind where it came from."""
    which: dict[str, Any] = {"run": report} if isinstance(report, Run) else {"feedback": report}
    which |= {"similarity": assigned.similarity, "threshold": assigned.threshold}
    if group in merged:
        which["grouped_in_id"] = group
    return Evidence(pattern_id=merged.get(group, group), source=report.source, at=report.at, **which)
