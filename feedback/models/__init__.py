"""What happened, and what recurs in it."""

from feedback.models.across import SharedMember, SharedPattern
from feedback.models.erasure import Erasure
from feedback.models.exclusion import Exclusion
from feedback.models.meaning import TextMiddle, TextPoint
from feedback.models.pattern import Evidence, Pattern, PatternDay, PatternSource
from feedback.models.quarantine import HeldEvidence, Quarantine
from feedback.models.report import Feedback, Run
from feedback.models.rollup import Mark, RecountDue, Tally, TallyDay, TallyHour

__all__ = [
    "Erasure",
    "Evidence",
    "Exclusion",
    "Feedback",
    "HeldEvidence",
    "Mark",
    "Pattern",
    "PatternDay",
    "PatternSource",
    "Quarantine",
    "RecountDue",
    "Run",
    "SharedMember",
    "SharedPattern",
    "Tally",
    "TallyDay",
    "TallyHour",
    "TextMiddle",
    "TextPoint",
]
