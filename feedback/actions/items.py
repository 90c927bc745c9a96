"""What reports say, as the miner takes it."""

from datetime import datetime

from feedback.mining import Item, Kind
from feedback.models import Feedback, Run

_READ = ("source", "version", "at", "excluded_at")
READ_OF_RUNS = (*_READ, "error", "error_type")
_WORDS = ("reason", "correction", "edited_output", "output", "predicted", "expected")
READ_OF_FEEDBACK = (*_READ, "withdrawn_at", "rating", *_WORDS)
"""The columns that the miner reads."""


def items_of(report: Feedback | Run, *, first_key: int = 0) -> list[Item]:
    """What one report says, one item for each kind of pattern it can speak for; none when it says nothing.

    A correction says more than the complaint beside it, so a report with both counts as the correction alone.
    """
    if report.excluded_at:
        return []
    if isinstance(report, Run):
        error = report.error or report.error_type
        return [Item(first_key, Kind.ERROR, error)] if error else []
    if report.withdrawn_at:
        return []
    said: list[Item] = []
    at = seconds(report.at)
    correction = report.correction or report.edited_output
    if correction and correction != report.output:
        said.append(Item(first_key, Kind.CORRECTION, correction, output=report.output, at=at))
    elif report.reason:
        kind = Kind.SUCCESS if report.rating == Feedback.Rating.POSITIVE else Kind.COMPLAINT
        said.append(Item(first_key, kind, report.reason, at=at))
    if report.expected and report.predicted and report.expected != report.predicted:
        key = first_key + len(said)
        said.append(Item(key, Kind.MISLABEL, "", predicted=report.predicted, expected=report.expected))
    return said


def seconds(at: datetime | None) -> int:
    """A moment as the miner counts time: in whole seconds since 1970, 0 where there is none."""
    return max(1, int(at.timestamp())) if at else 0
