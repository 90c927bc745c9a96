"""What somebody acts on: a proposal locked until the transaction ends, and the revision people are asked about."""

from django.db.models import Q

from agents.models import Document
from agents.reach import require_act
from people.models import User
from proposals.exceptions import Outdated
from proposals.models import Proposal, Revision


def lock_with_rivals(proposal_id: int, *, by: User) -> Proposal:
    """As `lock`, with all open ones for its pattern, in one order, so that two who end the other's wait."""
    pattern = Proposal.objects.values_list("pattern_id", flat=True).get(pk=proposal_id)
    rivals = Q(pattern__isnull=False, pattern=pattern, status__in=Proposal.OPEN)
    rows = Proposal.objects.filter(Q(pk=proposal_id) | rivals)
    list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    _require_within_reach(proposal_id, by)
    return Proposal.objects.for_page().get(pk=proposal_id)


def lock(proposal_id: int, *, by: User | None) -> Proposal:
    """The proposal, locked until the transaction ends: whoever decides or amends next sees this one's outcome.

    `by` is the person who acts, None where it is Countersign or an API key. Raises OutOfReach for a person whose agent
    it is not.
    """
    Proposal.objects.select_for_update(no_key=True).get(pk=proposal_id)
    if by:
        _require_within_reach(proposal_id, by)
    return Proposal.objects.for_page().get(pk=proposal_id)


def _require_within_reach(proposal_id: int, person: User) -> None:
    require_act(person, Document.objects.values_list("agent_id", flat=True).get(proposals=proposal_id))


def newest(proposal: Proposal) -> Revision:
    """The revision people are asked about."""
    return proposal.revisions.select_related("base_version").latest("number")


def require_newest(proposal: Proposal, digest: str) -> Revision:
    """The newest revision, if `digest` is its digest. Raises Outdated."""
    revision = newest(proposal)
    if digest != revision.digest:
        who = revision.author_label
        raise Outdated(f"{who} changed this to revision {revision.number} meanwhile. Nothing was recorded.")
    return revision
