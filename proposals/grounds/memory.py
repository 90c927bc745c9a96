"""What was rejected before, and what is new since: so that nobody judges the same twice without knowing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, DateTimeField, QuerySet

from agents.compiled import Compiled, Given, key, keys
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


def _refusals() -> "QuerySet[Decision]":
    found = Decision.objects.filter(**{"revision__proposal__pk__any_of": keys("proposals")})
    found = found.filter(verdict=Decision.Verdict.REJECT).select_related("actor", "revision__proposal")
    found = found.defer("revision__text", "revision__diff")
    return found.order_by("-pk")[:REFUSALS_SHOWN]


def _since() -> "QuerySet[Evidence]":
    return Evidence.objects.filter(pattern=key("pattern"), at__gt=Given("since", DateTimeField()))


_REJECTED: Final[Compiled[int]] = Compiled(
    lambda: (
        Proposal.objects.filter(pattern=key("pattern"), status=Proposal.Status.REJECTED)
        .order_by("-pk")
        .values_list("pk", flat=True)[:REFUSALS_SHOWN]
    )
)
_REFUSALS: Final = Compiled(_refusals)
_COUNTED: Final[Compiled[Any]] = Compiled(
    lambda: _since().order_by().values("pattern").values_list(Count("pk"), Count("source", distinct=True))
)
_QUOTES: Final = Compiled(lambda: _since().select_related("feedback", "run").order_by("-at", "-pk")[:QUOTES_SHOWN])


def of_pattern(pattern: Pattern) -> Memory | None:
    """What was rejected of what this pattern led to; None if nothing was."""
    return _remember(_REJECTED.ask(pattern=pattern.pk), pattern)


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
    refusals = _REFUSALS.ask(proposals=list(rejected))
    if pattern is None or not refusals:
        return Memory(refusals, 0, 0, [])
    new = {"pattern": pattern.pk, "since": refusals[0].at}
    reports, sources = next(iter(_COUNTED.ask(**new)), (0, 0))
    return Memory(refusals, reports, sources, _QUOTES.ask(**new) if reports else [])
