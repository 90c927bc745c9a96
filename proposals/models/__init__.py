"""What people decide."""

from proposals.models.attention import Assignment, ProposalSeen, SavedFilter
from proposals.models.bypass import Bypass
from proposals.models.comment import Coauthor, Comment, Thread
from proposals.models.decision import Check, Decision
from proposals.models.policy import Policy
from proposals.models.proposal import Proposal, ProposalEvidence, Revision

__all__ = [
    "Assignment",
    "Bypass",
    "Check",
    "Coauthor",
    "Comment",
    "Decision",
    "Policy",
    "Proposal",
    "ProposalEvidence",
    "ProposalSeen",
    "Revision",
    "SavedFilter",
    "Thread",
]
