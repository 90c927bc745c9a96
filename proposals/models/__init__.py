"""What people decide."""

from proposals.models.comment import Coauthor, Comment, Thread
from proposals.models.decision import Check, Decision
from proposals.models.proposal import Proposal, ProposalEvidence, Revision
from proposals.models.removal import Removal
from proposals.models.surroundings import CounterExample, Surroundings

__all__ = [
    "Check",
    "Coauthor",
    "Comment",
    "CounterExample",
    "Decision",
    "Proposal",
    "ProposalEvidence",
    "Removal",
    "Revision",
    "Surroundings",
    "Thread",
]
