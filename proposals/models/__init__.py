"""What people decide."""

from proposals.models.bypass import Bypass
from proposals.models.comment import Coauthor, Comment, Thread
from proposals.models.decision import Check, Decision
from proposals.models.policy import Policy
from proposals.models.proposal import Proposal, ProposalEvidence, Revision

__all__ = [
    "Bypass",
    "Check",
    "Coauthor",
    "Comment",
    "Decision",
    "Policy",
    "Proposal",
    "ProposalEvidence",
    "Revision",
    "Thread",
]
