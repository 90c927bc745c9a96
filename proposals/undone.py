"""What was published and rolled back since: which proposals, and by which rollback."""

from collections.abc import Collection, Mapping
from itertools import groupby

from agents.models import Version, whole_of
from proposals.models import Proposal


def undone(proposals: Collection[Proposal]) -> dict[int, Proposal]:
    """Keys of those whose change a rollback took out again, each with the review of that rollback. Two queries."""
    published = [p for p in proposals if p.published_id]
    if not published:
        return {}
    rollbacks = (
        Proposal.objects.filter(origin=Proposal.Origin.ROLLBACK, document__in={p.document_id for p in published})
        .select_related("published__restores", "author")
        .defer(*whole_of("published"), *whole_of("published__restores"))
        .order_by("document", "-published__number")
    )
    found = {document: list(rows) for document, rows in groupby(rollbacks, lambda row: row.document_id)}
    if not found:
        return {}
    numbers = dict(Version.objects.filter(pk__in=[p.published_id for p in published]).values_list("pk", "number"))
    reviews = {p.pk: _undoing(numbers[p.published_id or 0], found.get(p.document_id, [])) for p in published}
    return {pk: review for pk, review in reviews.items() if review}


def _undoing(number: int, rollbacks: Collection[Proposal]) -> Proposal | None:
    """The rollback that took version `number` out of the current text; `rollbacks` of its document, newest first.

    Back from the newest: each that leads to before the version drops it, each that leads to after it leaves it to the
    rollbacks before that.
    """
    upto: int | None = None
    for review in rollbacks:
        own, target = _steps(review)
        if own <= number:
            break
        if upto is not None and own > upto:
            continue
        if target < number:
            return review
        upto = target
    return None


def _steps(review: Proposal) -> tuple[int, int]:
    """The version that a rollback made, and the one whose text that has."""
    made = review.published
    return (made.number, made.restores.number) if made and made.restores else (0, 0)


def dropped_by(document_id: int, target: int) -> list[Proposal]:
    """Whose changes going back to version `target` takes out, newest first; at most 20. Three queries."""
    later = Proposal.objects.filter(document=document_id, published__number__gt=target)
    later = later.exclude(origin=Proposal.Origin.ROLLBACK).select_related("published").order_by("-published__number")
    rows = list(later.defer(*whole_of("published"))[:20])
    gone: Mapping[int, Proposal] = undone(rows)
    return [row for row in rows if row.pk not in gone]
