"""Hold the reports of a key out of every count, and give them back.

The word is one short transaction. The work is done by a worker, in strides of keys of the table, each in a transaction
of its own: a report that is held counts nowhere, whoever linked it; doing a stride again does no harm, and a worker
that dies leaves the rest to the next. Each stride holds the quarantine's row, so that none is held after it was lifted,
and keeps miners out, so that none is linked meanwhile. Miners themselves hold what comes in for a key in quarantine
before they look at it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from agents import keys
from agents.keys import record_on
from agents.models import ApiKey
from agents.reach import require_act
from audit.record import SYSTEM, Actor
from feedback.actions import columns, counting, locks
from feedback.actions.fences import pass_fence
from feedback.exceptions import QuarantineError
from feedback.models import Evidence, Feedback, HeldEvidence, Mark, Pattern, Quarantine, Run
from people.models import User

MAX_REASON: Final = 500
STRIDE: Final = 20_000
"""Rows of a table looked at in one transaction."""
TAIL: Final = timedelta(hours=1)
"""For so long a window that is over is looked at again: what came in at its end may become visible late."""

Table = type[Feedback] | type[Run]
TABLES: Final[dict[str, Table]] = {"feedback": Feedback, "run": Run}
COUNTED: Final = {"feedback": "feedback", "run": "runs"}
"""What a quarantine calls its count of each table."""

_HOURS: Final = """
    INSERT INTO feedback_recountdue (agent_id, hour)
    SELECT DISTINCT agent_id, date_trunc('hour', at, 'UTC')
    FROM unnest(%s::bigint[], %s::timestamptz[]) AS r (agent_id, at)
"""
_HOLD: Final = """
    UPDATE feedback_{table} SET quarantine_id = %s, excluded_at = COALESCE(excluded_at, statement_timestamp())
    WHERE {where} AND key_id = %s AND quarantine_id IS NULL AND (%s::timestamptz IS NULL OR received_at >= %s)
        AND (%s::timestamptz IS NULL OR received_at < %s)
    RETURNING id, agent_id, at
"""
_AGENTS: Final = "SELECT DISTINCT agent_id FROM feedback_{table} WHERE id > %s AND id <= %s AND key_id = %s"
# What was mined after it was held said nothing then: the miner has to look at it again.
_RELEASE: Final = """
    UPDATE feedback_{table} r SET quarantine_id = NULL,
        excluded_at = CASE WHEN by_hand.report IS NULL THEN NULL ELSE r.excluded_at END,
        mined_at = CASE WHEN by_hand.report IS NULL AND r.mined_at >= r.excluded_at THEN NULL ELSE r.mined_at END
    FROM feedback_{table} old LEFT JOIN (
        SELECT {table}_id AS report FROM feedback_exclusion WHERE lifted_at IS NULL AND {table}_id IS NOT NULL
    ) AS by_hand ON by_hand.report = old.id
    WHERE old.id = r.id AND r.id > %s AND r.id <= %s AND r.quarantine_id = %s
    RETURNING r.id, r.agent_id, r.at, r.excluded_at IS NULL
"""


@transaction.atomic
def quarantine(
    prefix: str,
    *,
    reason: str,
    actor: Actor,
    by: User | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    revoke: bool = False,
) -> Quarantine:
    """Have the reports of a key that came in from `since` to before `until` count no more; None is without end.

    With `revoke`, the key ends in the same moment, so that no report slips in between. `by` is the person who does so.
    Raises ApiKey.DoesNotExist, OutOfReach, QuarantineError.
    """
    key = _lock(prefix, by)
    reason = " ".join(reason.split())
    if not reason:
        raise QuarantineError("Say why its reports should not count; the reason stays on the log.", field="reason")
    if len(reason) > MAX_REASON:
        said = f"The reason has {len(reason)} characters; at most {MAX_REASON} are allowed."
        raise QuarantineError(said, field="reason")
    if since and until and since >= until:
        raise QuarantineError("The end comes before the beginning.", field="until")
    try:
        with transaction.atomic():
            made = Quarantine.objects.create(key=key, since=since, until=until, reason=reason, by=actor.label[:200])
    except IntegrityError:
        raise QuarantineError(f"Reports of {key} are in quarantine already. Lift that first.") from None
    window = {"since": since and since.isoformat(), "until": until and until.isoformat()}
    if revoke:
        keys.revoke(prefix, actor=actor)
    record_on("key.quarantined", key, actor, after={"reason": reason, **window})
    return made


@transaction.atomic
def lift(prefix: str, *, actor: Actor, by: User | None = None) -> Quarantine:
    """Have the reports count again, where their patterns are now.

    Raises ApiKey.DoesNotExist, OutOfReach, QuarantineError.
    """
    key = _lock(prefix, by)
    found = Quarantine.objects.in_force().select_for_update(no_key=True).filter(key=key).first()
    if found is None:
        raise QuarantineError(f"No report of {key} is in quarantine.")
    found.lifted_by, found.lifted_at = actor.label[:200], timezone.now()
    found.done_at, found.looked, found.of = None, 0, 0
    found.save()
    record_on("key.quarantine_lifted", key, actor, before={"feedback": found.feedback, "runs": found.runs})
    return found


def _nobody(looked: int, of: int) -> None:
    """Nobody waits for it."""


def settle_all() -> int:
    """Do all that waits, and look once more at windows that still are, or lately were, open; how many that were."""
    lately = timezone.now() - TAIL
    still = Q(until=None) | Q(until__gte=lately) | Q(at__gte=lately)
    due = Quarantine.objects.filter(Q(done_at=None) | Q(lifted_at=None) & still)
    pks = list(due.order_by("pk").values_list("pk", flat=True))
    for pk in pks:
        settle(pk)
    return len(pks)


def settle(pk: int, *, tell: Callable[[int, int], None] = _nobody) -> None:
    """Go through the reports of one quarantine: hold them, or give them back where it was lifted.

    `tell` hears after each stride how many are done, and of how many.
    """
    found = Quarantine.objects.get(pk=pk)
    is_lifted = found.lifted_at is not None
    marks = {table: _mark_of(found, table) for table in TABLES}
    last = {table: model.objects.aggregate(last=Max("pk"))["last"] or 0 for table, model in TABLES.items()}
    strides = [
        _Stride(table, after, min(after + STRIDE, last[table]))
        for table, mark in marks.items()
        for after in range(0 if is_lifted else mark.upto, last[table], STRIDE)
    ]
    for number, stride in enumerate(strides, 1):
        _step(pk, stride, looked=number, of=len(strides))
        tell(number, len(strides))
    if _finish(pk, was_lifted=is_lifted):
        _move_on(marks, last)


@dataclass(frozen=True, slots=True)
class _Stride:
    """A table, and the keys of it that come after one and up to another."""

    table: str
    after: int
    upto: int


def _mark_of(found: Quarantine, table: str) -> Mark:
    """Up to where no report of this table can come in any more; what is later is looked at each time."""
    return Mark.objects.get_or_create(work=f"q{found.pk} {table}")[0]


def _move_on(marks: Mapping[str, Mark], last: Mapping[str, int]) -> None:
    """Move each mark as far as is safe, see `feedback.actions.fences`."""
    for table, mark in marks.items():
        mark.fence, is_past = pass_fence(mark.fenced_at, mark.fence)
        if is_past:
            mark.upto = mark.next_upto
        if is_past or mark.fenced_at is None:
            mark.next_upto, mark.fence, mark.fenced_at = max(last[table], mark.upto), None, timezone.now()
        mark.save()


@transaction.atomic
def _step(pk: int, stride: _Stride, *, looked: int, of: int) -> None:
    """Do one stride, whichever way the quarantine goes now."""
    key = Quarantine.objects.values_list("key", flat=True).get(pk=pk)
    agents = columns.read(_AGENTS.format(table=stride.table), [stride.after, stride.upto, key])
    for (agent,) in sorted(agents):
        locks.one_miner(agent)
    found = Quarantine.objects.select_for_update(no_key=True).get(pk=pk)
    if agents:
        change = -_give_back(found, stride) if found.lifted_at else _hold(found, stride)
        name = COUNTED[stride.table]
        setattr(found, name, max(0, getattr(found, name) + change))
    if found.done_at is None:
        found.looked, found.of = looked, of
    found.save(update_fields=["feedback", "runs", "looked", "of"])


def _hold(found: Quarantine, stride: _Stride) -> int:
    """Hold the reports of a stride, and take them from where they count; how many there were."""
    rows = _mark(found, stride.table, "id > %s AND id <= %s", [stride.after, stride.upto])
    for agent in sorted({agent for _, agent, _ in rows}):
        locks.hold_groups(agent)
    mine = {f"{stride.table}__in": [pk for pk, _, _ in rows]}
    _keep(found, counting.remove_all(Evidence.objects.filter(**mine)) if rows else [])
    return len(rows)


def _mark(found: Quarantine, table: str, where: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    window = [found.since, found.since, found.until, found.until]
    sql = _HOLD.format(table=table, where=where)
    rows = columns.read(sql, [found.pk, *parameters, found.key_id, *window])
    columns.run(_HOURS, [(agent, at) for _, agent, at in rows])
    return rows


def _keep(found: Quarantine, gone: Sequence[Evidence]) -> None:
    HeldEvidence.objects.bulk_create(
        HeldEvidence(
            quarantine=found,
            feedback_id=one.feedback_id,
            run_id=one.run_id,
            group=one.grouped_in_id or one.pattern_id,
            similarity=one.similarity,
            threshold=one.threshold,
        )
        for one in gone
    )


def hold_unmined(agent_id: int) -> None:
    """Hold what waits for the miner and came with a key in quarantine. The caller is the agent's only miner."""
    found = Quarantine.objects.in_force().select_for_update(no_key=True).order_by("pk")
    for one in found.filter(key__in=ApiKey.objects.filter(agent=agent_id) | ApiKey.objects.filter(agent=None)):
        for table, waits in (("feedback", "mined_at IS NULL"), ("run", "mined_at IS NULL AND NOT success")):
            count = len(_mark(one, table, f"agent_id = %s AND {waits}", [agent_id]))
            setattr(one, COUNTED[table], getattr(one, COUNTED[table]) + count)
        one.save(update_fields=["feedback", "runs"])


def _give_back(found: Quarantine, stride: _Stride) -> int:
    """Let the reports of a stride count again, where the patterns they were taken from are now; how many there were."""
    rows = columns.read(_RELEASE.format(table=stride.table), [stride.after, stride.upto, found.pk])
    columns.run(_HOURS, [(agent, at) for _, agent, at, _ in rows])
    for agent in sorted({agent for _, agent, _, _ in rows}):
        locks.hold_groups(agent)
    counting_again = [pk for pk, _, _, counts in rows if counts]
    held = HeldEvidence.objects.filter(**{f"{stride.table}__in": [pk for pk, *_ in rows]}, quarantine=found)
    _count_again(found, stride.table, held.filter(**{f"{stride.table}__in": counting_again}))
    held.delete()
    return len(rows)


def _count_again(found: Quarantine, table: str, held: QuerySet[HeldEvidence]) -> None:
    rows = list(held.select_related(table).order_by(table, "group"))
    rows = [one for one in rows if not getattr(getattr(one, table), "withdrawn_at", None)]
    groups = {one.group for one in rows}
    roots = Pattern.objects.roots_of(groups)
    lost = groups - set(Pattern.objects.filter(pk__in=groups).values_list("pk", flat=True))
    parted = Pattern.objects.filter(split_from__in=groups | set(roots.values()), created_at__gt=found.at)
    lost |= {pk for pk in parted.values_list("split_from", flat=True) if pk is not None}
    linked: list[Evidence] = []
    again: list[int] = []
    for pk, of_report in groupby(rows, key=lambda one: getattr(one, f"{table}_id")):
        several = list(of_report)
        if any(one.group in lost or roots.get(one.group) in lost for one in several):
            again.append(pk)  # a candidate may be in another pattern by now, and a pattern may have been split
        else:
            linked += {roots.get(one.group, one.group): _evidence(one, table, roots) for one in several}.values()
    TABLES[table].objects.filter(pk__in=again).update(mined_at=None)
    if linked:
        counting.add(Evidence.objects.bulk_create(linked))


def _evidence(one: HeldEvidence, table: str, roots: dict[int, int]) -> Evidence:
    report: Feedback | Run = getattr(one, table)
    root = roots.get(one.group, one.group)
    return Evidence(
        pattern_id=root,
        grouped_in_id=one.group if root != one.group else None,
        feedback_id=one.feedback_id,
        run_id=one.run_id,
        source=bytes(report.source),
        version=report.version,
        at=report.at,
        similarity=one.similarity,
        threshold=one.threshold,
    )


@transaction.atomic
def _finish(pk: int, *, was_lifted: bool) -> bool:
    """Note that all was gone through; False if it was lifted meanwhile, and what was held is still to be given back."""
    rows = Quarantine.objects.select_for_update(no_key=True, of=("self",)).select_related("key__agent", "key__owner")
    found = rows.get(pk=pk)
    if (found.lifted_at is not None) is not was_lifted:
        return False
    if was_lifted:
        Mark.objects.filter(work__in=[f"q{pk} {table}" for table in TABLES]).delete()
    if found.done_at is None:
        found.done_at, found.looked = timezone.now(), found.of
        found.save(update_fields=["done_at", "looked"])
        verb = "key.quarantine_given_back" if was_lifted else "key.quarantine_settled"
        record_on(verb, found.key, SYSTEM, after={"feedback": found.feedback, "runs": found.runs})
    return not was_lifted


def _lock(prefix: str, by: User | None) -> ApiKey:
    rows = ApiKey.objects.select_for_update(no_key=True, of=("self",)).select_related("agent", "owner")
    key = rows.get(prefix=prefix)
    if by and key.agent_id is not None:
        require_act(by, key.agent_id)
    return key
