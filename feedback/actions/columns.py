"""Many rows to and from the database at little cost for each: as columns, in PostgreSQL's own binary form."""

from collections.abc import Collection, Sequence
from typing import Any

import psycopg
from django.db import connection


def run(sql: str, rows: Collection[Sequence[Any]], *first: Any) -> list[tuple[Any, ...]]:
    """Run a statement over rows, whose columns it takes as one array each (%s), after its `first` parameters.

    Returns what it returns; nothing is run for no rows. Raises django.db.DatabaseError.
    """
    if not rows:
        return []
    with connection.wrap_database_errors, _cursor() as cursor:
        cursor.execute(sql.encode(), [*first, *(list(column) for column in zip(*rows, strict=True))])
        return cursor.fetchall() if cursor.description else []


def read(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows of a question. Raises django.db.DatabaseError."""
    with connection.wrap_database_errors, _cursor() as cursor:
        return cursor.execute(sql.encode(), parameters, binary=True).fetchall()


def copy(table: str, types: dict[str, str], rows: Collection[Sequence[Any]]) -> None:
    """Store rows whose columns are of these PostgreSQL types. Raises django.db.DatabaseError."""
    if not rows:
        return
    sql = f"COPY {table} ({', '.join(types)}) FROM STDIN (FORMAT BINARY)"
    with connection.wrap_database_errors, _cursor() as cursor, cursor.copy(sql.encode()) as sink:
        sink.set_types(list(types.values()))
        for row in rows:
            sink.write_row(row)


def _cursor() -> psycopg.Cursor[tuple[Any, ...]]:
    """One that binds on the server, as Django's own does not: bytes are then sent as they are."""
    connection.ensure_connection()
    return psycopg.Cursor(connection.connection)
