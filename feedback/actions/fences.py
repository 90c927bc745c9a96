"""What is still open in the database: rows of a transaction that has not ended may yet become visible.

Keys become visible out of order. A mark therefore moves in strides: how far the table went is noted, and the mark moves
there once every transaction that may hold a row up to it has ended. Until then the same rows are looked at again.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.utils import timezone

SETTLED: Final = timedelta(seconds=30)
"""A key is drawn before its row has a transaction's number. Nothing stops between the two for as long."""

_OLDEST = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_OWN = "SELECT pg_current_xact_id()::text::bigint"


def pass_fence(noted_at: datetime | None, fence: int | None) -> tuple[int | None, bool]:
    """Whether every row up to the one noted then can be seen by the questions after this one, and the fence to keep.

    The fence is the number of the first transaction that asks SETTLED after the note: whoever drew a key before the
    note has a lower one by then.
    """
    if noted_at is None or noted_at > timezone.now() - SETTLED:
        return fence, False
    fence = _number(_OWN) if fence is None else fence
    return fence, fence <= _number(_OLDEST)


def _number(question: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return int(cursor.fetchone()[0])
