"""What is measured, and beside what."""

import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import psycopg
from psycopg import sql

from bench.board import ROOT, Board
from feedback.ingest.storing import FEEDBACK

REPORT = {
    "rating": "negative",
    "reason_code": "outdated",
    "reason": "It says refunds take thirty days; since March it is fourteen, and the order page says so too.",
    "correction": "Refunds are possible within fourteen days of delivery.",
    "input": "How long do I have to send this back?",
    "output": "You can return it within thirty days of purchase.",
    "run_id": "run-2041",
    "version": 1,
    "signals": {"regenerated": True},
}
CONNECTIONS = 8
INSTRUCTIONS = "/api/v1/agents/support/instructions/system-prompt"


@dataclass(frozen=True)
class Figure:
    """One line of the table: per second (median, least and most of the rounds), latencies in milliseconds, and the
    share of what it is held against: the median of the rounds' own shares, each taken within seconds of the other."""

    name: str
    unit: str
    rate: float
    least: float
    most: float
    p50: float
    p99: float
    against: str = ""
    ratio: float | None = None
    target: float | None = None


Taker = Callable[[], dict[str, Any]]


def measure(board: Board, *, seconds: float, rounds: int) -> list[Figure]:
    """All figures. Each is taken `rounds` times, soon after what it is held against: a slow minute hits both."""
    bench = Bench(board, seconds)
    bench.write(1, 1)  # a first row, whose like the baselines write
    bench.stored = bench.read_back()
    takers: dict[str, tuple[str, Taker]] = {
        "bare INSERT and commit, 8 connections": ("rows", lambda: bench.bare(0, CONNECTIONS)),
        "POST /feedback, one each, 8 connections": ("rows", lambda: bench.write(1, CONNECTIONS)),
        "bare COPY of 100, 1 connection": ("rows", lambda: bench.bare(100, 1)),
        "POST /feedback, lists of 100, 1 connection": ("rows", lambda: bench.write(100, 1)),
        "bare COPY of 1000, 1 connection": ("rows", lambda: bench.bare(1000, 1)),
        "POST /feedback, lists of 1000, 1 connection": ("rows", lambda: bench.write(1000, 1)),
        "bare COPY of 1000, 8 connections": ("rows", lambda: bench.bare(1000, CONNECTIONS)),
        "POST /feedback, lists of 1000, 8 connections": ("rows", lambda: bench.write(1000, CONNECTIONS)),
        "a Django view that returns a constant": ("reads", lambda: bench.get("/constant", board.constant_port)),
        "GET instructions, 200": ("reads", lambda: bench.get(INSTRUCTIONS, board.port)),
        "GET instructions, 304": ("reads", lambda: bench.get(INSTRUCTIONS, board.port, bench.etag())),
    }
    bench.warm_up(list(takers.values()))
    taken: dict[str, list[dict[str, Any]]] = {name: [] for name in takers}
    for _ in range(rounds):
        for name, (_unit, take) in takers.items():
            taken[name].append(take())
    return [_figure(name, takers[name][0], taken) for name in takers]


_HELD_AGAINST = {
    "POST /feedback, one each, 8 connections": ("bare INSERT and commit, 8 connections", 0.5),
    "POST /feedback, lists of 100, 1 connection": ("bare COPY of 100, 1 connection", None),
    "POST /feedback, lists of 1000, 1 connection": ("bare COPY of 1000, 1 connection", 0.5),
    "POST /feedback, lists of 1000, 8 connections": ("bare COPY of 1000, 8 connections", None),
    "GET instructions, 200": ("a Django view that returns a constant", 0.8),
    "GET instructions, 304": ("a Django view that returns a constant", 0.8),
}


def _figure(name: str, unit: str, taken: dict[str, list[dict[str, Any]]]) -> Figure:
    rates = _rates(taken[name])
    p50, p99 = (median(one[key] for one in taken[name]) for key in ("p50", "p99"))
    against, target = _HELD_AGAINST.get(name, ("", None))
    shares = [ours / bare for ours, bare in zip(rates, _rates(taken[against]), strict=True)] if against else []
    ratio = median(shares) if shares else None
    return Figure(name, unit, median(rates), min(rates), max(rates), p50, p99, against, ratio, target)


def _rates(taken: list[dict[str, Any]]) -> list[float]:
    return [one["count"] / one["seconds"] for one in taken]


class Bench:
    """What can be taken from a board, and what is sent for it."""

    def __init__(self, board: Board, seconds: float) -> None:
        self.board = board
        self.seconds = seconds
        self.stored: list[list[str | None]] = []

    def warm_up(self, takers: list[tuple[str, Taker]]) -> None:
        """Take all once, briefly, for nothing: every thread then has its connection and every statement its plan."""
        seconds, self.seconds = self.seconds, 0.5
        for _unit, take in takers:
            take()
        self.seconds = seconds

    def write(self, size: int, connections: int) -> dict[str, Any]:
        """Reports of one or in lists, each with an id of its own, from fifty users."""
        length = {1: 16_000, 100: 1_000}.get(size, 150)
        requests = [self.post(size) for _ in range(length)]
        found = self._job("bench.load", port=self.board.port, connections=connections, requests=requests)
        _expect(found, {"201", "207"})
        return found | {"count": found["count"] * size}

    def get(self, path: str, port: int, etag: str = "") -> dict[str, Any]:
        """The same read again and again."""
        requests = [self.read(path, etag)] * CONNECTIONS
        found = self._job("bench.load", port=port, connections=CONNECTIONS, requests=requests, again=1)
        _expect(found, {"304" if etag else "200"})
        return found

    def read(self, path: str, etag: str = "") -> str:
        """A request that reads, with what it has already."""
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.board.key}\r\n"
        return head + (f"If-None-Match: {etag}\r\n" if etag else "") + "\r\n"

    def bare(self, size: int, connections: int) -> dict[str, Any]:
        """The same rows without us."""
        columns = list(FEEDBACK.columns)
        job = {"url": self.board.url, "size": size, "columns": columns, "rows": self.stored}
        return self._job("bench.baseline", connections=connections, **job)

    def etag(self) -> str:
        with psycopg.connect(self.board.url) as connection:
            row = connection.execute("SELECT id, sha256 FROM agents_version ORDER BY id LIMIT 1").fetchone()
        assert row
        return f'"{row[0]}-{row[1]}"'

    def read_back(self) -> list[list[str | None]]:
        """Some of the rows the program stored, as text, column by column."""
        columns = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in FEEDBACK.columns)
        query = sql.SQL("SELECT {} FROM feedback_feedback LIMIT 100").format(columns)
        with psycopg.connect(self.board.url) as connection:
            rows = connection.execute(query).fetchall()
        return [list(row) for row in rows]

    def post(self, size: int) -> str:
        """A request that hands in so many new reports."""
        reports = [{"id": uuid.uuid4().hex, "user": f"user-{number % 50}", **REPORT} for number in range(size)]
        body = json.dumps(reports[0] if size == 1 else reports, separators=(",", ":"))
        return (
            "POST /api/v1/feedback HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {self.board.key}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def _job(self, module: str, **job: Any) -> dict[str, Any]:
        return run_job(module, seconds=self.seconds, **job)


def run_job(module: str, **job: Any) -> dict[str, Any]:
    """What a generator of its own process found. Raises CalledProcessError."""
    done = subprocess.run(
        [sys.executable, "-m", module],
        input=json.dumps(job),
        cwd=ROOT,
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _expect(found: dict[str, Any], statuses: set[str]) -> None:
    assert set(found["statuses"]) <= statuses, found["statuses"]
