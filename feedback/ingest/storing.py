"""Rows into the database: INSERT for a few, COPY for many, one commit for all that wait at the same time."""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from operator import attrgetter
from typing import Final

import msgspec
from django.db import DatabaseError, IntegrityError, OperationalError, connection

from agents.statements import copy_in, execute, fetch, once_more, records
from feedback.ingest.rows import Row

COMPANY_S: Final = 0.0002
WORTH_COPYING: Final = 200
"""Of a thousand rows COPY was measured quicker than INSERT, of a hundred it was not; in between this is a guess."""

_BACKSLASH: Final = b"\x01"
_SPELT: Final = ((b"\\n", b"\n"), (b"\\t", b"\t"), (b"\\r", b"\r"), (b"\\b", b"\b"), (b"\\f", b"\f"))
_lines: Final = msgspec.json.Encoder().encode_lines


class Outcome(Enum):
    """What became of a row."""

    CREATED = auto()
    DUPLICATE = auto()
    CONFLICT = auto()


@dataclass(frozen=True)
class Table:
    """A table of reports and the columns of its rows, with their SQL types, in the order of `Row.values`."""

    name: str
    columns: dict[str, str]
    insert: str = field(init=False)
    copy: str = field(init=False)
    find: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "insert", _insert_sql(self.name, self.columns))
        object.__setattr__(self, "copy", _copy_sql(self.name, self.columns))
        object.__setattr__(self, "find", _find_sql(self.name))


def _insert_sql(name: str, columns: dict[str, str]) -> str:
    """Of all ways to hand PostgreSQL a few rows in one statement, one jsonb array of arrays was measured quickest."""
    values = (f"(e->>{place})::{type_}" for place, type_ in enumerate(columns.values()))
    # Names are ours, from this file; values travel as one parameter.
    return (
        f"INSERT INTO {name} ({', '.join(columns)}) SELECT {', '.join(values)} "  # noqa: S608
        "FROM jsonb_array_elements($1::jsonb) e "
        "ON CONFLICT (agent_id, external_id) DO NOTHING RETURNING agent_id, external_id"
    )


def _copy_sql(name: str, columns: dict[str, str]) -> str:
    return f"COPY {name} ({', '.join(columns)}) FROM STDIN (FORMAT csv, NULL 'null', QUOTE '\"', ESCAPE '\\')"


def _find_sql(name: str) -> str:
    return (
        f"SELECT agent_id, external_id, digest::text FROM {name} "  # noqa: S608
        "WHERE (agent_id, external_id) IN (SELECT (k->>0)::bigint, k->>1 FROM jsonb_array_elements($1::jsonb) k)"
    )


_COMMON: Final = {
    "agent_id": "bigint",
    "key_id": "bigint",
    "external_id": "text",
    "digest": "bytea",
    "source": "bytea",
}
_SHARED: Final = {"version": "integer", "metadata": "jsonb", "at": "timestamptz", "masked": "jsonb"}

FEEDBACK: Final = Table(
    "feedback_feedback",
    {
        **_COMMON,
        "user_hash": "bytea",
        **_SHARED,
        "run_id": "text",
        "rating": "text",
        "reason_code": "text",
        "reason": "text",
        "correction": "text",
        "signals": "jsonb",
        "expected": "text",
        "predicted": "text",
        "input": "text",
        "output": "text",
        "edited_output": "text",
    },
)
RUNS: Final = Table(
    "feedback_run",
    {
        **_COMMON,
        "unit_hash": "bytea",
        **_SHARED,
        "document": "text",
        "task": "text",
        "tool": "text",
        "success": "boolean",
        "error": "text",
        "error_type": "text",
        "latency_ms": "double precision",
        "quality": "double precision",
        "cost_usd": "double precision",
        "model": "text",
        "input_hash": "text",
        "output_hash": "text",
    },
)


def store(table: Table, rows: Sequence[Row]) -> list[Outcome]:
    """Insert all rows or none; outside a transaction they are durable when this returns.

    The first row under an id is stored; a later one, in this or another call, is a DUPLICATE when its body is the same
    and a CONFLICT when not. Raises django.db.DatabaseError.
    """
    firsts: dict[tuple[int, str], Row] = {}
    for row in rows:
        firsts.setdefault((row.agent_id, row.external_id), row)
    created = _insert(table, firsts)
    if len(created) == len(rows):
        return [Outcome.CREATED] * len(rows)
    digests = {key: row.digest for key, row in firsts.items() if key in created}
    digests |= _stored_digests(table, [key for key in firsts if key not in created])
    return [_outcome(row, firsts, created, digests) for row in rows]


def _outcome(
    row: Row,
    firsts: dict[tuple[int, str], Row],
    created: Collection[tuple[int, str]],
    digests: dict[tuple[int, str], str],
) -> Outcome:
    key = (row.agent_id, row.external_id)
    if key in created and firsts[key] is row:
        return Outcome.CREATED
    return Outcome.DUPLICATE if digests[key] == row.digest else Outcome.CONFLICT


def _insert(table: Table, firsts: dict[tuple[int, str], Row]) -> Collection[tuple[int, str]]:
    """The keys of the rows that were new."""
    if not firsts:
        return ()
    # In one order for everybody: two lists with the same ids would else wait for each other's rows, a deadlock.
    rows = sorted(firsts.values(), key=attrgetter("agent_id", "external_id"))
    if len(rows) >= WORTH_COPYING and not connection.in_atomic_block and once_more(lambda: _copy(table, rows)):
        return firsts.keys()
    packed = msgspec.json.encode([row.values for row in rows])
    result = once_more(lambda: execute(table.insert, (packed,)))
    if result.ntuples == len(rows):  # as nearly always; reading them all back would cost as much as checking them did
        return firsts.keys()
    return {(int(agent or 0), external_id or "") for agent, external_id in records(result)}


def _copy(table: Table, rows: Sequence[Row]) -> bool:
    """Store all rows by COPY, half the work of INSERT for PostgreSQL; False, and nothing stored, if one id is known.

    A list with known ids is a retry, which is rare; what COPY wrote of it before it failed is left to the vacuum.
    """
    text = _csv(rows)
    if text is None:
        return False
    try:
        copy_in(table.copy, text)
    except IntegrityError:
        return False
    return True


def _csv(rows: Sequence[Row]) -> bytes | None:
    """Rows as CSV, made from their JSON; None where some text holds a control character that JSON spells by number.

    Putting values together one by one would cost several times as much. JSON and our CSV differ in the brackets and in
    the spelling of control characters. JSON itself has line ends between the rows only and no other control characters.
    """
    lines = _lines([row.values for row in rows]).split(b"\n")
    text = b"\n".join([line[1:-1] for line in lines]).replace(b"\\\\", _BACKSLASH)
    if b"\\" in text:
        if b"\\u" in text:
            return None
        for spelt, character in _SPELT:
            text = text.replace(spelt, character)
    return text.replace(_BACKSLASH, b"\\\\")


def _stored_digests(table: Table, keys: list[tuple[int, str]]) -> dict[tuple[int, str], str]:
    if not keys:
        return {}
    found = once_more(lambda: fetch(table.find, (msgspec.json.encode(keys),)))
    return {(int(agent or 0), external_id or ""): digest or "" for agent, external_id, digest in found}


class _Ticket:
    """One row in the queue, and the thread that waits for it."""

    __slots__ = ("error", "group", "outcome", "row", "woken")

    def __init__(self, row: Row) -> None:
        self.row = row
        self.outcome: Outcome | None = None
        self.error: DatabaseError | None = None
        self.group: list[_Ticket] = []
        """Handed over with the lead: what to write."""
        self.woken = threading.Lock()
        self.woken.acquire()


class GroupCommit:
    """Lets requests that arrive at the same time share one statement and one commit.

    While one group is being written, those who come queue up; the writer then hands the whole queue, as the next group,
    to the first in it, and only after that wakes its own. Alone, a row is written at once; after a group of several,
    the next writer waits COMPANY_S for those just answered to come back, which saves commits and the
    work that goes with them. Each caller is woken once, and returns only after its row's commit.
    """

    def __init__(self, write: Callable[[list[Row]], list[Outcome]]) -> None:
        self._write = write
        self._guard = threading.Lock()
        self._is_writing = False
        self._was_shared = False
        self._waiting: list[_Ticket] = []

    def store(self, row: Row) -> Outcome:
        """Durable when it returns. Raises django.db.DatabaseError."""
        ticket = _Ticket(row)
        with self._guard:
            if self._is_writing:
                self._waiting.append(ticket)
            else:
                self._is_writing = True
                ticket.group = [ticket]
        if not ticket.group:
            ticket.woken.acquire()
        if ticket.group:
            self._lead(ticket.group)
        if ticket.error is not None:
            raise ticket.error
        if ticket.outcome is None:
            raise AssertionError("a ticket left without an outcome")
        return ticket.outcome

    def _lead(self, group: list[_Ticket]) -> None:
        if self._was_shared or len(group) > 1:
            time.sleep(COMPANY_S)
            with self._guard:
                group += self._waiting
                self._waiting = []
        self._was_shared = len(group) > 1
        try:
            self._write_group(group)
        finally:
            self._hand_over()
            for ticket in group[1:]:
                ticket.woken.release()

    def _hand_over(self) -> None:
        with self._guard:
            group, self._waiting = self._waiting, []
            self._is_writing = bool(group)
        if group:
            group[0].group = group
            group[0].woken.release()

    def _write_group(self, group: list[_Ticket]) -> None:
        try:
            outcomes = self._write([ticket.row for ticket in group])
        except DatabaseError as error:
            self._one_by_one(group, error)
        else:
            for ticket, outcome in zip(group, outcomes, strict=True):
                ticket.outcome = outcome

    def _one_by_one(self, group: list[_Ticket], error: DatabaseError) -> None:
        """One bad row must not take the others with it."""
        for ticket in group:
            if len(group) == 1 or isinstance(error, OperationalError):
                ticket.error = error
                continue
            try:
                ticket.outcome = self._write([ticket.row])[0]
            except DatabaseError as own:
                ticket.error = own
