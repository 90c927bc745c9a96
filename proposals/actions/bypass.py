"""Publish in an emergency without the approvals needed. It stands out for good, and is reviewed after the fact."""

from django.db import transaction

from agents import pace
from audit.record import Actor, record
from feedback.models import Pattern
from people.models import User
from proposals.actions.attention import attention_of
from proposals.actions.decisions import settle_pattern
from proposals.actions.locking import lock, require_newest
from proposals.actions.publishing import publish_revision, refuse_unanswered, require_publishable
from proposals.actions.revisions import update_unmoved
from proposals.authority import policies
from proposals.exceptions import Invalid, NotAllowed, NotPending
from proposals.models import Bypass, Decision, Proposal, Revision
from proposals.models.bypass import SHORTEST_REASON


@transaction.atomic
def bypass(proposal_id: int, *, user: User, digest: str, reason: str, number: int | None) -> Bypass:
    """Publish the revision with this digest at once; `number` is the proposal's, typed by hand to be sure.

    A blocking check still blocks, and so does a machine's change of a protected section.
    Raises NotAllowed, Invalid, NotPending, Outdated, StaleProposal, Blocked.
    """
    proposal = lock(proposal_id, by=user)
    leave = policies.may_bypass(user, proposal)
    if not leave.allowed:
        raise NotAllowed(leave.why)
    _refuse_bad(proposal, reason, number)
    if proposal.status != Proposal.Status.PENDING:
        raise NotPending(f"This proposal is {proposal.get_status_display().lower()}; there is nothing to bypass.")
    revision = require_newest(proposal, digest)
    require_publishable(proposal, revision)
    refuse_unanswered(revision)
    missing = _missing(proposal, revision, user)
    version = publish_revision(proposal, revision, user)
    made = Bypass.objects.create(
        proposal=proposal, revision=revision, actor=user, reason=reason.strip(), missing=missing
    )
    update_unmoved(proposal, status=Proposal.Status.IN_EFFECT, published=version)
    settle_pattern(proposal, Pattern.Status.WATCHING, Actor.person(user), version)
    record(
        "proposal.bypassed",
        actor=Actor.person(user),
        target=proposal,
        agent=proposal.document.agent.slug,
        document=proposal.document.slug,
        proposal=proposal.pk,
        before={"status": Proposal.Status.PENDING},
        after={
            "status": proposal.status,
            "revision": revision.number,
            "digest": revision.digest,
            "version": version.number,
            "reason": made.reason,
            "missing": missing,
        },
    )
    return made


def _refuse_bad(proposal: Proposal, reason: str, number: int | None) -> None:
    length = len(reason.strip())
    if length < SHORTEST_REASON:
        raise Invalid(
            "reason", f"Say why it cannot wait, in at least {SHORTEST_REASON} characters; these are {length}."
        )
    if number != proposal.pk:
        raise Invalid(
            "number", f"Type {proposal.pk}, the number of this proposal, to be sure that it is the one meant."
        )


def _missing(proposal: Proposal, revision: Revision, user: User) -> str:
    """What is bypassed. Raises NotPending where this person's own approval would be enough."""
    need = policies.approvals_needed(proposal, revision)
    given = list(revision.decisions.filter(verdict=Decision.Verdict.APPROVE))
    may_decide = policies.may_decide(user, proposal).allowed
    agent = proposal.document.agent
    full = pace.full(agent)
    if may_decide and not full and not policies.missing(need, [*given, Decision(actor=user)], agent):
        raise NotPending("Your own approval is enough; approve it instead.")
    lacking = policies.missing(need, given, agent)
    return " ".join(filter(None, (need.why, lacking, _unopened(need, revision, user), full)))


def _unopened(need: policies.Need, revision: Revision, user: User) -> str:
    """That the evidence was not opened, where who approves has to."""
    unopened = need.opened and not attention_of(user, revision).evidence_opened_at
    return "The evidence was not opened." if unopened else ""
