"""Hand-written SQL for the calls that are made all the time, on the connection Django keeps for this thread.

It goes to libpq directly: for statements of a tenth of a millisecond, the cursor's own work would be half the cost.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

import psycopg
from django.db import InterfaceError, OperationalError, connection
from psycopg import errors, pq
from psycopg.sql import Literal

T = TypeVar("T")
Record = tuple[str | None, ...]

_ENDED: Final = frozenset({"57014", "55P03", "25P03"})
"""PostgreSQL's codes for a statement cancelled, a lock not had in time, a transaction idle for too long."""

_prepared: Final[WeakKeyDictionary[psycopg.Connection[Any], dict[str, bytes]]] = WeakKeyDictionary()
"""The names of the statements each connection has prepared. A connection belongs to one thread."""


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


def took_too_long(error: BaseException | None) -> bool:
    """Whether PostgreSQL ended it by one of its limits of time; `error` is Django's."""
    return getattr(getattr(error, "__cause__", None), "sqlstate", None) in _ENDED


def execute(sql: str, parameters: Sequence[bytes]) -> pq.abc.PGresult:
    """Run one prepared statement ($1, $2, … for parameters, as PostgreSQL's text in UTF-8).

    Outside a transaction it commits by itself; within one it is part of it.
    Raises django.db.DatabaseError or InterfaceError.
    """
    with connection.wrap_database_errors:
        raw = _raw()
        result = raw.pgconn.exec_prepared(_name(raw, sql), parameters)
        _check(raw, result)
        return result


def copy_in(sql: str, text: bytes) -> None:
    """Run one COPY … FROM STDIN over rows written as the statement says; all of them are stored or none.

    Raises django.db.DatabaseError or InterfaceError.
    """
    with connection.wrap_database_errors, _raw().cursor() as cursor, cursor.copy(sql.encode()) as copy:
        copy.write(text)


def records(result: pq.abc.PGresult) -> list[Record]:
    """The rows of a result, every value as PostgreSQL's text."""
    columns = range(result.nfields)
    return [tuple(_text(result.get_value(row, column)) for column in columns) for row in range(result.ntuples)]


def fetch(sql: str, parameters: Sequence[bytes]) -> list[Record]:
    """As `execute`, and the rows of its result."""
    return records(execute(sql, parameters))


def ask(sql: str, types: Mapping[str, str], parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a long question that every page asks; PostgreSQL plans it once for each connection.

    Parameters stand in it as “%(name)s”; `types` has PostgreSQL's type of those that differ from call to call. The few
    values that others take are written into it, so that one plan is as good as another and PostgreSQL keeps it.
    Raises django.db.DatabaseError.
    """
    used = [name for name in types if f"%({name})s" in sql]
    marks = {name: f"${place}::{types[name]}" for place, name in enumerate(used, start=1)}
    written = {name: Literal(value).as_string() for name, value in parameters.items() if name not in types}
    with connection.wrap_database_errors:
        prepared = _name(_raw(), sql % (marks | written)).decode()
    values = f"({', '.join(['%s'] * len(used))})" if used else ""
    with connection.cursor() as cursor:
        cursor.execute(f"EXECUTE {prepared}{values}", [parameters[name] for name in used])
        return cursor.fetchall()


def _raw() -> psycopg.Connection[Any]:
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    if not raw.autocommit and raw.pgconn.transaction_status == pq.TransactionStatus.IDLE:
        raw.execute("SELECT")  # past the cursor nobody would begin the transaction that Django believes it is in
    return raw


def _name(raw: psycopg.Connection[Any], sql: str) -> bytes:
    names = _prepared.setdefault(raw, {})
    if sql not in names:
        name = f"countersign_{len(names)}".encode()
        _check(raw, raw.pgconn.prepare(name, sql.encode()))
        names[sql] = name
    return names[sql]


def _check(raw: psycopg.Connection[Any], result: pq.abc.PGresult) -> None:
    if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
        if raw.pgconn.status == pq.ConnStatus.BAD:  # what libpq itself says of a lost server has no code to know it by
            raise psycopg.OperationalError(raw.pgconn.get_error_message())
        raise errors.error_from_result(result, encoding=raw.info.encoding)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def _is_dead() -> bool:
    raw = connection.connection
    return raw is None or raw.closed or raw.pgconn.status == pq.ConnStatus.BAD
