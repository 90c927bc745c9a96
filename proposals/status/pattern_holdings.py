"""What few patterns have, and which of it this one has: one question instead of seven that mostly find nothing."""

from dataclasses import dataclass, fields
from typing import Final

from django.db import connection

from feedback.models import Pattern


@dataclass(frozen=True, slots=True)
class PatternHoldings:
    """Whether there is any of each.

    `merged` and `splits` are patterns merged into it and split off from it, `excluded` reports taken out of it,
    `rejected` are among its `proposals`; `shared` says that it is one with patterns of other agents.
    """

    merged: bool
    splits: bool
    excluded: bool
    proposals: bool
    rejected: bool
    shared: bool


_ASKED: Final = {
    "merged": "SELECT FROM feedback_pattern WHERE merged_into_id = %(pk)s",
    "splits": "SELECT FROM feedback_pattern WHERE split_from_id = %(pk)s",
    "excluded": "SELECT FROM feedback_exclusion WHERE lifted_at IS NULL AND patterns && ARRAY[%(pk)s]::bigint[]",
    "proposals": "SELECT FROM proposals_proposal WHERE pattern_id = %(pk)s",
    "rejected": "SELECT FROM proposals_proposal WHERE pattern_id = %(pk)s AND status = 'rejected'",
    "shared": "SELECT FROM feedback_sharedmember WHERE pattern_id = %(pk)s",
}
_QUESTION: Final = "SELECT " + ", ".join(f"EXISTS ({_ASKED[one.name]})" for one in fields(PatternHoldings))


def holdings(pattern: Pattern) -> PatternHoldings:
    """In one query, of an index each."""
    with connection.cursor() as cursor:
        cursor.execute(_QUESTION, {"pk": pattern.pk})
        return PatternHoldings(*cursor.fetchone())
