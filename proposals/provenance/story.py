"""The story of a version: what was reported, found, written, checked, decided, rolled out, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db.models import Q

from agents.models import Release, Version, whole_of
from audit.models import AuditEntry
from proposals.authority.policies import fitting
from proposals.grounds import evidence
from proposals.grounds.evidence import Quote, Tally
from proposals.judging import Verdict, line, sentence
from proposals.models import Check, Decision, Outcome, Proposal, Revision, Rollout, ShareChange
from proposals.reviewing import review
from proposals.rollouts import page as rollout_page
from proposals.rules.terms import Quorum, Terms
from proposals.status.undone import undone

QUOTED: Final = 3
MOST: Final = 200
"""Entries of the log on the page; the log itself has all."""


@dataclass(frozen=True, slots=True)
class Act:
    """One exact text, and what people said of it."""

    revision: Revision
    decisions: list[Decision]


@dataclass(frozen=True, slots=True)
class Grounds:
    """What was reported: the counts, and the newest few in their own words."""

    tally: Tally
    quotes: list[Quote]


@dataclass(frozen=True, slots=True)
class Course:
    """The rollout: the shares it had, and the last verdict in a sentence and in numbers."""

    rollout: Rollout
    says: str
    shares: list[ShareChange]
    verdict: str
    numbers: list[str]
    judged_at: datetime | None


@dataclass(frozen=True, slots=True)
class Chapters:
    """What a version that came from a proposal has besides. `asked` are the approvals its newest text needed by the
    policy that is kept with it.
    """

    proposal: Proposal
    asked: Quorum
    grounds: Grounds | None
    acts: list[Act]
    raised: list[Check]
    settled: list[Check]
    settled_words: str
    course: Course | None
    outcome: Outcome | None
    undone: Proposal | None


@dataclass(frozen=True, slots=True)
class Story:
    """All of it. `log` is what the log says, oldest first, `unlisted` whether it says more than that."""

    version: Version
    releases: list[Release]
    next_release: Release | None
    chapters: Chapters | None
    log: list[AuditEntry] = field(default_factory=list)
    unlisted: bool = False


def tell(version: Version) -> Story:
    """The story of one version of a document. Some twenty queries, whatever happened."""
    releases = list(version.releases.all()[:20])
    log = _log(version)
    return Story(
        version,
        releases,
        _next(version, releases),
        _chapters(_proposal(version)),
        log[:MOST],
        len(log) > MOST,
    )


def _proposal(version: Version) -> Proposal | None:
    rows = Proposal.objects.select_related(
        "document__agent",
        "base_version",
        "pattern",
        "author",
        "author_key",
        "bypass__actor",
        "self_start",
        "outcome",
        "revision",
        "footing",
    )
    unread = (*whole_of("base_version"), "revision__text", "revision__diff", "pattern__centroid")
    return rows.defer(*unread).filter(published=version).first()


def _next(version: Version, releases: Sequence[Release]) -> Release | None:
    """What became current after it."""
    if not releases:
        return None
    later = Release.objects.filter(document=version.document_id, at__gte=releases[0].at, pk__gt=releases[0].pk)
    return later.select_related("version").defer(*whole_of("version")).order_by("at", "pk").first()


def _chapters(proposal: Proposal | None) -> Chapters | None:
    if proposal is None:
        return None
    newest = review.newest(proposal)
    checks = list(newest.checks.all())
    return Chapters(
        proposal,
        _asked(proposal, newest, checks),
        _grounds(proposal),
        _acts(proposal),
        *review.by_need(checks),
        _course(proposal),
        getattr(proposal, "outcome", None),
        undone([proposal]).get(proposal.pk),
    )


def _grounds(proposal: Proposal) -> Grounds | None:
    linked = evidence.links(proposal)
    tally = evidence.tally(proposal, linked)
    return Grounds(tally, list(evidence.quotes(proposal, None, linked))[:QUOTED]) if tally else None


def _asked(proposal: Proposal, revision: Revision, checks: Sequence[Check]) -> Quorum:
    if proposal.origin == Proposal.Origin.ROLLBACK:
        return Quorum()
    touches_protected = any(check.name == "protected" and check.verdict != Check.Verdict.PASS for check in checks)
    return fitting(Terms.from_json(revision.terms).asked(proposal.risk, protected=touches_protected), proposal)


def _acts(proposal: Proposal) -> list[Act]:
    revisions = proposal.revisions.select_related("author", "author_key", "base_version")
    revisions = revisions.defer("text", "diff", *whole_of("base_version"))
    said = review.decisions(proposal)
    return [Act(one, [decision for decision in said if decision.revision_id == one.pk]) for one in revisions]


def _course(proposal: Proposal) -> Course | None:
    found = Rollout.objects.for_page().filter(proposal=proposal).first()
    if found is None:
        return None
    last = found.verdicts.last()
    verdict = Verdict.from_json(last.findings) if last else None
    return Course(
        found,
        rollout_page.state_line(found),
        list(found.shares.all()),
        sentence(verdict) if verdict else "",
        [line(finding) for finding in verdict.findings] if verdict else [],
        last.at if last else None,
    )


def _log(version: Version) -> list[AuditEntry]:
    """What the log says of the version and of its proposal, oldest first; one more than is shown if there is more."""
    about = Q(target_kind="version", target_id=str(version.pk))
    proposal = Proposal.objects.filter(published=version).values_list("pk", flat=True).first()
    if proposal:
        about |= Q(proposal=proposal)
    return list(AuditEntry.objects.filter(about, sequence__isnull=False).in_order()[: MOST + 1])
