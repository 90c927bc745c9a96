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
Row = tuple[str, str, bytes, str]
"""The right label, the given one, who said so, and what was asked."""


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
    return _between(first.expected, first.predicted, asked_by_source(evidence), labelled(first.agent_id))


def contrast_in(rows: Sequence[Row], expected: str, predicted: str) -> Contrast:
    """The same for two labels, from what `labelled` gave: for many patterns of one agent at once."""
    wrong = (row for row in rows if (_key(row[0]), _key(row[1])) == (_key(expected), _key(predicted)))
    return _between(expected, predicted, _by_source(wrong), rows)


def labelled(agent_id: int) -> list[Row]:
    """The agent's newest reports with a label. One query."""
    rows = Feedback.objects.counted().filter(agent=agent_id).exclude(expected="").order_by("-at", "-pk")
    return list(rows.values_list("expected", "predicted", "source", Left("input", CHARS))[:READ])


def _between(expected: str, predicted: str, asked: Said, rows: Sequence[Row]) -> Contrast:
    least, rightly = (
        settings.COUNTERSIGN_MIN_SOURCES,
        _by_source(row for row in rows if _key(row[0]) == _key(predicted)),
    )
    if len(rightly) < least:
        return Contrast(expected, predicted, [], [])
    return Contrast(expected, predicted, apart(asked, rightly, least), apart(rightly, asked, least))


def _by_source(rows: Iterable[Row]) -> Said:
    said: Said = defaultdict(list)
    for _, _, source, asked in rows:
        if asked:
            said[bytes(source).hex()].append(asked)
    return said


def asked_by_source(evidence: Iterable[Evidence]) -> Said:
    """What each source had asked."""
    asked: Said = defaultdict(list)
    for item in evidence:
        if item.feedback and item.feedback.input:
            asked[bytes(item.source).hex()].append(item.feedback.input[:CHARS])
    return asked


def _key(label: str) -> str:
    return " ".join(label.casefold().split())
