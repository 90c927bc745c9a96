"""What becomes of a pattern by itself as reports come, or stop coming.

A candidate opens when enough sources stand behind it, unless people dismissed one like it. One that a version answers
is resolved when nothing new comes, and opens again when it comes back.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from agents.models import Split
from audit.record import SYSTEM, Event, record_all
from feedback.actions import columns, meaning, naming, openings
from feedback.mining import EXACT_KINDS, Group, Kind
from feedback.models import Evidence, Pattern

Status = Pattern.Status
_CLOCKS = timedelta(hours=1)
"""By so much a reporter's clock may be slow: what names the new version counts even if it seems older."""


class Dismissed:
    """The dismissed patterns of one agent, read when they are first asked for, once for a batch of reports."""

    def __init__(self) -> None:
        self._groups: dict[str, tuple[list[Group], dict[int, int]]] = {}

    def like(self, pattern: Pattern) -> int | None:
        """The dismissed pattern whose kind of text most reports of a text pattern are; None if there is none."""
        if Kind(pattern.kind) in EXACT_KINDS:
            return None  # an equal signature is an equal pattern
        if pattern.kind not in self._groups:
            self._groups[pattern.kind] = self._read(pattern)
        known, dismissed = self._groups[pattern.kind]
        if not dismissed:
            return None
        items = meaning.items_of_all(naming.newest_evidence(pattern), pattern.kind)
        middle = meaning.middles(pattern.agent_id).get(Kind(pattern.kind))
        found = meaning.grouper().alike(items, known, dismissed.keys() - {pattern.pk}, middle)
        return None if found is None else dismissed[found]

    def _read(self, pattern: Pattern) -> tuple[list[Group], dict[int, int]]:
        """The groups of the pattern's agent and kind that may grow, and the dismissed pattern of each that has one."""
        rows = Pattern.objects.filter(agent=pattern.agent_id, kind=pattern.kind).order_by("pk")
        silent = set(rows.filter(status=Status.DISMISSED).values_list("pk", flat=True))
        if not silent:
            return [], {}
        roots, grouper, kind = rows.roots(), meaning.grouper(), Kind(pattern.kind)
        groups = meaning.growing(
            pattern.agent_id, kind, grouper, items=naming.READ_AT_MOST, by_meaning=True, by_words=True
        )
        return groups, {group.key: root for group in groups if (root := roots.get(group.key, group.key)) in silent}


def concerns(pattern: Pattern) -> bool:
    """Whether new evidence may change more of a pattern than its counts; its name is seen to by naming.refresh_all."""
    if not _recurs(pattern):
        return False
    is_quiet = pattern.status == Status.OPEN and pattern.draft_due_at is not None
    return not pattern.named_support or not (is_quiet or pattern.status in (Status.DISMISSED, Status.PROPOSED))


def react(pattern: Pattern, dismissed: Dismissed) -> None:
    """What new evidence makes of a pattern. The caller has locked it and counted the evidence, and saves it."""
    if _recurs(pattern):
        _react([pattern], dismissed)


def react_all(patterns: Iterable[Pattern], dismissed: Dismissed) -> None:
    """As `react`, for several; saves what it changes."""
    recurring = [pattern for pattern in patterns if _recurs(pattern)]
    _react(recurring, dismissed)
    _store(recurring)


def _recurs(pattern: Pattern) -> bool:
    return pattern.proven >= settings.COUNTERSIGN_MIN_SOURCES and pattern.is_compared


def _react(patterns: Sequence[Pattern], dismissed: Dismissed) -> None:
    held = openings.held_back(patterns)
    patterns = [pattern for pattern in patterns if pattern.pk not in held]
    naming.refresh_each([pattern for pattern in patterns if not pattern.named_support])
    record_all([event for pattern in patterns for event in _reacted(pattern, dismissed)])


def _reacted(pattern: Pattern, dismissed: Dismissed) -> list[Event]:
    events: list[Event] = []
    if pattern.status == Status.CANDIDATE:
        events = [_first_shown(pattern, dismissed.like(pattern))]
    elif pattern.status in Pattern.ANSWERED:
        events = _come_back(pattern)
    if pattern.status == Status.OPEN:
        pattern.draft_due_at = pattern.draft_due_at or timezone.now()
    return events


_STORE = """
    UPDATE feedback_pattern p SET status = new.status, label = new.label, terms = new.terms,
        named_support = new.named_support, error_class = new.error_class, draft_due_at = new.draft_due_at,
        dismissed_as = new.dismissed_as, dismissed_reason = new.dismissed_reason, duplicate_of_id = new.duplicate_of,
        came_back_at = new.came_back_at, is_compared = new.is_compared, only_from_id = new.only_from
    FROM unnest(
            %s::bigint[], %s::text[], %s::text[], %s::jsonb[], %s::int[], %s::text[], %s::timestamptz[],
            %s::text[], %s::text[], %s::bigint[], %s::timestamptz[], %s::bool[], %s::bigint[]
        ) AS new (
            id, status, label, terms, named_support, error_class, draft_due_at,
            dismissed_as, dismissed_reason, duplicate_of, came_back_at, is_compared, only_from
        )
    WHERE p.id = new.id
"""


def _store(patterns: Sequence[Pattern]) -> None:
    """What may have changed of patterns that reacted."""
    rows = [
        (
            *(p.pk, p.status, p.label, json.dumps(p.terms), p.named_support, p.error_class, p.draft_due_at),
            *(p.dismissed_as, p.dismissed_reason, p.duplicate_of_id, p.came_back_at, p.is_compared, p.only_from_id),
        )
        for p in patterns
    ]
    columns.run(_STORE, rows)


def _first_shown(pattern: Pattern, like: int | None) -> Event:
    """Open a candidate, or dismiss it with the one it is like."""
    if like is None:
        pattern.status = Status.OPEN
        return _event("pattern.opened", pattern, Status.CANDIDATE, {"sources": pattern.sources})
    pattern.status, pattern.duplicate_of_id = Status.DISMISSED, like
    pattern.dismissed_as = Pattern.Dismissal.ALIKE
    pattern.dismissed_reason = f"Most of its reports read like those of pattern {like}, which was dismissed."
    after = {"reason": pattern.dismissed_reason, "dismissed_as": pattern.dismissed_as, "duplicate_of": like}
    return _event("pattern.dismissed", pattern, Status.CANDIDATE, after)


def _come_back(pattern: Pattern) -> list[Event]:
    """Open an answered pattern again when enough sources reported it since."""
    if pattern.answered_by is None or pattern.answered_at is None:
        return []
    new = new_since_answer(pattern)
    sources = new.values("source").distinct().count()
    if sources < settings.COUNTERSIGN_MIN_SOURCES:
        return []
    was, pattern.status = pattern.status, Status.OPEN
    last = new.aggregate(at=Max("at"))["at"]
    pattern.came_back_at = max(last, pattern.answered_at)
    return [_event("pattern.came_back", pattern, was, {"sources": sources, "answered_by": pattern.answered_by.number})]


def new_since_answer(pattern: Pattern) -> QuerySet[Evidence]:
    """What was reported in spite of the version that answers the pattern.

    A report that names a version of that document counts if it names this one or a later one; any other by its time.
    Where an agent has several documents, the number in a report counts only if it says which document it means.
    Raises ValueError for a pattern that no version answers.
    """
    version, since = pattern.answered_by, pattern.answered_at
    if version is None or since is None:
        raise ValueError(f"no version answers pattern {pattern.pk}")
    document = version.document
    is_only = not document.agent.documents.exclude(pk=document.pk).exists()
    names = [document.slug, ""] if is_only else [document.slug]
    named = Q(run__version__isnull=False, run__document__in=names)
    if is_only:
        named |= Q(feedback__version__isnull=False)
    newer = Q(run__version__gte=version.number) | Q(feedback__version__gte=version.number)
    # While few get the version, what names none is most likely about the one before it.
    unnamed = Q(pk__in=[]) if version.splits.live().exists() else ~named & Q(at__gt=since)
    return pattern.evidence.filter((named & newer) | unnamed, at__gt=since - _CLOCKS).order_by()


def open_held_back() -> None:
    """Open what waited until its one reporter had fewer patterns open, those with most sources first."""
    for owner, left in openings.room(set(Pattern.objects.held_back().values_list("only_from", flat=True))).items():
        waiting = Pattern.objects.held_back().filter(only_from=owner, sources__gte=settings.COUNTERSIGN_MIN_SOURCES)
        found = waiting.order_by("-sources", "pk").values_list("agent", "pk")[: max(0, left)]
        by_agent: dict[int, list[int]] = defaultdict(list)
        for agent, pk in found:
            by_agent[agent].append(pk)
        for pks in by_agent.values():
            _open_held_back(pks)


@transaction.atomic
def _open_held_back(pks: Sequence[int]) -> None:
    rows = Pattern.objects.held_back().select_for_update(no_key=True, of=("self",)).select_related("agent")
    react_all(list(rows.filter(pk__in=pks).order_by("pk").defer("centroid", "meaning")), Dismissed())


def resolve_quiet() -> int:
    """Resolve every watched pattern that nothing new came to for long enough; how many there were."""
    before = timezone.now() - timedelta(days=settings.COUNTERSIGN_RESOLVED_AFTER_DAYS)
    watched = Pattern.objects.filter(status=Status.WATCHING, answered_at__lte=before).order_by("pk")
    watched = watched.exclude(answered_by__in=Split.objects.live().values("candidate"))
    return sum(_resolve(pattern_id, before) for pattern_id in list(watched.values_list("pk", flat=True)))


@transaction.atomic
def _resolve(pattern_id: int, before: datetime) -> bool:
    rows = Pattern.objects.select_for_update(no_key=True, of=("self",)).select_related("agent", "answered_by__document")
    rows = rows.filter(status=Status.WATCHING, answered_at__lte=before).defer("centroid", "answered_by__text")
    pattern = rows.filter(pk=pattern_id).first()
    if pattern is None or new_since_answer(pattern).filter(at__gt=before).exists():
        return False
    Pattern.objects.filter(pk=pattern.pk).update(status=Status.RESOLVED)
    number = pattern.answered_by.number if pattern.answered_by else None
    pattern.status = Status.RESOLVED
    record_all([_event("pattern.resolved", pattern, Status.WATCHING, {"answered_by": number})])
    return True


def _event(verb: str, pattern: Pattern, was: str, after: dict[str, object]) -> Event:
    return Event(
        verb=verb,
        actor=SYSTEM,
        target=pattern,
        agent=pattern.agent.slug,
        before={"status": was},
        after={"status": pattern.status, **after},
    )
