"""The sentence model at work: points of texts, computed once and stored, and what follows when it is missing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from django.conf import settings
from django.db.models import BooleanField, ExpressionWrapper, Q

from agents.models import Agent
from feedback.actions import columns
from feedback.actions.items import READ_OF_FEEDBACK, items_of, seconds
from feedback.mining import EXACT_KINDS, Group, Grouper, Item, Kind, Middle, TextGrouper
from feedback.mining.meaning import Model, ModelMissing, model, point_of
from feedback.mining.meaning import missing as model_lacks
from feedback.models import Evidence, Feedback, Pattern, Run, TextMiddle, TextPoint

_AT_ONCE = 50
MOST_LATE = 5000
"""So many texts that were grouped without the model are made up for in one night; a minute on one core."""


def grouper() -> Grouper:
    """The grouper in use: what may have been seen is put into nothing else by itself."""
    return TextGrouper(settled=settings.COUNTERSIGN_MIN_SOURCES)


def missing() -> str:
    """Why texts are not grouped by meaning although they should be, one sentence; empty when they are."""
    lacking = model_lacks() if settings.COUNTERSIGN_MEANING else ""
    return (
        f"The sentence model is missing ({lacking}): what people write is grouped by its words alone."
        if lacking
        else ""
    )


def agents_with_texts() -> list[Agent]:
    """Agents of which some text has been grouped."""
    kinds = set(Kind) - EXACT_KINDS
    return list(Agent.objects.filter(pk__in=Pattern.objects.filter(kind__in=kinds).values("agent")).order_by("pk"))


def prepare(agent_id: int) -> None:
    """Work out the points of an agent's oldest waiting texts, outside of any lock; a batch of them at most."""
    known = _model()
    if known is None:
        return
    waiting = Feedback.objects.unmined().filter(agent=agent_id).only(*READ_OF_FEEDBACK)
    oldest = list(waiting[: settings.COUNTERSIGN_MINE_BATCH])
    done = set(TextPoint.objects.filter(feedback__in=oldest).values_list("feedback", flat=True))
    _store([report for report in oldest if report.pk not in done], known)


def catch_up(agent_id: int, kind: Kind) -> None:
    """Work out the points of the newest texts that were grouped while there was no model, MOST_LATE at most."""
    known = _model()
    if known is None:
        return
    late = Evidence.objects.filter(pattern__agent=agent_id, pattern__kind=kind, feedback__isnull=False)
    newest = late.filter(feedback__point=None).select_related("feedback").order_by("-pk")[:MOST_LATE]
    _store([evidence.feedback for evidence in newest if evidence.feedback], known)


def _store(reports: Sequence[Feedback], known: Model) -> None:
    for start in range(0, len(reports), _AT_ONCE):
        found = [
            TextPoint(feedback=report, place=point_of(item, known))
            for report in reports[start : start + _AT_ONCE]
            for item in items_of(report)
            if item.kind not in EXACT_KINDS
        ]
        TextPoint.objects.bulk_create([point for point in found if point.place], ignore_conflicts=True)


def with_points(items: Sequence[Item], reports: Mapping[int, Feedback | Run]) -> list[Item]:
    """Items with the points of their reports, by item key; those of texts that have none yet are worked out now."""
    texts = {item.key: reports[item.key].pk for item in items if item.kind not in EXACT_KINDS}
    rows = TextPoint.objects.filter(feedback__in=texts.values()).values_list("feedback", "place")
    places = {pk: bytes(place) for pk, place in rows}
    known = _model() if len(places) < len(texts) else None
    return [
        replace(item, point=places.get(texts[item.key]) or (point_of(item, known) if known else b""))
        if item.key in texts
        else item
        for item in items
    ]


def items_of_all(evidence: Iterable[Evidence], kind: str) -> list[Item]:
    """What the reports behind some evidence say that is of this kind, with the points that are stored."""
    evidence = list(evidence)
    linked = [item for item in evidence if item.feedback_id]
    rows = TextPoint.objects.filter(feedback__in=[item.feedback_id for item in linked]).values_list("feedback", "place")
    places = {pk: bytes(place) for pk, place in rows}
    return [
        replace(item, point=places.get(found.feedback_id or 0, b""))
        for found in evidence
        for item in items_of(found.report)
        if item.kind == kind
    ]


_KEPT = ExpressionWrapper(~Q(status=Pattern.Status.CANDIDATE) | Q(is_formed_by_hand=True), output_field=BooleanField())
_PINNED = Q(is_formed_by_hand=True) | Q(is_named_by_hand=True)
_PINNED |= Q(status__in=[*Pattern.ANSWERED, *(Pattern.Status(name) for name in ("proposed", "dismissed", "merged"))])


def growing(
    agent_id: int, kind: Kind, grouper: Grouper, *, items: int, by_meaning: bool, by_words: bool
) -> list[Group]:
    """The groups of a text kind that may grow by so many items, as the grouper takes them; oldest first.

    Words and meaning are read only where an item needs them: a group has some thousand bytes of either.
    """
    patterns = Pattern.objects.filter(agent=agent_id, kind=kind)
    wanted: set[int] = set()
    for asked, column in ((by_meaning, "meaning"), (by_words, "centroid")):
        if not asked:
            continue
        has = patterns.exclude(**{column: b""})
        reach = grouper.reach(items=items, by_meaning=column == "meaning")
        by_growth = has.exclude(_PINNED).order_by("-grown", "-pk").values_list("pk", flat=True)
        wanted |= set(has.filter(_PINNED).order_by().values_list("pk", flat=True))
        wanted |= set(by_growth.filter(grouped__lt=reach.settled)[: reach.few])
        wanted |= set(by_growth.filter(grouped__gte=reach.settled)[: reach.many])
    pinned = ExpressionWrapper(_PINNED, output_field=BooleanField())
    rows = patterns.filter(pk__in=list(wanted)).order_by("pk")
    found = list(rows.values_list("pk", "signature", "grouped", "first_seen", "last_seen", _KEPT, "grown", pinned))
    words = _of_each(_WORDS, wanted) if by_words else {}
    meanings = _of_each(_MEANINGS, wanted) if by_meaning else {}
    return [
        replace(
            Group(pk, kind, signature, words.get(pk, b""), size, meanings.get(pk, b""), *more),
            first=seconds(first),
            last=seconds(last),
        )
        for pk, signature, size, first, last, *more in found
    ]


_WORDS = "SELECT id, centroid FROM feedback_pattern WHERE id = ANY(%s)"
_MEANINGS = "SELECT id, meaning FROM feedback_pattern WHERE id = ANY(%s)"


def _of_each(sql: str, pks: Iterable[int]) -> dict[int, bytes]:
    return dict(columns.read(sql, [list(pks)]))


def middles(agent_id: int) -> dict[Kind, Middle]:
    """Where an agent's texts of each kind lie on average."""
    rows = TextMiddle.objects.filter(agent=agent_id).values_list("kind", "place", "texts", "first_seen", "last_seen")
    return {
        Kind(kind): Middle(bytes(place), texts, seconds(first), seconds(last))
        for kind, place, texts, first, last in rows
    }


def keep(agent_id: int, moved: Mapping[Kind, Middle]) -> None:
    """Store middles that have moved, or of which texts came."""
    for kind, middle in moved.items():
        seen = {"first_seen": _moment(middle.first), "last_seen": _moment(middle.last)}
        TextMiddle.objects.update_or_create(
            agent_id=agent_id, kind=kind, defaults={"place": middle.place, "texts": middle.texts, **seen}
        )


def _moment(at: int) -> datetime | None:
    return datetime.fromtimestamp(at, UTC) if at else None


def _model() -> Model | None:
    if not settings.COUNTERSIGN_MEANING:
        return None
    try:
        return model()
    except ModelMissing:
        return None
