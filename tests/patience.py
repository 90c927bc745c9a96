"""Somebody who holds a table, and a connection that does not wait for it."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection


@contextmanager
def impatient(**limits: str) -> Iterator[None]:
    """This thread's connection, held to other limits."""
    with connection.cursor() as cursor:
        for name, value in limits.items():
            cursor.execute("SELECT set_config(%s, %s, false)", [name, value])
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ALL")


@contextmanager
def held(table: str) -> Iterator[None]:
    """Somebody else holds a table for themselves."""
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
        other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        yield
        other.rollback()
