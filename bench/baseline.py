"""What PostgreSQL does with the same rows when nothing stands before it: COPY, and single-row commits.

Reads a job as JSON from standard input: {"url", "connections", "seconds", "columns", "rows": [[text or null, …], …]}
and "size": 0 for one INSERT and one commit a row, n for COPY of n rows a time, one commit each. The rows are those the
program itself stored, their ids replaced. Prints {"count", "seconds", "p50", "p99"}; count is in rows.
"""

import json
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import sql

TABLE = sql.Identifier("feedback_feedback")
Row = list[str | None]


def main() -> None:
    """Run the job on standard input."""
    job = json.load(sys.stdin)
    took: list[float] = []
    ready = threading.Barrier(job["connections"] + 1)
    threads = [threading.Thread(target=_drive, args=(job, ready, took)) for _ in range(job["connections"])]
    for thread in threads:
        thread.start()
    ready.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    took.sort()
    count = len(took) * max(1, job["size"])
    p50, p99 = took[len(took) // 2] * 1e3, took[len(took) * 99 // 100] * 1e3
    print(json.dumps({"count": count, "seconds": seconds, "p50": p50, "p99": p99}))


def _drive(job: dict[str, Any], ready: threading.Barrier, took: list[float]) -> None:
    with psycopg.connect(job["url"], autocommit=True) as connection:
        once = _copying(job, connection) if job["size"] else _inserting(job, connection)
        once()
        ready.wait()
        until = time.perf_counter() + job["seconds"]
        own: list[float] = []
        while (started := time.perf_counter()) < until:
            own.append(once() - started)
        took += own


def _inserting(job: dict[str, Any], connection: psycopg.Connection[Any]) -> Callable[[], float]:
    """One row, one statement prepared beforehand, one commit; returns when it was done."""
    places = sql.SQL(", ").join(sql.Placeholder() for _ in job["columns"])
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(TABLE, _names(job["columns"]), places)
    text = statement.as_string(connection).encode()
    cursor = connection.cursor()
    place = job["columns"].index("external_id")
    rows = job["rows"]
    state = iter(range(10**12))

    def once() -> float:
        row = _fresh(rows[next(state) % len(rows)], place)
        cursor.execute(text, row, prepare=True)
        return time.perf_counter()

    return once


def _copying(job: dict[str, Any], connection: psycopg.Connection[Any]) -> Callable[[], float]:
    """`size` rows by one COPY; the text is ready, only the ids are new each time."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(TABLE, _names(job["columns"]))
    place = job["columns"].index("external_id")
    marked = [[*row[:place], "{}", *row[place + 1 :]] for row in (job["rows"] * job["size"])[: job["size"]]]
    halves = ["\t".join(_escaped(value) for value in row).split("{}", 1) for row in marked]
    cursor = connection.cursor()

    def once() -> float:
        stem = uuid.uuid4().hex
        data = "".join(f"{before}{stem}{number}{after}\n" for number, (before, after) in enumerate(halves)).encode()
        with cursor.copy(statement) as copy:
            copy.write(data)
        return time.perf_counter()

    return once


def _fresh(row: Row, place: int) -> Row:
    return [*row[:place], uuid.uuid4().hex, *row[place + 1 :]]


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(column) for column in columns)


def _escaped(value: str | None) -> str:
    if value is None:
        return "\\N"
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


if __name__ == "__main__":
    main()
