"""The words that tell two labels apart: what those say whose label was missed, and those it was taken for."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db.models.functions import Left

from feedback.mining import apart
from feedback.models import Evidence, Feedback

READ: Final = 2000
"""So many of an agent's newest reports with a label are looked at."""
CHARS: Final = 400

Said = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Contrast:
    """Words, best first, that speak for each of two labels."""

    expected: str
    predicted: str
    for_expected: list[str]
    for_predicted: list[str]


def contrast(evidence: Sequence[Evidence]) -> Contrast | None:
    """Of the evidence of one pattern of wrong labels; None without any. One query.

    What was asked is compared with what was asked where the wrong label would have been right. Where enough sources
    told no such thing, no words tell the two apart: those of yet another label may speak for either.
    """
    first = next((item.feedback for item in evidence if item.feedback), None)
    if first is None:
        return None
    asked, least = asked_by_source(evidence), settings.COUNTERSIGN_MIN_SOURCES
    rightly = _asked_rightly(first)
    if len(rightly) < least:
        return Contrast(first.expected, first.predicted, [], [])
    return Contrast(first.expected, first.predicted, apart(asked, rightly, least), apart(rightly, asked, least))


def asked_by_source(evidence: Iterable[Evidence]) -> Said:
    """What each source had asked."""
    asked: Said = defaultdict(list)
    for item in evidence:
        if item.feedback and item.feedback.input:
            asked[bytes(item.source).hex()].append(item.feedback.input[:CHARS])
    return asked


def _asked_rightly(report: Feedback) -> Said:
    """What each source asked where the label that was wrong here would have been right."""
    rows = Feedback.objects.counted().filter(agent=report.agent_id).exclude(expected="").order_by("-at", "-pk")
    found: Said = defaultdict(list)
    for label, source, asked in rows.values_list("expected", "source", Left("input", CHARS))[:READ]:
        if asked and _key(label) == _key(report.predicted):
            found[bytes(source).hex()].append(asked)
    return found


def _key(label: str) -> str:
    return " ".join(label.casefold().split())
