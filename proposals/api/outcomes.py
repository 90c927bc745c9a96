"""What came of a change, as `GET /proposals/{id}` tells it."""

from datetime import datetime

from ninja import Schema
from pydantic import Field

from proposals.judging.outcomes import LEAST_RUNS, Word
from proposals.models import Outcome


class SideOut(Schema):
    """Reports in runs, and the share they are, with its 95 % interval; null without runs."""

    reports: int
    runs: int
    share: float | None
    low: float | None
    high: float | None


class ComparedOut(Schema):
    """One thing that is reported, before the change and since."""

    pattern: int | None
    label: str
    word: Word
    before: SideOut
    after: SideOut


class OutcomeOut(Schema):
    """What came of it: in a line, and the numbers behind it."""

    says: str
    word: Word = Field(description="Of the reports that the change answers.")
    target: ComparedOut | None = Field(description="The pattern it answers; null if it answers none.")
    praise: ComparedOut = Field(description="Thumbs up.")
    others: list[ComparedOut] = Field(description="Other patterns of the agent that moved.")
    looked_at: int = Field(description="So many other patterns were compared, the loudest of the time.")
    days: float = Field(description="Days since it became current.")
    rule: str
    least_runs: int = Field(LEAST_RUNS, description="With fewer runs since, nothing is said.")
    counted_at: datetime
    settled_at: datetime | None = Field(description="When it was counted for the last time.")


def outcome_out(outcome: Outcome | None) -> OutcomeOut | None:
    """As the API tells it; None stays None."""
    if outcome is None:
        return None
    told = {name: outcome.findings[name] for name in OutcomeOut.model_fields if name in outcome.findings}
    return OutcomeOut(
        **told,
        says=outcome.says,
        word=outcome.found.word,
        counted_at=outcome.counted_at,
        settled_at=outcome.settled_at,
    )
