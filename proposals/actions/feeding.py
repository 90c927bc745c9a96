"""Tell the judge of a rollout how its runs went, each once, in the order of receipt; the cost follows what came.

One batch is one transaction: the judge's memory, which runs it was told of, and how far it got are kept by the same
commit. A worker killed at any point leaves all of a batch or nothing of it, and whoever comes next goes on from there.
The mark up to which nothing can come any more moves as `feedback.actions.fences` says. What comes after it is looked at
again, and those told of are known by `JudgedRun`. Whether people complained is told after the same time for both arms,
as a second observation of the run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from feedback.actions.fences import SETTLED, pass_fence
from feedback.models import Run
from feedback.severity import SAFETY
from proposals.judging import Batch, Judge
from proposals.models import JudgedRun, JudgedUnit, JudgeMemory, Rollout

BATCH: Final = 20_000
GRACE: Final = timedelta(minutes=15)
"""A run that was served before a change of the share and is received after it would be thrown with the wrong coin. So
units that come up within this time of a change, or of the start, are not held against the planned proportions. That
depends on time alone, not on what came, and leaves the bound of a false alarm as it is."""

_MARK: Final = ("upto", "next_upto", "noted_at", "fence")
# Runs served before the rollout began, without a unit, or of other versions are none of its business.
_NEW: Final = """
    SELECT r.id, r.external_id, r.version = %(candidate)s, r.success, r.latency_ms, r.quality, r.unit_hash,
           least(r.at, r.received_at), r.received_at
    FROM feedback_run r
    WHERE r.id > %(upto)s AND r.agent_id = %(agent)s AND r.version IN (%(candidate)s, %(current)s)
    AND r.document = ANY(%(names)s) AND r.unit_hash IS NOT NULL AND r.excluded_at IS NULL AND r.at >= %(since)s
    AND NOT EXISTS (SELECT FROM proposals_judgedrun j WHERE j.rollout_id = %(rollout)s AND j.run = r.id)
    ORDER BY r.id LIMIT %(most)s
"""
_UNITS: Final = (
    "SELECT unit_hash, runs FROM proposals_judgedunit WHERE rollout_id = %s AND unit_hash = ANY(%s::bytea[])"
)
_KEEP_UNITS: Final = """
    INSERT INTO proposals_judgedunit (rollout_id, unit_hash, runs)
    SELECT %s, * FROM unnest(%s::bytea[], %s::int[])
    ON CONFLICT (rollout_id, unit_hash) DO UPDATE SET runs = excluded.runs
"""
_KEEP_RUNS: Final = """
    INSERT INTO proposals_judgedrun (rollout_id, run, external_id, is_candidate, share, nth, received_at)
    SELECT %s, * FROM unnest(
        %s::bigint[], %s::text[], %s::boolean[], %s::smallint[], %s::int[], %s::timestamptz[])
"""
_COMPLAINTS: Final = """
    WITH due AS (
        UPDATE proposals_judgedrun SET is_told = true
        WHERE rollout_id = %(rollout)s AND NOT is_told AND received_at <= %(before)s
        RETURNING run, external_id, is_candidate, share, nth, received_at
    )
    SELECT is_candidate, share, nth, coalesce(said.negative, false), coalesce(said.unsafe, false)
    FROM due CROSS JOIN LATERAL (
        SELECT bool_or(f.rating = 'negative') AS negative,
               bool_or(f.rating <> 'positive' AND f.reason_code = ANY(%(safety)s)) AS unsafe
        FROM feedback_feedback f WHERE f.agent_id = %(agent)s AND f.run_id = due.external_id AND f.run_id <> ''
        AND f.withdrawn_at IS NULL AND f.excluded_at IS NULL
        AND f.received_at <= due.received_at + %(within)s) said
    ORDER BY run
"""


@dataclass(slots=True)
class _Found:
    """Runs as columns."""

    ids: list[int]
    external_ids: list[str]
    candidate: list[bool]
    success: list[bool]
    latency: list[float | None]
    quality: list[float | None]
    units: list[bytes]
    served_at: list[datetime]
    received_at: list[datetime]

    def __len__(self) -> int:
        return len(self.ids)


def feed(rollout_id: int) -> int:
    """Tell the judge all that came in since the last time, batch by batch; how many runs those were."""
    total = 0
    while (told := feed_batch(rollout_id)) is not None:
        total += told
        if told < BATCH:
            break
    return total


@transaction.atomic
def feed_batch(rollout_id: int) -> int | None:
    """Tell the judge of BATCH runs at most; how many they were, None if it has ended or another worker is at it."""
    live = JudgeMemory.objects.filter(rollout=rollout_id, rollout__state__in=Rollout.LIVE)
    memory = live.select_for_update(no_key=True, skip_locked=True, of=("self",)).first()
    if memory is None:
        return None
    rollout = Rollout.objects.for_page().get(pk=rollout_id)
    # In this order: what the fence lets through is seen by the question after it, and noted is only what was there.
    memory.fence, is_past = pass_fence(memory.noted_at, memory.fence)
    last = Run.objects.aggregate(last=Max("pk"))["last"] or 0
    found = _read(rollout, memory.upto)
    judge = Judge.from_json(memory.judge)
    if len(found):
        _tell_runs(judge, rollout, found)
    complaints = _tell_complaints(judge, rollout)
    if len(found) or complaints:
        memory.judge = judge.to_json()
        memory.heard_at = timezone.now() if len(found) else memory.heard_at
    _stride(memory, last, found, is_past=is_past)
    memory.save(update_fields=["judge", "heard_at", *_MARK] if len(found) or complaints else _MARK)
    return len(found)


def tidy() -> None:
    """Forget the runs and units of rollouts that have ended; what the judge made of them stays."""
    for rows in (JudgedRun, JudgedUnit):
        rows.objects.filter(rollout__ended_at__isnull=False).delete()


def _read(rollout: Rollout, upto: int) -> _Found:
    document = rollout.document
    is_only = not document.agent.documents.exclude(pk=document.pk).exists()
    wanted = {
        "rollout": rollout.pk,
        "upto": upto,
        "agent": document.agent_id,
        "candidate": rollout.candidate.number,
        "current": rollout.baseline.number,
        # Of an agent with several documents, a run that names none could have had any.
        "names": [document.slug, ""] if is_only else [document.slug],
        "since": rollout.split.started_at,
        "most": BATCH,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEW, wanted)
        rows = cursor.fetchall()
    columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(9)]
    columns[6] = [bytes(unit) for unit in columns[6]]
    return _Found(*columns)


def _tell_runs(judge: Judge, rollout: Rollout, found: _Found) -> None:
    changes = list(rollout.shares.values_list("at", "share"))
    shares = _shares(changes, found.served_at)
    numbers = zip(_count_units(rollout.pk, found.units), _in_grace(changes, found.received_at), strict=True)
    nth = [0 if number == 1 and is_in_grace else number for number, is_in_grace in numbers]
    judge.observe(
        Batch(
            np.array(found.candidate, dtype=np.bool_),
            np.array(shares, dtype=np.float64) / 100,
            np.array(nth, dtype=np.int64),
            {
                "success": np.array(found.success, dtype=np.float64),
                "latency": np.array(found.latency, dtype=np.float64),
                "negative": np.full(len(found), np.nan),
                "unsafe": np.full(len(found), np.nan),
                "quality": np.array(found.quality, dtype=np.float64),
            },
        )
    )
    kept: list[Any] = [found.ids, found.external_ids, found.candidate, shares, nth, found.received_at]
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_RUNS, [rollout.pk, *kept])


def _shares(changes: Sequence[tuple[datetime, int]], served_at: Sequence[datetime]) -> list[int]:
    """The share in force, in percent, when each run was served."""
    return [changes[max(0, place)][1] for place in _places(changes, served_at)]


def _in_grace(changes: Sequence[tuple[datetime, int]], received_at: Sequence[datetime]) -> list[bool]:
    """Whether each run came too soon after a change of the share to say under which it was served."""
    places = zip(_places(changes, received_at), received_at, strict=True)
    return [at < changes[max(0, place)][0] + GRACE for place, at in places]


def _places(changes: Sequence[tuple[datetime, int]], times: Sequence[datetime]) -> list[int]:
    begins = np.array([at.timestamp() for at, _ in changes])
    found = np.searchsorted(begins, [at.timestamp() for at in times], side="right") - 1
    return [int(place) for place in found]


def _count_units(rollout_id: int, units: Sequence[bytes]) -> list[int]:
    """The number of each run among those of its unit, from 1; kept for the next time."""
    with connection.cursor() as cursor:
        cursor.execute(_UNITS, [rollout_id, list(set(units))])
        counts = {bytes(unit): runs for unit, runs in cursor.fetchall()}
        numbers = []
        for unit in units:
            counts[unit] = counts.get(unit, 0) + 1
            numbers.append(counts[unit])
        rows = sorted(counts.items())
        cursor.execute(_KEEP_UNITS, [rollout_id, [unit for unit, _ in rows], [runs for _, runs in rows]])
    return numbers


def _stride(memory: JudgeMemory, last: int, found: _Found, *, is_past: bool) -> None:
    """Move the mark as far as is safe, and not past what this batch left for the next one; note where it goes next."""
    if is_past:
        memory.upto = min(memory.next_upto, found.ids[-1]) if len(found) >= BATCH else memory.next_upto
        JudgedRun.objects.filter(rollout=memory.rollout_id, run__lte=memory.upto, is_told=True).delete()
    if memory.noted_at is None or (is_past and memory.upto == memory.next_upto):
        memory.next_upto, memory.noted_at, memory.fence = max(last, memory.upto), timezone.now(), None


def _tell_complaints(judge: Judge, rollout: Rollout) -> int:
    """Tell of the runs whose time for complaints is over whether there were any; how many they were."""
    within = timedelta(hours=rollout.plan.complaints_after_h)
    due = {
        "rollout": rollout.pk,
        "agent": rollout.document.agent_id,
        "within": within,
        "before": timezone.now() - within - SETTLED,
        "safety": list(SAFETY),
    }
    with connection.cursor() as cursor:
        cursor.execute(_COMPLAINTS, due)
        rows = cursor.fetchall()
    if rows:
        candidate, share, nth, negative, unsafe = zip(*rows, strict=True)
        unknown = np.full(len(rows), np.nan)
        judge.observe(
            Batch(
                np.array(candidate, dtype=np.bool_),
                np.array(share, dtype=np.float64) / 100,
                np.array(nth, dtype=np.int64),
                {
                    "success": unknown,
                    "latency": unknown,
                    "negative": np.array(negative, dtype=np.float64),
                    "unsafe": np.array(unsafe, dtype=np.float64),
                    "quality": unknown,
                },
            )
        )
    return len(rows)
