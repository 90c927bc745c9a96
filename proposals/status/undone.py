"""What was published and rolled back since: which proposals, and by which rollback."""

from collections.abc import Collection, Mapping
from itertools import groupby
from typing import NamedTuple

from agents.models import Version, whole_of
from proposals.models import Proposal, Rollout


def undone(proposals: Collection[Proposal]) -> dict[int, Proposal]:
    """Keys of those whose change a rollback took out again, each with the review of that rollback. Four queries."""
    published = [p for p in proposals if p.published_id]
    if not published:
        return {}
    rollbacks = Proposal.objects.filter(
        origin=Proposal.Origin.ROLLBACK, document__in={p.document_id for p in published}, published__restores__gt=0
    ).order_by("document", "-published__number")
    steps = rollbacks.values_list("document", "pk", "published__number", "published__restores__number")
    found = {document: [Step(*row[1:]) for row in rows] for document, rows in groupby(steps, lambda row: row[0])}
    if not found:
        return {}
    # What never was current was never taken out either.
    never = Rollout.objects.never_current().filter(proposal__in=[p.pk for p in published])
    failed = set(never.values_list("proposal", flat=True))
    published = [p for p in published if p.pk not in failed]
    numbers = dict(Version.objects.filter(pk__in=[p.published_id for p in published]).values_list("pk", "number"))
    by = {p.pk: _undoing(numbers[p.published_id or 0], found.get(p.document_id, [])) for p in published}
    rows = Proposal.objects.select_related("published__restores", "author")
    rows = rows.defer(*whole_of("published"), *whole_of("published__restores"))
    reviews = rows.in_bulk(set(filter(None, by.values())))
    return {pk: reviews[review] for pk, review in by.items() if review}


class Step(NamedTuple):
    """A rollback: its review's key, the version it made, and the one whose text that has."""

    review: int
    made: int
    target: int


def _undoing(number: int, rollbacks: Collection[Step]) -> int | None:
    """The rollback that took version `number` out of the current text; `rollbacks` of its document, newest first.

    Back from the newest: each that leads to before the version drops it, each that leads to after it leaves it to the
    rollbacks before that.
    """
    upto: int | None = None
    for step in rollbacks:
        if step.made <= number:
            break
        if upto is not None and step.made > upto:
            continue
        if step.target < number:
            return step.review
        upto = step.target
    return None


def dropped_by(document_id: int, target: int) -> list[Proposal]:
    """Whose changes going back to version `target` takes out, newest first; at most 20. Four queries."""
    later = Proposal.objects.filter(document=document_id, published__number__gt=target)
    later = later.exclude(rollout__in=Rollout.objects.exclude(state=Rollout.State.PROMOTED))
    later = later.exclude(origin=Proposal.Origin.ROLLBACK).select_related("published").order_by("-published__number")
    rows = list(later.defer(*whole_of("published"))[:20])
    gone: Mapping[int, Proposal] = undone(rows)
    return [row for row in rows if row.pk not in gone]
