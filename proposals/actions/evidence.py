"""Leave a report out of the evidence of a proposal, count it again, and put a new rule in an old one's place."""

from typing import Final

from django.db import transaction

from agents.versions import lock_document
from feedback.actions import exclusion
from feedback.exceptions import ExclusionError
from feedback.models import Exclusion
from people.models import User
from proposals.actions.locking import lock, require_newest
from proposals.actions.proposals import amend
from proposals.checking import pile
from proposals.exceptions import Invalid, NotAllowed, NotPending, Outdated, StaleProposal
from proposals.models import ProposalEvidence, Revision, Surroundings

COMMANDING: Final = "It reads like instructions, not like a report."


def exclude(item: ProposalEvidence, *, user: User, reason: str) -> Exclusion:
    """Take a report out of every count. Raises NotAllowed, Invalid("reason"), NotPending."""
    _require_curator(user)
    reason = reason.strip()
    if not reason or len(reason) > exclusion.MAX_REASON:
        raise Invalid("reason", f"Say why it should not count, in at most {exclusion.MAX_REASON} characters.")
    try:
        return exclusion.exclude(item.report, user=user, reason=reason, proposal=item.proposal_id)
    except ExclusionError as refused:
        raise NotPending(str(refused)) from None


@transaction.atomic
def exclude_commanding(proposal_id: int, *, user: User) -> int:
    """Take all reports of a proposal that read like instructions out of every count; how many these were.

    Raises NotAllowed, NotPending, OutOfReach.
    """
    _require_curator(user)
    rows = ProposalEvidence.objects.counted().filter(proposal=proposal_id, commands=True)
    found = list(rows.select_related("feedback", "run").order_by("feedback", "run"))
    for item in found:
        exclude(item, user=user, reason=COMMANDING)
    return len(found)


def include(item: ProposalEvidence, *, user: User) -> Exclusion:
    """Count a report again. Raises NotAllowed, NotPending."""
    _require_curator(user)
    try:
        return exclusion.include(item.report, user=user, proposal=item.proposal_id)
    except ExclusionError as refused:
        raise NotPending(str(refused)) from None


def _require_curator(user: User) -> None:
    if not user.has_perm("feedback.curate_pattern"):
        raise NotAllowed("Judging evidence needs the role reviewer or admin.")


@transaction.atomic
def merge_rules(proposal_id: int, *, user: User, digest: str, line: int, other: int) -> Revision:
    """Amend the proposal so that its rule on `line` takes the place of the near one on line `other`.

    Whoever does this is an author of the new text. Raises NotAllowed, NotPending, Outdated, StaleProposal, Invalid.
    """
    proposal = lock(proposal_id, by=user)
    lock_document(proposal.document_id)
    seen = require_newest(proposal, digest)
    if proposal.is_stale:
        raise StaleProposal("Another version became current meanwhile; rebase the proposal first.")
    text = pile.merged(seen.text, _finding(seen, line, other))
    note = f"Put in place of line {other}, which said nearly the same."
    return amend(proposal_id, user=user, text=text, note=note, digest=digest)


def _finding(revision: Revision, line: int, other: int) -> pile.Finding:
    stored = Surroundings.objects.filter(revision=revision).first()
    for found in stored.found if stored else []:
        if (found.line, found.other_line) == (line, other) and found.is_near and found.mergeable:
            return found
    raise Outdated("These two rules cannot be made one here; amend the text by hand.")
