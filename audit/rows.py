"""Entries as they are stored, by the million."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.db import connection

from audit.chain import COLUMNS, Row

_BATCH: Final = 2_000
# The time as the body spells it; written out by the server, which is quicker than doing it here.
_AT: Final = """to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') || '+00:00'"""
_SELECT: Final = f"SELECT sequence, body, previous_hash, hash, {_AT}, {', '.join(COLUMNS[1:])} FROM audit_auditentry"  # noqa: S608 (constants)


def stored_rows(where: str = "", arguments: Sequence[Any] = ()) -> Iterator[Row]:
    """Entries in their order, those never sealed last. Streams; use it within a transaction.

    The driver's own cursor, in binary: the ORM would take more time over a row than hashing it does.
    """
    connection.ensure_connection()
    with connection.connection.cursor(name="audit_rows", binary=True) as cursor:
        cursor.itersize = _BATCH
        cursor.execute(f"{_SELECT} {where} ORDER BY sequence", arguments)
        yield from cursor
