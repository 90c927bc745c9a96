"""What is still open in the database: rows of a transaction that has not ended may yet become visible."""

from django.db import connection

_OLDEST = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_OWN = "SELECT pg_current_xact_id()::text::bigint"


def oldest_open() -> int:
    """The number of the oldest transaction that writes and has not ended; this one's, where it is that."""
    return number(_OLDEST)


def own_number() -> int:
    """The number of this transaction. Those that had one before it began to write have lower ones."""
    return number(_OWN)


def number(question: str) -> int:
    """What a question of one number says."""
    with connection.cursor() as cursor:
        cursor.execute(question)
        return int(cursor.fetchone()[0])
