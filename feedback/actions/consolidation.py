"""Once a night, look at all texts of an agent again and put right what was grouped wrongly when they came.

Reports move between patterns, a pattern that is several things comes apart, and several that are one come together.
What people have seen keeps its number; of two the one with more reports goes on, and the other points to it. What
people merged, split, named, dismissed or have a proposal of is left alone.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max, Q

from agents.models import Agent
from audit.record import SYSTEM, record
from feedback.actions import counting, lifecycle, locks, meaning
from feedback.actions.items import seconds
from feedback.mining import EXACT_KINDS, Item, Kind
from feedback.mining.texts import MAX_MOVES
from feedback.models import Evidence, Pattern, TextMiddle

MOST = 20_000
"""So many of an agent's newest texts are looked at: the bound on what one night costs."""

MOST_MADE_UP = 5000

Status = Pattern.Status


@dataclass(frozen=True, slots=True)
class Found:
    """One piece of evidence: its key, the pattern that it is in, and what it says."""

    pk: int
    pattern: int
    item: Item


def consolidate(agent: Agent) -> int:
    """Put an agent's texts right; how many reports moved. Nothing is done where nothing came since the last time."""
    moved = 0
    for kind in Kind:
        if kind not in EXACT_KINDS:
            meaning.catch_up(agent.pk, kind)
            moved += _consolidate(agent.pk, kind)
    return moved


@transaction.atomic
def _consolidate(agent_id: int, kind: Kind) -> int:
    locks.regroup(agent_id)
    of_kind = Evidence.objects.filter(pattern__agent=agent_id, pattern__kind=kind)
    newest = of_kind.aggregate(pk=Max("pk"))["pk"] or 0
    known = TextMiddle.objects.filter(agent=agent_id, kind=kind).first()
    known = known or TextMiddle(agent_id=agent_id, kind=kind, texts=0)
    found = _found(agent_id, kind) if newest > known.settled_to else []
    if known.pk is None and not found:
        return 0
    moves: dict[int, list[int]] = {}
    if found:
        grouper, before = meaning.grouper(), [one.pattern for one in found]
        after, middle = grouper.settled(kind, [one.item for one in found], before)
        known.place, known.texts = middle.place, max(middle.texts, known.texts)
        moves = _moves(found, after, _shown(before))
    known.settled_to = newest
    known.save()
    _move(agent_id, kind, moves, {one.pk: one.pattern for one in found})
    _make_up(agent_id, kind)
    return sum(map(len, moves.values()))


def _found(agent_id: int, kind: Kind) -> list[Found]:
    """The newest evidence that may move, oldest first."""
    rows = Evidence.objects.filter(
        pattern__agent=agent_id,
        pattern__kind=kind,
        pattern__status__in=[Status.CANDIDATE, Status.OPEN],
        pattern__is_formed_by_hand=False,
        pattern__is_named_by_hand=False,
        grouped_in=None,
        feedback__point__isnull=False,
    )
    newest = list(rows.order_by("-pk").values_list("pk", "pattern", "feedback__point__place", "at")[:MOST])
    return [
        Found(pk, pattern, Item(pk, kind, "", point=bytes(place), at=seconds(at)))
        for pk, pattern, place, at in reversed(newest)
    ]


def _shown(pattern_ids: Iterable[int]) -> set[int]:
    return set(Pattern.objects.shown().filter(pk__in=set(pattern_ids)).values_list("pk", flat=True))


def _moves(found: Sequence[Found], after: Sequence[int], shown: set[int]) -> dict[int, list[int]]:
    """The evidence that goes to each pattern it was not in; patterns to be made have negative keys.

    Of the patterns whose reports are together now, the one that people have seen goes on, then the one with most.
    """
    together: dict[int, Counter[int]] = defaultdict(Counter)
    for one, group in zip(found, after, strict=True):
        together[group][one.pattern] += 1
    claims = sorted(
        (pattern not in shown, -count, pattern, group)
        for group, patterns in together.items()
        for pattern, count in patterns.items()
    )
    names: dict[int, int] = {}
    for _, _, pattern, group in claims:
        if group not in names and pattern not in names.values():
            names[group] = pattern
    for number, group in enumerate(group for group in together if group not in names):
        names[group] = -number - 1
    moves: dict[int, list[int]] = defaultdict(list)
    for one, group in zip(found, after, strict=True):
        if names[group] != one.pattern:
            moves[names[group]].append(one.pk)
    return dict(moves)


def _move(agent_id: int, kind: Kind, moves: Mapping[int, Sequence[int]], was: Mapping[int, int]) -> None:
    """Move evidence, make and end patterns, and count and name anew all that have changed."""
    into: dict[int, Counter[int]] = defaultdict(Counter)
    shown = _shown(was[pk] for evidence in moves.values() for pk in evidence)
    for target, evidence in sorted(moves.items(), reverse=True):
        origin = Counter(was[pk] for pk in evidence)
        from_shown = [seen for seen, _ in origin.most_common() if seen in shown]
        if target < 0:
            parent = from_shown[0] if from_shown else None
            target = Pattern.objects.create(agent_id=agent_id, kind=kind, split_from_id=parent).pk
        Evidence.objects.filter(pk__in=evidence).update(pattern=target, similarity=None, threshold=None)
        for came_from, count in origin.items():
            into[came_from][target] += count
    touched = {target for targets in into.values() for target in targets} | into.keys()
    rows = Pattern.objects.select_for_update(no_key=True, of=("self",)).select_related("agent").order_by("pk")
    heard = lifecycle.Dismissed()
    gone = []
    for pattern in list(rows.filter(pk__in=touched)):
        if pattern.evidence.exists():
            form(pattern)
            _count(pattern, heard)
        elif pattern.status == Status.CANDIDATE:
            gone.append(pattern.pk)
        else:
            _end(pattern, into[pattern.pk].most_common(1)[0][0])
    Pattern.objects.filter(pk__in=gone).delete()


def _make_up(agent_id: int, kind: Kind) -> None:
    """Give a meaning to groups that were formed by words, and words to patterns that were formed by meaning.

    So what was found before the model came goes on with it, and what it found goes on without it.
    """
    groups = Pattern.objects.filter(agent=agent_id, kind=kind)
    by_words = groups.filter(meaning=b"").exclude(centroid=b"").filter(evidence__feedback__point__isnull=False)
    by_meaning = groups.exclude(meaning=b"").filter(centroid=b"", status__in=[Status.OPEN, Status.PROPOSED])
    for pattern in list((by_words.distinct() | by_meaning.distinct()).order_by("pk")[:MOST_MADE_UP]):
        form(pattern)
        pattern.save(update_fields=["centroid", "meaning", "grouped", "grown"])


def form(pattern: Pattern) -> None:
    """Work out anew what stands for a pattern, words and meaning, without what was withdrawn. Does not save."""
    own = Evidence.objects.filter(Q(pattern=pattern, grouped_in=None) | Q(grouped_in=pattern))
    own = own.select_related("feedback", "run").order_by("pk")
    kind = Kind(pattern.kind)
    items = meaning.items_of_all(own[: 8 * MAX_MOVES], kind)
    formed = meaning.grouper().formed(pattern.pk, kind, items, meaning.middles(pattern.agent_id).get(kind))
    # Of what says nothing any more there is no middle, so nothing is like it.
    pattern.centroid, pattern.meaning = (formed.centroid, formed.meaning) if items else (b"", b"")
    pattern.grouped = own.count()
    of_kind = Pattern.objects.filter(agent=pattern.agent_id, kind=kind)
    pattern.grown = of_kind.aggregate(newest=Max("grown"))["newest"] or 0


def _count(pattern: Pattern, heard: lifecycle.Dismissed) -> None:
    counting.recount(pattern)
    pattern.named_support = 0
    was = pattern.status
    lifecycle.react(pattern, heard)
    pattern.save()
    if was == Status.CANDIDATE and pattern.status == Status.OPEN and pattern.split_from_id:
        _record("pattern.split", pattern, "", {"taken_from": pattern.split_from_id, "moved": pattern.support})


def _end(pattern: Pattern, into: int) -> None:
    """A pattern without reports points to the one that has most of them; it takes no more in."""
    was = pattern.status
    pattern.status, pattern.merged_into_id, pattern.draft_due_at = Status.MERGED, into, None
    pattern.is_merged_by_miner = True
    pattern.centroid, pattern.meaning, pattern.grouped = b"", b"", 0
    counting.recount(pattern)
    pattern.save()
    _record("pattern.merged", pattern, was, {"merged_into": into, "moved": 0})


def _record(verb: str, pattern: Pattern, was: str, after: Mapping[str, object]) -> None:
    record(
        verb,
        actor=SYSTEM,
        target=pattern,
        agent=pattern.agent.slug,
        before={"status": was},
        after={"status": pattern.status, **after},
    )
