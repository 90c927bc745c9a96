"""How long what is stored is kept, by kind; what a shorter time would take away, and taking it away at night.

Nothing goes unless an admin set a time. Words go the way an erasure takes them: what is counted stays, so every count,
pattern and chart stays true, and the log is not touched. The reports behind a proposal that is open, or whose version
is served now, keep their words, since people decide and look things up by them; of an older one the counts are left,
and what its page says of who stood behind it.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet
from django.utils import timezone

from agents.models import ApiKey, Split
from audit.numbers import counted
from audit.record import SYSTEM, Actor, record
from feedback.actions.erasure import WORDS
from feedback.actions.finality import make_final
from feedback.health.tools import LAST
from feedback.models import Evidence, Exclusion, Feedback, HeldEvidence, Run, TallyHour, TextPoint
from notices.delivering import KEPT
from notices.models import Delivery, Notice
from people.models import User
from proposals.actions import outcomes
from proposals.exceptions import Invalid, NotAllowed
from proposals.judging.outcomes import WINDOW
from proposals.models import EvidenceOpened, Proposal, ProposalEvidence, ProposalSeen, Trial
from reviewapp.models import Retention

MANAGE: Final = "feedback.erase_subject"
BATCH: Final = 1000
MOST_A_NIGHT: Final = 200
"""Batches of one kind; what is left goes in the nights after."""
MOST_S: Final = 30
"""And so many seconds: a task may take five minutes, for all kinds."""
MOST_COUNTED: Final = 5000
LEAST_DAYS: Final = 7
LEAST_OF_COUNTS: Final = 60
"""No page looks further back for single runs or hours, but for what is not told of yet; see `_still_told`."""
MOST_DAYS: Final = 3650
Kind = Retention.Kind
_STARTED: Final = "version__proposal__rollout__split__started_at"
_DELETE: Final = "DELETE FROM {table} WHERE id = ANY(%s)"
_TAKE: Final = """
    UPDATE {table} r SET {words}, metadata = NULL, masked = NULL, digest = m.digest, erased_at = now()
    FROM unnest(%s::bigint[], %s::bytea[]) AS m(id, digest) WHERE r.id = m.id AND r.erased_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Way:
    """`says` what goes and what stays; `rows` are those older than a time, `at` says how old each is."""

    says: str
    rows: Callable[[datetime], "QuerySet[Any]"]
    at: str
    take: Callable[[list[Any]], object]
    unless_set: str = "for good"
    least: int = LEAST_DAYS
    settle: Callable[[datetime], datetime] = lambda before: before
    """What has to be done first; up to which time rows may go then."""


@dataclass(frozen=True, slots=True)
class Preview:
    """How many rows would go now, and of what time the oldest is; `before` is the time up to which they go.

    From `MOST_COUNTED` on there are `more`, and the oldest is not looked for: a preview costs the same however much is
    stored.
    """

    rows: int
    oldest: datetime | None
    before: datetime
    more: bool = False


def _needed(link: str) -> Q:
    """Reports that an open proposal, or one whose version is served now, stands on."""
    candidate = Split.objects.live().filter(candidate=OuterRef("proposal__published"))
    current = Q(proposal__published=F("proposal__document__current")) | Exists(candidate)
    held = ProposalEvidence.objects.filter(Q(proposal__status__in=Proposal.OPEN) | current, **{link: OuterRef("pk")})
    return Q(Exists(held))


def _feedback(before: datetime) -> "QuerySet[Any]":
    return Feedback.objects.filter(~_needed("feedback"), at__lt=before, erased_at=None, mined_at__isnull=False)


def _runs(before: datetime) -> "QuerySet[Any]":
    waits = Q(success=False, mined_at=None)
    wordless = Q(error="", input_hash="", output_hash="", unit_hash=None, metadata=None)
    return Run.objects.filter(~_needed("run"), ~waits, ~wordless, ~_of_live_rollout(), at__lt=before, erased_at=None)


def _of_live_rollout() -> Q:
    """Of an agent with a rollout under way since before: units are thrown into arms, and counted, by what they hold."""
    live = Split.objects.live().filter(document__agent=OuterRef("agent"), started_at__lte=OuterRef("at"))
    return Q(Exists(live))


def _still_told() -> Q:
    """What is read to tell how a change does: of rollouts under way, and of changes whose outcome is not settled."""
    began = list(Split.objects.live().values_list("document__agent", "started_at"))
    for agent, at, started in outcomes.due().values_list("document__agent", "at", _STARTED).order_by():
        began.append((agent, min(at, started or at)))
    first: dict[int, datetime] = {}
    for agent, at in began:
        first[agent] = min(at, first.get(agent, at))
    found = Q(pk__in=[])
    for agent, at in first.items():
        found |= Q(agent=agent, at__gte=at - WINDOW)
    return found


def _single(before: datetime) -> "QuerySet[Any]":
    """Runs that are in sums and nowhere else: no report names them, and nothing rests on them."""
    waits = Q(success=False, mined_at=None)
    named = Feedback.objects.filter(agent=OuterRef("agent"), run_id=OuterRef("external_id")).exclude(run_id="")
    held = [Q(Exists(rows.filter(run=OuterRef("pk")))) for rows in (Evidence.objects, Exclusion.objects)]
    held += [Q(Exists(rows.filter(run=OuterRef("pk")))) for rows in (HeldEvidence.objects, ProposalEvidence.objects)]
    # A tool is judged by its last calls, however long ago they were.
    later = Run.objects.filter(agent=OuterRef("agent"), tool=OuterRef("tool"), at__gt=OuterRef("at"), excluded_at=None)
    known = Q(tool="") | Q(Exists(later.order_by("at")[LAST - 1 : LAST]))
    on_probation = Q(key__in=ApiKey.objects.on_probation())
    kept = [waits, Q(Exists(named)), *held, on_probation, _still_told()]
    return Run.objects.filter(known, *(~one for one in kept), at__lt=_whole_days(before))


def _hours(before: datetime) -> "QuerySet[Any]":
    return TallyHour.objects.filter(~_still_told(), at__lt=_whole_days(before))


def _whole_days(before: datetime) -> datetime:
    return before.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _seen(before: datetime) -> "QuerySet[Any]":
    return ProposalSeen.objects.filter(at__lt=before).exclude(proposal__status__in=Proposal.OPEN)


def _forget_seen(keys: list[Any]) -> None:
    """With when their evidence was opened: an approval keeps its own."""
    gone = ProposalSeen.objects.filter(pk__in=keys)
    EvidenceOpened.objects.filter(proposal__in=gone.values("proposal")).delete()
    gone.delete()


def _notices(before: datetime) -> "QuerySet[Any]":
    told = Notice.objects.filter(at__lt=before, spread_at__isnull=False)
    return told.exclude(deliveries__state=Delivery.State.DUE)


def _take_words(table: str, keys: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE.format(table=table, words=WORDS[table]), [keys, [os.urandom(32) for _ in keys]])


def _delete(table: str, keys: list[Any]) -> None:
    """At once: nothing rests on these rows, and were it otherwise the database would refuse."""
    with connection.cursor() as cursor:
        cursor.execute(_DELETE.format(table=table), [keys])


def _take_feedback(keys: list[Any]) -> None:
    _take_words("feedback_feedback", keys)
    TextPoint.objects.filter(feedback__in=keys).delete()
    Trial.objects.filter(feedback__in=keys).update(output="", marks={})


WAYS: Final[dict[str, Way]] = {
    Kind.FEEDBACK: Way(
        "Its words, metadata and what told whose it was go; ratings, codes, labels, times and counts stay. What an "
        "open proposal or a version served now stands on is kept.",
        _feedback,
        "at",
        _take_feedback,
    ),
    Kind.RUNS: Way(
        "Error texts, hashes of input and output, units and metadata go; success, latency, cost and counts stay. What "
        "an open proposal or a version served now stands on is kept.",
        _runs,
        "at",
        lambda keys: _take_words("feedback_run", keys),
    ),
    Kind.SINGLE: Way(
        "The rows of runs that nobody reported about and nothing rests on; what was counted of them stays. Those of a "
        "rollout under way, of a change whose outcome is not told, and the last calls of each tool are kept.",
        _single,
        "at",
        lambda keys: _delete("feedback_run", keys),
        least=LEAST_OF_COUNTS,
        settle=make_final,
    ),
    Kind.HOURS: Way(
        "What was counted by the hour; sums by the day stay for good. The hours that a rollout under way, or a change "
        "whose outcome is not told, is measured by are kept.",
        _hours,
        "at",
        lambda keys: _delete("feedback_tallyhour", keys),
        least=LEAST_OF_COUNTS,
        settle=make_final,
    ),
    Kind.SEEN: Way(
        "When people last looked at proposals that are decided, and opened their evidence.",
        _seen,
        "at",
        _forget_seen,
    ),
    Kind.NOTICES: Way(
        "What was told and is not on its way; none is kept longer than 90 days.",
        _notices,
        "at",
        lambda keys: Notice.objects.filter(pk__in=keys).delete(),
        unless_set=counted(KEPT.days, "day"),
    ),
}


def preview(kind: str, days: int) -> Preview:
    """What this time would take away now. One query, and two more of what is counted and may still be told."""
    way, before = WAYS[kind], timezone.now() - timedelta(days=days)
    some = way.rows(before).order_by().values(way.at)[: MOST_COUNTED + 1]
    found = some.aggregate(rows=Count("*"), oldest=Min(way.at))
    if found["rows"] > MOST_COUNTED:
        return Preview(MOST_COUNTED, None, before, more=True)
    return Preview(found["rows"], found["oldest"], before)


def out_of_bounds(kind: str, days: int) -> str:
    """What is wrong with keeping this kind for so many days; empty if nothing is."""
    least = WAYS[kind].least
    return "" if least <= days <= MOST_DAYS else f"Give {least} to {MOST_DAYS} days, or nothing to keep it for good."


@transaction.atomic
def set_time(kind: str, days: int | None, *, user: User) -> Retention | None:
    """Keep a kind for so many days, or for good. Raises NotAllowed, Invalid."""
    if not user.has_perm(MANAGE):
        raise NotAllowed("Setting how long things are kept needs the role admin.")
    if kind not in Kind.values:
        raise Invalid("kind", "Choose what it is about.")
    if days is not None and (said := out_of_bounds(kind, days)):
        raise Invalid("days", said)
    kept, _ = Retention.objects.select_for_update().get_or_create(kind=kind)
    before = kept.days
    if before == days:
        return kept
    kept.days = days
    kept.save(update_fields=["days"])
    record("retention.set", actor=Actor.person(user), target=kept, before={"days": before}, after={"days": days})
    return kept


def apply_all() -> dict[str, int]:
    """Take away what is too old, in batches of a transaction each; how many rows of each kind went."""
    set_now = Retention.objects.filter(days__isnull=False).order_by("kind")
    return {kept.kind: _apply(kept) for kept in set_now}


def _apply(kept: Retention) -> int:
    way, gone, last = WAYS[kept.kind], 0, None
    before = way.settle(timezone.now() - timedelta(days=kept.days or MOST_DAYS))
    until = time.monotonic() + MOST_S
    try:
        for _ in range(MOST_A_NIGHT):
            keys = _batch(way, before, last)
            gone += len(keys)
            if len(keys) < BATCH or time.monotonic() > until:
                break
            last = keys[-1]
    finally:  # what is gone is on the log, also when the next batch failed
        if gone:
            _note(kept, {"rows": gone, "days": kept.days, "before": before.isoformat()})
    return gone


@transaction.atomic
def _note(kept: Retention, after: dict[str, Any]) -> None:
    record("retention.applied", actor=SYSTEM, target=kept, after=after)


@transaction.atomic
def _batch(way: Way, before: datetime, last: Any) -> list[Any]:
    """One batch of those after the key `last`, so that a night looks at each row once; their keys.

    What another worker holds is left to it.
    """
    rows = way.rows(before).filter(**({"pk__gt": last} if last is not None else {})).order_by("pk")
    keys = list(rows.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:BATCH])
    if keys:
        way.take(keys)
    return keys
