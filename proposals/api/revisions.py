"""Revisions as the API gives them, with their checks and decisions."""

from datetime import datetime

from django.db.models import Prefetch, QuerySet
from ninja import Schema
from pydantic import Field

from proposals.models import Check, Coauthor, Decision, Proposal, Revision


class CheckOut(Schema):
    """What a machine says of a revision."""

    name: str
    verdict: str
    message: str


class DecisionOut(Schema):
    """What a person said of a revision."""

    verdict: str
    by: str
    reason: str
    note: str
    digest: str
    at: datetime
    seconds: int | None = Field(description="From first opening the revision to approving it; null where not known.")
    evidence_opened_at: datetime | None = Field(description="When who approved it had first opened the evidence.")


class RevisionOut(Schema):
    """One exact text the proposal has had."""

    number: int
    base_version: int
    content: str
    sha256: str
    digest: str
    author: str
    coauthors: list[str] = Field(description="Whose suggested wording it took over.")
    note: str
    created_at: datetime
    words_added: int
    words_removed: int
    checks: list[CheckOut]
    decisions: list[DecisionOut]


def revisions_of(proposal: Proposal) -> "QuerySet[Revision]":
    """All of them, oldest first, without the stored differences. Four queries."""
    return (
        proposal.revisions.select_related("base_version", "author", "author_key")
        .defer("diff")
        .prefetch_related(
            Prefetch("checks", Check.objects.order_by("pk")),
            Prefetch("decisions", Decision.objects.select_related("actor").order_by("pk")),
            Prefetch("coauthors", Coauthor.objects.select_related("person").order_by("pk")),
        )
        .order_by("number")
    )


def revision_out(revision: Revision) -> RevisionOut:
    """One of `revisions_of`."""
    return RevisionOut(
        number=revision.number,
        base_version=revision.base_version.number,
        content=revision.text,
        sha256=revision.sha256,
        digest=revision.digest,
        author=revision.author_label,
        coauthors=[str(coauthor.person) for coauthor in revision.coauthors.all()],
        note=revision.note,
        created_at=revision.created_at,
        words_added=revision.words_added,
        words_removed=revision.words_removed,
        checks=[CheckOut(name=c.name, verdict=c.verdict, message=c.message) for c in revision.checks.all()],
        decisions=[_decision(decision) for decision in revision.decisions.all()],
    )


def _decision(decision: Decision) -> DecisionOut:
    return DecisionOut(
        verdict=decision.verdict,
        by=str(decision.actor),
        reason=decision.reason,
        note=decision.note,
        digest=decision.digest,
        at=decision.at,
        seconds=decision.seconds,
        evidence_opened_at=decision.evidence_opened_at,
    )
