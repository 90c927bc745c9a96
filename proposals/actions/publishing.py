"""What has to be true for a text to go out, asked in the transaction that lets it out; and letting it out to all."""

from agents.exceptions import BaseMoved
from agents.models import Version
from agents.versions import lock_documents, publish
from audit.record import Actor
from people.models import User
from proposals.actions import rollouts
from proposals.actions.following import follow_soon
from proposals.authority import policies
from proposals.exceptions import Blocked, Outdated, StaleProposal
from proposals.models import Check, Proposal, Revision


def refuse_unanswered(revision: Revision) -> None:
    """For what is published without anybody's word on what was found. Raises Blocked."""
    asking = revision.checks.filter(asks=True, verdict=Check.Verdict.FAIL).values_list("message", flat=True)
    if asking:
        raise Blocked("A check blocks this until somebody approves it with a reason: " + " ".join(asking))


def require_publishable(proposal: Proposal, revision: Revision) -> None:
    """What was true when the revision was checked may not be true today, so protection is looked at again.

    Raises Outdated, Blocked, StaleProposal.
    """
    lock_documents(proposal.document.agent_id)  # all of them: what goes out for one agent is counted together
    rollouts.refuse_second(proposal.document_id)
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
    failing = revision.checks.filter(verdict=Check.Verdict.FAIL, asks=False).values_list("message", flat=True)
    if failing:
        raise Blocked("A check blocks approval: " + " ".join(failing))


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
