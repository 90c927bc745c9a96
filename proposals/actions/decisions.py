"""Approve, ask for changes, reject: one person's word on exactly the text they saw."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from agents.exceptions import BaseMoved
from agents.models import Version
from agents.versions import lock_document, publish
from audit.record import Actor, record
from feedback.actions.patterns import change_status
from feedback.models import Pattern
from people.models import User
from proposals import policies
from proposals.actions.following import follow_soon
from proposals.actions.proposals import free_pattern, lock_with_rivals, newest
from proposals.actions.superseding import end_drafts_beside
from proposals.exceptions import Blocked, Invalid, NotPending, Outdated, StaleProposal
from proposals.models import Check, Decision, Proposal, Revision

Status = Proposal.Status


@transaction.atomic
def approve(proposal_id: int, *, user: User, digest: str, note: str = "") -> Decision:
    """Approve the revision with this digest; with the last approval needed it is published and current at once.

    Raises NotAllowed, NotPending, Outdated, StaleProposal, Blocked.
    """
    proposal, revision, leave = _open_for(proposal_id, user, digest)
    in_effect = proposal.status == Status.IN_EFFECT
    if not in_effect:
        require_publishable(proposal, revision)
    try:
        with transaction.atomic():
            decision = _decide(revision, user, Decision.Verdict.APPROVE, note=note, alone=leave.alone)
    except IntegrityError:
        raise NotPending("You approved this revision already; it waits for somebody else.") from None
    need = policies.approvals_needed(proposal, revision)
    approvals = revision.decisions.filter(verdict=Decision.Verdict.APPROVE)
    if policies.missing(need, approvals, alone=leave.alone):
        _record(proposal, "proposal.approval_given", decision, {"needed": need.approvals})
        return decision
    version = (in_effect and proposal.published) or publish_revision(proposal, revision, user)
    _move(proposal, Status.APPROVED, version)
    settle_pattern(proposal, Pattern.Status.WATCHING, user, version)
    end_drafts_beside(proposal, Actor.person(user))
    confirms = (
        {"confirms": "rollback" if proposal.origin == Proposal.Origin.ROLLBACK else "bypass"} if in_effect else {}
    )
    _record(proposal, "proposal.approved", decision, {"version": version.number, **confirms})
    return decision


@transaction.atomic
def request_changes(proposal_id: int, *, user: User, digest: str, note: str) -> Decision:
    """Send the proposal back with a note. Raises NotAllowed, NotPending, Outdated, Invalid."""
    if not note.strip():
        raise Invalid("note", "Say what should change.")
    proposal, revision, leave = _open_for(proposal_id, user, digest)
    if proposal.status == Status.IN_EFFECT:
        raise NotPending("This is in effect already; approve it, or reject it with a reason.")
    decision = _decide(revision, user, Decision.Verdict.REQUEST_CHANGES, note=note, alone=leave.alone)
    _move(proposal, Status.CHANGES_REQUESTED)
    _record(proposal, "proposal.changes_requested", decision)
    return decision


@transaction.atomic
def reject(proposal_id: int, *, user: User, digest: str, reason: str, note: str) -> Decision:
    """Reject the proposal for good, with a typed reason and words. Raises NotAllowed, NotPending, Outdated, Invalid.

    The pattern stays open, but nothing like it is drafted again before there is new evidence.
    """
    if reason not in Decision.Reason.values:
        raise Invalid("reason", "Choose why it is rejected.")
    if not note.strip():
        raise Invalid("note", "Say in a sentence why it is rejected.")
    proposal, revision, leave = _open_for(proposal_id, user, digest)
    decision = _decide(revision, user, Decision.Verdict.REJECT, reason=reason, note=note, alone=leave.alone)
    _move(proposal, Status.REJECTED)
    _free_pattern(proposal, user)
    _record(proposal, "proposal.rejected", decision)
    return decision


def _open_for(proposal_id: int, user: User, digest: str) -> tuple[Proposal, Revision, policies.Leave]:
    """Lock, then refuse whoever may not, what is no longer open, and what is not what they saw."""
    proposal = lock_with_rivals(proposal_id)
    leave = policies.require_may_decide(user, proposal)
    if not proposal.is_decidable:
        raise NotPending(_already(proposal))
    revision = newest(proposal)
    if digest != revision.digest:
        raise Outdated(
            f"{revision.author_label} changed this to revision {revision.number} meanwhile. Nothing was recorded."
        )
    return proposal, revision, leave


def _already(proposal: Proposal) -> str:
    last = Decision.objects.filter(revision__proposal=proposal).select_related("actor").order_by("pk").last()
    if last is None:
        return f"This proposal is {proposal.get_status_display().lower()} already. Nothing was recorded."
    return f"{last.actor} {last.get_verdict_display()} this proposal already. Nothing was recorded."


def require_publishable(proposal: Proposal, revision: Revision) -> None:
    """What was true when the revision was checked may not be true today, so protection is looked at again.

    Raises Outdated, Blocked, StaleProposal.
    """
    lock_document(proposal.document_id)
    if policies.protection_changed(proposal, revision):
        raise Outdated(
            "The protected sections changed meanwhile. Have the proposal checked again first. Nothing was recorded."
        )
    worded = policies.last_worded(proposal)
    touched = policies.touched_protected(revision, proposal.document.sections.all())
    if touched and (worded is None or worded.author_id is None):
        names = ", ".join(section.heading for section in touched)
        raise Blocked(f"A machine wrote this and it changes {names}, which is protected; only people may propose that.")
    if proposal.is_stale:
        raise StaleProposal(
            "Another version became current after this was drafted; bring the proposal up to date first."
        )
    failing = revision.checks.filter(verdict=Check.Verdict.FAIL).values_list("message", flat=True)
    if failing:
        raise Blocked("A check blocks approval: " + " ".join(failing))


def _decide(
    revision: Revision, user: User, verdict: Decision.Verdict, *, note: str, alone: bool, reason: str = ""
) -> Decision:
    return Decision.objects.create(
        revision=revision,
        digest=revision.digest,
        actor=user,
        verdict=verdict,
        reason=reason,
        note=note.strip(),
        single_operator=alone,
    )


def publish_revision(proposal: Proposal, revision: Revision, user: User) -> Version:
    """Make the text the document's next version, current at once; what waits behind it follows.

    Raises StaleProposal.
    """
    try:
        version = publish(
            proposal.document,
            revision.text,
            base=revision.base_version,
            actor=Actor.person(user),
            proposal=proposal.pk,
            reason=proposal.title,
        )
    except BaseMoved as moved:
        raise StaleProposal(str(moved)) from None
    follow_soon(proposal.document_id)
    return version


def _move(proposal: Proposal, status: Status, version: Version | None = None) -> None:
    """Guarded by the state and revision that were read: the lock makes it certain, this makes it plain."""
    changes: dict[str, object] = {"status": status, "decided_at": timezone.now()}
    if version:
        changes["published"] = version
    expected = Proposal.objects.filter(pk=proposal.pk, status=proposal.status, revision=proposal.revision_id)
    if expected.update(**changes) != 1:
        raise NotPending(_already(proposal))


def settle_pattern(proposal: Proposal, status: Pattern.Status, user: User, version: Version | None = None) -> None:
    """Move the pattern it came from, if any, into this state; nothing is due to be drafted from it."""
    if proposal.pattern_id:
        Pattern.objects.filter(pk=proposal.pattern_id).update(draft_due_at=None)
        actor = Actor.person(user)
        change_status([proposal.pattern_id], status, actor=actor, proposal=proposal.pk, version=version)


def _free_pattern(proposal: Proposal, user: User) -> None:
    """Open the pattern of what was rejected; not if another version answers it, or another proposal is open."""
    if proposal.pattern_id:
        Pattern.objects.filter(pk=proposal.pattern_id).update(draft_due_at=None)
        answered = () if proposal.published_id else Pattern.ANSWERED
        free_pattern(proposal, Actor.person(user), was=[one for one in Pattern.Status if one not in answered])


def _record(proposal: Proposal, verb: str, decision: Decision, more: dict[str, object] | None = None) -> None:
    after = Proposal.objects.values_list("status", flat=True).get(pk=proposal.pk)
    record(
        verb,
        actor=Actor.person(decision.actor),
        target=proposal,
        agent=proposal.document.agent.slug,
        document=proposal.document.slug,
        proposal=proposal.pk,
        before={"status": proposal.status},
        after={
            "status": after,
            "revision": decision.revision.number,
            "digest": decision.digest,
            "reason": decision.reason,
            "note": decision.note,
            "single_operator": decision.single_operator,
            **(more or {}),
        },
    )
