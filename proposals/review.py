"""The reads behind the page of one proposal, each bounded whatever the proposal holds."""

from dataclasses import dataclass

from django.db.models import Max, Prefetch, QuerySet
from django.shortcuts import get_object_or_404

from agents.models import Version
from audit.models import AuditEntry
from people.models import User
from proposals import policies, queue
from proposals.diffs import count_words
from proposals.models import Check, Decision, Proposal, Redraft, Revision
from proposals.turns import Pill, pill

HISTORY_SHOWN = 40


def find(pk: int) -> Proposal:
    """The proposal with what its page shows; 404 if there is none."""
    revisions = Revision.objects.select_related("author", "author_key").defer("text", "diff")
    found = Proposal.objects.for_page().select_related(
        "published", "requested_by", "revision__base_version", "revision__redraft__asked_by"
    )
    return get_object_or_404(
        found.prefetch_related(
            Prefetch("revisions", revisions), "document__sections__owners", "revision__coauthors__person"
        ),
        pk=pk,
    )


def newest(proposal: Proposal) -> Revision:
    """The revision people are asked about, with its base version."""
    if proposal.revision is None:
        raise Revision.DoesNotExist(f"proposal {proposal.pk} has no revision")
    return proposal.revision


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the decision stands, and what this person may do about it."""

    leave: policies.Leave
    need: policies.Need
    approvals: list[Decision]
    missing: str
    missing_after_mine: str
    approved_by_me: bool
    blocking: list[Check]
    recheck: bool
    may_withdraw: bool
    may_bypass: bool
    pill: Pill


def standing(proposal: Proposal, user: User) -> Standing:
    """The rules applied to the newest revision."""
    revision = newest(proposal)
    leave = policies.may_decide(user, proposal)
    need = policies.approvals_needed(proposal, revision)
    given = [d for d in decisions(proposal) if d.verdict == "approve" and d.revision_id == revision.pk]
    approvals = policies.counting(given)
    blocking = [check for check in revision.checks.all() if check.verdict == Check.Verdict.FAIL]
    missing_after = policies.missing(need, [*approvals, Decision(actor=user)], alone=leave.alone)
    mine = queue.waiting_for(user, [proposal.pk]).exists()
    return Standing(
        leave=leave,
        need=need,
        approvals=approvals,
        missing=policies.missing(need, approvals, alone=leave.alone),
        missing_after_mine=missing_after,
        approved_by_me=any(approval.actor_id == user.pk for approval in approvals),
        blocking=blocking,
        recheck=proposal.is_open and policies.protection_changed(proposal, revision),
        may_withdraw=proposal.is_open and policies.may_withdraw(user, proposal).allowed,
        may_bypass=_may_bypass(proposal, user) and not (leave.allowed and not missing_after),
        pill=pill(proposal, my_turn=mine, blocked=bool(blocking)),
    )


def _may_bypass(proposal: Proposal, user: User) -> bool:
    return proposal.status == Proposal.Status.PENDING and policies.may_bypass(user, proposal).allowed


def decisions(proposal: Proposal) -> QuerySet[Decision]:
    """Everybody's word on any of its revisions, oldest first."""
    return Decision.objects.filter(revision__proposal=proposal).select_related("actor", "revision").order_by("pk")


def history(proposal: Proposal) -> QuerySet[AuditEntry]:
    """What the log says about it, newest first."""
    return AuditEntry.objects.filter(proposal=proposal.pk).newest_first()[:HISTORY_SHOWN]


def last_redraft(proposal: Proposal) -> Redraft | None:
    """What the drafter was last asked to write again, while the changes requested are not made. No query otherwise."""
    if proposal.status != Proposal.Status.CHANGES_REQUESTED:
        return None
    asked = proposal.redrafts.select_related("asked_by").order_by("-pk").first()
    return asked if asked and asked.revision_id == proposal.revision_id else None


@dataclass(frozen=True, slots=True)
class Effect:
    """What approving does: the number the text gets, and how many words the document has before and after."""

    number: int
    words_before: int
    words_after: int


def effect(proposal: Proposal) -> Effect:
    """What approving the newest revision would do now; for one in effect, what it did."""
    revision = newest(proposal)
    last = Version.objects.filter(document=proposal.document_id).aggregate(last=Max("number"))["last"] or 0
    number = proposal.published.number if proposal.published else last + 1
    return Effect(number, count_words(revision.base_version.text), count_words(revision.text))
