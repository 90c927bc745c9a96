"""Hand-written SQL for the calls that are made all the time, on the connection Django keeps for this thread."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import psycopg
from django.db import InterfaceError, OperationalError, connection
from psycopg.rows import tuple_row

T = TypeVar("T")

_PREPARE_AT_ONCE: Final = 0


def once_more(call: Callable[[], T]) -> T:
    """Do it; if the connection turns out to be dead (a restarted server), open a new one and do it once more.

    Only for what does no harm when done twice. Raises django.db.DatabaseError or InterfaceError.
    """
    try:
        return call()
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block or not _is_dead():
            raise
        connection.close()
        return call()


def fetch(sql: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
    """Run one prepared statement and return its rows; outside a transaction it commits by itself.

    Raises django.db.DatabaseError or InterfaceError.
    """
    with connection.wrap_database_errors, psycopg.Cursor(_raw(), row_factory=tuple_row) as cursor:
        return cursor.execute(sql.encode(), parameters, prepare=True).fetchall()


def _raw() -> psycopg.Connection[Any]:
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    raw.prepare_threshold = _PREPARE_AT_ONCE
    return raw


def _is_dead() -> bool:
    return connection.connection is None or connection.connection.closed
