"""What was rejected before, and what is new since: so that nobody judges the same twice without knowing it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from feedback.models import Evidence, Pattern
from proposals.drafting import is_same
from proposals.models import Decision, Proposal

REFUSALS_SHOWN = 3
LOOKED_THROUGH = 50
QUOTES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Memory:
    """The newest rejections, and the reports of the pattern since the last of them."""

    refusals: Sequence[Decision]
    reports: int
    sources: int
    quotes: Sequence[Evidence]


def of_pattern(pattern: Pattern) -> Memory | None:
    """What was rejected of what this pattern led to; None if nothing was."""
    rejected = pattern.proposals.filter(status=Proposal.Status.REJECTED)
    return _remember(list(rejected.order_by("-pk").values_list("pk", flat=True)[:REFUSALS_SHOWN]), pattern)


def of_proposal(proposal: Proposal) -> Memory | None:
    """What was rejected before a draft that says the same, or comes of the same pattern; None if nothing was."""
    if proposal.origin != Proposal.Origin.DRAFTER:
        return None
    earlier = Proposal.objects.filter(document=proposal.document_id, status=Proposal.Status.REJECTED)
    rows = earlier.filter(pk__lt=proposal.pk).order_by("-pk").values_list("pk", "pattern", "fingerprint")
    own = rows.filter(pattern__isnull=False, pattern=proposal.pattern_id)[:REFUSALS_SHOWN]
    drafts = rows.exclude(fingerprint="")[:LOOKED_THROUGH]
    found = [
        pk
        for pk, pattern, mark in sorted(own.union(drafts), reverse=True)
        if (pattern and pattern == proposal.pattern_id) or (mark and _says_the_same(proposal, mark))
    ]
    return _remember(found[:REFUSALS_SHOWN], proposal.pattern)


def _says_the_same(proposal: Proposal, mark: str) -> bool:
    return bool(proposal.fingerprint) and is_same(proposal.fingerprint, mark)


def _remember(rejected: Sequence[int], pattern: Pattern | None) -> Memory | None:
    if not rejected:
        return None
    rejections = Decision.objects.filter(revision__proposal__in=rejected, verdict=Decision.Verdict.REJECT)
    rejections = rejections.select_related("actor", "revision__proposal").defer("revision__text", "revision__diff")
    refusals = list(rejections.order_by("-pk")[:REFUSALS_SHOWN])
    if pattern is None or not refusals:
        return Memory(refusals, 0, 0, [])
    new = _since(pattern, refusals[0])
    counted = new.aggregate(reports=Count("pk"), sources=Count("source", distinct=True))
    quotes = new.select_related("feedback", "run").order_by("-at", "-pk")[:QUOTES_SHOWN]
    return Memory(refusals, counted["reports"], counted["sources"], list(quotes))


def _since(pattern: Pattern, refusal: Decision) -> QuerySet[Evidence]:
    return pattern.evidence.filter(at__gt=refusal.at)
