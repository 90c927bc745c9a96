"""Locks by which miners and those who regroup patterns by hand keep out of each other's way.

All but `one_long_task` end with the transaction. Whoever needs several takes them in this order: one_miner, rows of
reports, regroup or hold_groups, rows of patterns by their keys, rows that belong to patterns.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def one_long_task() -> Iterator[bool]:
    """Whether this is the only long task there is now: a worker is never filled with them, so that short ticks, and
    the watch over rollouts among them, find it free. Ends with the block, or with the connection of who died.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('feedback.long'), 0)")
        (got,) = cursor.fetchone()
    try:
        yield got
    finally:
        if got:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext('feedback.long'), 0)")


def one_miner(agent_id: int) -> None:
    """Two miners would both make a new group of the same first item."""
    _lock("pg_advisory_xact_lock", "feedback.mining", agent_id)


def regroup(agent_id: int) -> None:
    """Nobody mines, and nobody takes evidence away, while evidence moves from one pattern to another."""
    one_miner(agent_id)
    _lock("pg_advisory_xact_lock", "feedback.groups", agent_id)


def hold_groups(agent_id: int) -> None:
    """No evidence moves from one pattern to another; several may hold this at once, and miners go on."""
    _lock("pg_advisory_xact_lock_shared", "feedback.groups", agent_id)


def _lock(function: str, name: str, agent_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtext(%s), %s)", [name, agent_id])
