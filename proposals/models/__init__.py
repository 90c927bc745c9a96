"""What people decide."""

from proposals.models.attention import Assignment, EvidenceOpened, ProposalSeen, SavedFilter
from proposals.models.bypass import Bypass
from proposals.models.comment import Coauthor, Comment, Thread
from proposals.models.decision import Check, Decision
from proposals.models.drift import Drift
from proposals.models.fit import Fit
from proposals.models.keyshare import KeyShare
from proposals.models.misfit import Misfit
from proposals.models.outcome import Outcome
from proposals.models.policy import Policy
from proposals.models.proposal import Proposal, ProposalEvidence, Revision
from proposals.models.quoting import Quoting
from proposals.models.redraft import Redraft
from proposals.models.removal import Removal
from proposals.models.rollout import (
    JudgedRun,
    JudgedUnit,
    JudgeMemory,
    Rollout,
    RolloutPlan,
    RolloutVerdict,
    ShareChange,
)
from proposals.models.safe import SafeRules, SelfStart
from proposals.models.sources import Footing, SourceRule
from proposals.models.step import Step
from proposals.models.surroundings import CounterExample, Surroundings
from proposals.models.trial import Trial

__all__ = [
    "Assignment",
    "Bypass",
    "Check",
    "Coauthor",
    "Comment",
    "CounterExample",
    "Decision",
    "Drift",
    "EvidenceOpened",
    "Fit",
    "Footing",
    "JudgeMemory",
    "JudgedRun",
    "JudgedUnit",
    "KeyShare",
    "Misfit",
    "Outcome",
    "Policy",
    "Proposal",
    "ProposalEvidence",
    "ProposalSeen",
    "Quoting",
    "Redraft",
    "Removal",
    "Revision",
    "Rollout",
    "RolloutPlan",
    "RolloutVerdict",
    "SafeRules",
    "SavedFilter",
    "SelfStart",
    "ShareChange",
    "SourceRule",
    "Step",
    "Surroundings",
    "Thread",
    "Trial",
]
