"""Take what was reported since the last time into patterns.

One batch is one transaction: the reports are marked in the same commit that links them, so a miner killed at any
point leaves either all of a batch or nothing of it, and whoever comes next goes on from there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from agents.models import Agent
from feedback.actions import columns, counting, groups, locks, meaning, naming, quarantine, weighing
from feedback.actions.families import join_families
from feedback.actions.items import READ_OF_FEEDBACK, READ_OF_RUNS, items_of
from feedback.mining import EXACT_KINDS, Assignment, Group, Grouper, Item, Kind
from feedback.models import Evidence, Feedback, Pattern, Run


@dataclass(slots=True)
class Tally:
    """What a mining run did."""

    reports: int = 0
    linked: int = 0
    patterns: set[int] = field(default_factory=set)


_LINKED = {
    "pattern_id": "bigint",
    "feedback_id": "bigint",
    "run_id": "bigint",
    "grouped_in_id": "bigint",
    "source": "bytea",
    "version": "integer",
    "at": "timestamptz",
    "similarity": "float8",
    "threshold": "float8",
}


class Linked(NamedTuple):
    """Evidence to be stored, in the order of its columns."""

    pattern_id: int
    feedback_id: int | None
    run_id: int | None
    grouped_in_id: int | None
    source: bytes
    version: int | None
    at: datetime
    similarity: float
    threshold: float


def mine(agent: Agent, *, grouper: Grouper | None = None) -> Tally:
    """Mine everything that waits for this agent, batch by batch."""
    tally = Tally()
    while mine_batch(agent.pk, tally, grouper=grouper):
        pass
    finish(agent.pk)
    return tally


def finish(agent_id: int) -> None:
    """What follows when nothing waits any more: errors of one family come together, what grew is named anew, and what
    people decide on is weighed anew.
    """
    join_families(agent_id)
    naming.refresh_all(agent_id)
    weighing.weigh_changed(agent_id)


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
    quarantine.hold_unmined(agent_id)
    size = settings.COUNTERSIGN_MINE_BATCH
    said = Feedback.objects.unmined().filter(agent=agent_id).only(*READ_OF_FEEDBACK)
    feedback = list(said.select_for_update(no_key=True)[:size])
    failed = Run.objects.unmined().filter(agent=agent_id).only(*READ_OF_RUNS)
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


def _assign(agent_id: int, items: Sequence[Item], reports: dict[int, Feedback | Run], grouper: Grouper) -> list[Linked]:
    result = grouper.assign(items, _known_groups(agent_id, items, grouper), meaning.middles(agent_id))
    keys = groups.store(agent_id, result.groups)
    merged = Pattern.objects.roots_of({group.key for group in result.groups if group.key > 0})
    meaning.keep(agent_id, result.middles)
    linked = [
        _linked(keys.get(assigned.group, assigned.group), reports[assigned.item], merged, assigned)
        for assigned in result.assignments
        if assigned.group is not None
    ]
    columns.copy("feedback_evidence", _LINKED, linked)
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


def _linked(group: int, report: Feedback | Run, merged: Mapping[int, int], assigned: Assignment) -> Linked:
    """What joins a group that was merged into another counts there, and keeps in mind where it came from."""
    into, was = merged.get(group, group), group if group in merged else None
    feedback, run = (None, report.pk) if isinstance(report, Run) else (report.pk, None)
    source = bytes(report.source)
    return Linked(into, feedback, run, was, source, report.version, report.at, assigned.similarity, assigned.threshold)
