"""See when a document drifts: many small changes born of feedback, each approved, add up to another text.

It drifts while, of the last fourteen days, at least three changes that Countersign drafted or an agent proposed became
current and are not undone, and the words that they brought and took are together at least
`COUNTERSIGN_DRIFT_SHARE` percent of those in the newest of these texts. What people wrote of their own accord does not
count; a text that only moved does, as words that went and came. It is an alarm and stops nothing.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from agents.models import Document, Release, Version
from agents.versions import lock_document
from audit.record import SYSTEM, record
from proposals.actions.telling import tell_of_drift
from proposals.models import Drift, Proposal

WITHIN: Final = timedelta(days=14)
LEAST: Final = 3
_BORN: Final = (Proposal.Origin.DRAFTER, Proposal.Origin.AGENT)


@dataclass(frozen=True, slots=True)
class Sum:
    """What the changes born of feedback of the last days come to; `of` is how many words the text has."""

    changes: int
    words: int
    of: int

    @property
    def drifts(self) -> bool:
        least = settings.COUNTERSIGN_DRIFT_SHARE
        return bool(least) and self.changes >= LEAST and self.words * 100 >= least * max(self.of, 1)


def watch_all() -> int:
    """Look at every document that something became current of lately, or that drifts; how many drift now."""
    lately = Release.objects.filter(at__gte=timezone.now() - WITHIN).values("document")
    drifting = Drift.objects.now().values("document")
    found = Document.objects.filter(Q(pk__in=lately) | Q(pk__in=drifting))
    return sum(watch(pk) for pk in list(found.order_by("pk").values_list("pk", flat=True)))


@transaction.atomic
def watch(document_id: int) -> bool:
    """Note whether a document drifts now, and tell of it when it begins."""
    lock_document(document_id)
    document = Document.objects.select_related("agent__team", "current").get(pk=document_id)
    found = sum_of(document)
    standing = Drift.objects.now().filter(document=document).first()
    if not found.drifts:
        if standing:
            Drift.objects.filter(pk=standing.pk).update(ended_at=timezone.now())
        return False
    facts = {"changes": found.changes, "words": found.words, "of": found.of}
    if standing:
        Drift.objects.filter(pk=standing.pk).update(**facts)
        return True
    made = Drift.objects.create(document=document, since=timezone.now(), **facts)
    agent, slug = document.agent.slug, document.slug
    record("document.drifts", actor=SYSTEM, target=document, agent=agent, document=slug, after=facts)
    tell_of_drift(made)
    return True


def sum_of(document: Document) -> Sum:
    """Of this document. Two queries."""
    since = timezone.now() - WITHIN
    current = Release.objects.filter(version=OuterRef("published"), at__gte=since)
    undone = Version.objects.filter(
        document=document, origin=Version.Origin.ROLLBACK, created_at__gte=OuterRef("decided_at"),
        restores__number__lt=OuterRef("published__number"),
    )  # fmt: skip
    rows = Proposal.objects.filter(Exists(current), ~Exists(undone), document=document, origin__in=_BORN)
    rows = rows.order_by("published__number")
    found = list(
        rows.values_list("revision__words_added", "revision__words_removed", "revision__surroundings__words_after")
    )
    words = sum(added + removed for added, removed, _ in found)
    return Sum(len(found), words, (found[-1][2] or 0) if found else 0)
