"""What people decide."""

from proposals.models.attention import Assignment, ProposalSeen, SavedFilter
from proposals.models.comment import Coauthor, Comment, Thread
from proposals.models.decision import Check, Decision
from proposals.models.proposal import Proposal, ProposalEvidence, Revision

__all__ = [
    "Assignment",
    "Check",
    "Coauthor",
    "Comment",
    "Decision",
    "Proposal",
    "ProposalEvidence",
    "ProposalSeen",
    "Revision",
    "SavedFilter",
    "Thread",
]
