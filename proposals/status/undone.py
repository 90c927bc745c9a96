"""What was published and rolled back since: which proposals, and by which rollback."""

from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any, Final, NamedTuple

from django.db.models import IntegerField

from agents.compiled import Compiled, Given, key, keys
from agents.models import Document, Version, whole_of
from proposals.checking.pile import shortened
from proposals.models import Proposal, Rollout

_ROLLBACKS: Final[Compiled[Any]] = Compiled(
    lambda: (
        Proposal.objects.filter(
            **{"document__pk__any_of": keys("documents")},
            origin=Proposal.Origin.ROLLBACK,
            published__restores__gt=0,
        )
        .order_by("document", "-published__number")
        .values_list("document", "pk", "published__number", "published__restores__number")
    )
)


def undone(proposals: Collection[Proposal]) -> dict[int, Proposal]:
    """Keys of those whose change a rollback took out again, each with the review of that rollback. Four queries."""
    published = [p for p in proposals if p.published_id]
    if not published:
        return {}
    found = _steps({p.document_id for p in published})
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


def _steps(documents: Collection[int]) -> "dict[int, list[Step]]":
    """The rollbacks of these documents, newest first. One query."""
    steps = _ROLLBACKS.ask(documents=list(documents))
    return {document: [Step(*row[1:]) for row in rows] for document, rows in groupby(steps, lambda row: row[0])}


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


class TakenBack(NamedTuple):
    """A version that was rolled back: its number, when that was, by whom, and why."""

    number: int
    at: datetime
    by: str
    reason: str

    def __str__(self) -> str:
        why = f": “{shortened(self.reason.rstrip('.'), 200)}”" if self.reason else ""
        return f"Version {self.number} had this very text and was rolled back by {self.by} on {self.at:%-d %B %Y}{why}."


def taken_back(document: Document, sha256: str) -> TakenBack | None:
    """The newest version with this text, if it was rolled back, from everybody or from those few who had it.

    One query where no version has the text, as mostly; else up to four.
    """
    versions = document.versions.filter(sha256=sha256).order_by("-number")
    number = versions.values_list("number", flat=True).first()
    if number is None:
        return None
    tried = Rollout.objects.filter(split__document=document, split__candidate__number=number).select_related("ended_by")
    rollout = tried.first()
    if rollout and rollout.ended_at and rollout.state == Rollout.State.ROLLED_BACK:
        return TakenBack(number, rollout.ended_at, str(rollout.ended_by or "Countersign"), rollout.reason)
    if rollout and rollout.state != Rollout.State.PROMOTED:
        return None
    by = _undoing(number, _steps([document.pk]).get(document.pk, []))
    review = Proposal.objects.select_related("author").get(pk=by) if by else None
    return TakenBack(number, review.created_at, review.author_label, review.rationale) if review else None


_LATER: Final = Compiled(
    lambda: (
        Proposal.objects.filter(document=key("document"), published__number__gt=Given("target", IntegerField()))
        .exclude(rollout__in=Rollout.objects.exclude(state=Rollout.State.PROMOTED))
        .exclude(origin=Proposal.Origin.ROLLBACK)
        .select_related("published")
        .defer(*whole_of("published"))
        .order_by("-published__number")[:20]
    )
)


def dropped_by(document_id: int, target: int) -> list[Proposal]:
    """Whose changes going back to version `target` takes out, newest first; at most 20. Four queries."""
    rows = _LATER.ask(document=document_id, target=target)
    gone: Mapping[int, Proposal] = undone(rows)
    return [row for row in rows if row.pk not in gone]
