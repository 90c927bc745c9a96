"""What a proposal stands on, and what speaks against it: the reads behind the evidence on its page.

Each read is one query, or a fixed number of them, whatever the proposal holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.db.models import Count, Max, Min, Q, QuerySet
from django.db.models.functions import Coalesce

from feedback.models import Exclusion, Feedback, Run
from proposals import checks, growth, policies
from proposals.models import (
    Check,
    CounterExample,
    Proposal,
    ProposalEvidence,
    Removal,
    Revision,
    Surroundings,
)
from proposals.models.proposal import ProposalEvidenceQuerySet

PER_PAGE = 10


def grounds(proposal: Proposal, revision: Revision, number: str | None) -> dict[str, object]:
    """What the page of a proposal shows of evidence, checks and surroundings; `number` is the page of the quotes."""
    counted = tally(proposal)
    around = Surroundings.objects.filter(revision=revision).first()
    return {
        "tally": counted,
        "quotes": quotes(proposal, number),
        "checks": checks_now(revision, counted),
        "counter_examples": counter_examples(revision),
        "around": around,
        "findings": around.found if around else [],
        "growth": growth.of_document(proposal.document_id, then=around.tokens_after if around else None),
        "removal": Removal.objects.filter(proposal=proposal).select_related("origin", "pattern").first(),
    }


@dataclass(frozen=True, slots=True)
class Tally:
    """What the evidence amounts to now: `loudest` is the share of the reports that came from the loudest source.

    `left_out` were withdrawn or excluded since; `lacking` is how many sources are asked for when too few are left.
    """

    reports: int
    sources: int
    loudest: float
    days: int
    versions: list[int]
    left_out: int
    lacking: int


def tally(proposal: Proposal) -> Tally | None:
    """Counted over the linked reports that count; None without any link."""
    linked = proposal.evidence.count()
    if not linked:
        return None
    rows = _dated(proposal.evidence.counted())
    totals = rows.aggregate(n=Count("pk"), sources=Count("by", distinct=True), first=Min("when"), last=Max("when"))
    loudest = rows.values("by").annotate(n=Count("pk")).order_by("-n").values_list("n", flat=True).first() or 0
    versions = rows.filter(on__isnull=False).values_list("on", flat=True).distinct().order_by("on")[:6]
    left_out = linked - totals["n"]
    least = settings.COUNTERSIGN_MIN_SOURCES
    behind = proposal.pattern.sources if proposal.is_open and proposal.pattern else totals["sources"]
    return Tally(
        reports=totals["n"],
        sources=totals["sources"],
        loudest=loudest / (totals["n"] or 1),
        days=_days(totals["first"], totals["last"]),
        versions=list(versions),
        left_out=left_out,
        lacking=least if left_out and behind < least else 0,
    )


def _dated(rows: ProposalEvidenceQuerySet) -> "QuerySet[Any]":
    """With source, time and version of whichever report each row points at."""
    return rows.order_by().annotate(
        by=Coalesce("feedback__source", "run__source"),
        when=Coalesce("feedback__at", "run__at"),
        on=Coalesce("feedback__version", "run__version"),
    )


def _days(first: datetime | None, last: datetime | None) -> int:
    return (last.date() - first.date()).days + 1 if first and last else 0


@dataclass(frozen=True, slots=True)
class Quote:
    """One report, the run it is about, and who left it out, where there are such."""

    pk: int
    feedback: Feedback | None
    run: Run | None
    behind: Run | None
    exclusion: Exclusion | None


def quotes(proposal: Proposal, number: str | None) -> "Page[Any]":
    """One page of the reports as Quotes, newest first; what does not count any more stays listed."""
    rows = _dated(proposal.evidence.all()).select_related("feedback", "run").order_by("-when", "-pk")
    page = Paginator(rows, PER_PAGE).get_page(number)
    page.object_list = _quotes(proposal.document.agent_id, list(page.object_list))
    return page


def _quotes(agent_id: int, rows: Sequence[ProposalEvidence]) -> list[Quote]:
    feedback = [row.feedback for row in rows if row.feedback]
    wanted = {item.run_id for item in feedback if item.run_id}
    behind = {run.external_id: run for run in Run.objects.filter(agent=agent_id, external_id__in=wanted)}
    of_rows = Q(feedback__in=feedback) | Q(run__in=[row.run_id for row in rows if row.run_id])
    exclusions = list(Exclusion.objects.filter(of_rows, lifted_at=None).select_related("by"))
    left_out = {(one.feedback_id, one.run_id): one for one in exclusions}
    return [
        Quote(
            row.pk,
            row.feedback,
            row.run,
            row.run or (behind.get(row.feedback.run_id) if row.feedback else None),
            left_out.get((row.feedback_id, row.run_id)),
        )
        for row in rows
    ]


def checks_now(revision: Revision, counted: Tally | None) -> list[Check | checks.CheckResult]:
    """The checks as they ran on the revision; the one that rests on the evidence anew where some was left out since."""
    stored = list(revision.checks.all())
    if counted is None or not counted.left_out:
        return [*stored]
    context = checks.Context(
        sources=counted.sources,
        loudest_share=counted.loudest,
        min_sources=settings.COUNTERSIGN_MIN_SOURCES,
        max_share=policies.DOMINANT_SHARE,
    )
    now = checks.evidence(context)
    left_out = "1 report" if counted.left_out == 1 else f"{counted.left_out} reports"
    if not counted.sources:
        now = checks.CheckResult("evidence", "warn", "No report behind this counts any more.")
    else:
        now = checks.CheckResult("evidence", now.verdict, f"{now.message} Counted now, without {left_out}.")
    return [now if check.name == "evidence" else check for check in stored]


def counter_examples(revision: Revision) -> list[CounterExample]:
    """Praise the revision might harm, the nearest first, as found when it was made; without what no longer counts."""
    found = revision.counter_examples.filter(feedback__withdrawn_at=None, feedback__excluded_at=None)
    return list(found.select_related("feedback"))


def left_out_of(patterns: Sequence[int]) -> list[Exclusion]:
    """The newest reports that reviewers took out of a pattern and of those merged into it, at most PER_PAGE."""
    found = Exclusion.objects.filter(patterns__overlap=list(patterns), lifted_at=None).order_by("-pk")
    return list(found.select_related("feedback", "run", "by")[:PER_PAGE])
