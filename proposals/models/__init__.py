"""What people decide."""

from proposals.models.decision import Check, Decision
from proposals.models.proposal import Proposal, ProposalEvidence, Revision

__all__ = ["Check", "Decision", "Proposal", "ProposalEvidence", "Revision"]
