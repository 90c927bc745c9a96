"""Hand-written SQL for the calls that are made all the time, on the connection Django keeps for this thread."""

from collections.abc import Sequence
from typing import Any, Final

import psycopg
from django.db import OperationalError, connection
from psycopg.rows import tuple_row

_PREPARE_AT_ONCE: Final = 0


def fetch(sql: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
    """Run one prepared statement and return its rows; outside a transaction it commits by itself.

    If the connection turns out to be dead (a restarted server), it is opened anew and the statement runs once more, so
    it must be one that does no harm twice. Raises django.db.DatabaseError.
    """
    with connection.wrap_database_errors:
        try:
            return _fetch(sql, parameters)
        except psycopg.OperationalError:
            if connection.in_atomic_block or not _is_dead():
                raise
            connection.close()
            return _fetch(sql, parameters)


def _fetch(sql: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
    raw = _raw()
    with psycopg.Cursor(raw, row_factory=tuple_row) as cursor:
        return cursor.execute(sql.encode(), parameters, prepare=True).fetchall()


def _raw() -> psycopg.Connection[Any]:
    connection.ensure_connection()
    raw: psycopg.Connection[Any] | None = connection.connection
    if raw is None:
        raise OperationalError("no connection")
    raw.prepare_threshold = _PREPARE_AT_ONCE
    return raw


def _is_dead() -> bool:
    return connection.connection is None or connection.connection.closed
