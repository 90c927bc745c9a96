"""python -m bench.steady [--seconds N] [--rate N]: how long calls take at a steady pace, and when far too many come.

Calls are due at fixed times, whether or not those before are answered, and are timed from when they were due. No
worker and no scheduler runs; in the end Valkey is stopped as well. `!` marks what breaks a limit; exits with 1 if
anything does.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.board import Board
from bench.measures import INSTRUCTIONS, Bench, run_job

CONNECTIONS: Final = 32
CROWD: Final = 1_000
"""Connections that report as fast as they can, all at once."""

MANY: Final = 200
"""Connections that find out how much can be stored; more only wait longer."""

TOO_FAST: Final = 2
"""Times what the board can store."""

ENOUGH: Final = 8_000
"""More reports a second than any board on a laptop stores."""

WARM_UP_S: Final = 2.0


@dataclass(frozen=True)
class Line:
    """One kind of call at one pace: what came back, milliseconds, and what it may take at p99."""

    name: str
    found: dict[str, Any]
    allowed: frozenset[str]
    limit_ms: float | None = None

    @property
    def faults(self) -> list[str]:
        """What does not hold."""
        wrong = set(self.found["statuses"]) - self.allowed
        return [
            *([f"answered {', '.join(sorted(wrong))}"] if wrong else []),
            *([f"{self.found['unsaid']} without Retry-After"] if self.found["unsaid"] else []),
            *([f"over {self.limit_ms:.0f} ms"] if self.limit_ms and self.found["p99"] > self.limit_ms else []),
        ]


def main() -> None:
    """Measure, print, and say by the exit status whether all holds."""
    parser = argparse.ArgumentParser(prog="python -m bench.steady", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="how long each pace is kept")
    parser.add_argument("--rate", type=float, default=200.0, help="calls a second")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="countersign-steady-") as folder, Board(Path(folder)) as board:
        sys.exit(show(measure(board, options.rate, options.seconds)))


def measure(board: Board, rate: float, seconds: float) -> Iterator[Line]:
    """Line by line, as they are taken."""
    bench = Bench(board, WARM_UP_S)
    reads = {
        "GET instructions": ([bench.read(INSTRUCTIONS)], frozenset({"200"}), 50.0),
        "GET instructions, unchanged": ([bench.read(INSTRUCTIONS, bench.etag())], frozenset({"304"}), 15.0),
    }
    posts = iter(lambda: bench.post(1), "")
    paced = {"port": board.port, "connections": CONNECTIONS, "rate": rate, "seconds": seconds}
    for name, (requests, allowed, limit) in reads.items():
        yield Line(name, _keep(paced, requests), allowed, limit)
    needed = int(rate * (seconds + WARM_UP_S))
    yield Line("POST feedback", _keep(paced, [next(posts) for _ in range(needed)]), frozenset({"201"}), 150.0)
    yield from _crowded(bench, posts, paced)
    board.stop_valkey()
    for name, (requests, allowed, limit) in reads.items():
        yield Line(f"{name}, Valkey dead", _keep(paced, requests), allowed, limit)


def _keep(paced: dict[str, Any], requests: list[str]) -> dict[str, Any]:
    """At this pace, after a few seconds that are not counted; no request is sent twice unless there is but one."""
    warm, rest = int(paced["rate"] * WARM_UP_S), requests
    if len(requests) > 1:
        requests, rest = requests[:warm], requests[warm:]
    run_job("bench.pace", **{**paced, "seconds": WARM_UP_S, "requests": requests})
    return run_job("bench.pace", **{**paced, "requests": rest})


def _crowded(bench: Bench, posts: Iterator[str], paced: dict[str, Any]) -> Iterator[Line]:
    """Twice as many reports as can be stored, and somebody who reads instructions meanwhile."""
    rate, seconds = TOO_FAST * _most(bench, posts, paced["port"]), min(10.0, paced["seconds"])
    crowd = {**paced, "connections": CROWD, "rate": rate, "seconds": seconds}
    crowd["requests"] = [next(posts) for _ in range(int(rate * seconds))]
    reader = {**paced, "connections": 4, "rate": 20.0, "seconds": seconds, "requests": [bench.read(INSTRUCTIONS)]}
    with ThreadPoolExecutor(2) as pool:
        told, read = pool.map(lambda job: run_job("bench.pace", **job), (crowd, reader))
    yield Line(f"POST feedback, {rate:,.0f} a second", told, frozenset({"201", "429", "503"}), 2_000.0)
    yield Line("GET instructions, meanwhile", read, frozenset({"200"}))


def _most(bench: Bench, posts: Iterator[str], port: int) -> float:
    """How many reports a second are stored when as many come as can; those turned away do not count."""
    requests = [next(posts) for _ in range(int(bench.seconds * ENOUGH))]
    found = run_job("bench.load", port=port, connections=MANY, seconds=bench.seconds, requests=requests)
    return float(found["statuses"]["201"] / found["seconds"])


def show(lines: Iterator[Line]) -> int:
    """Print each as it comes; 1 if anything breaks a limit."""
    print(f"{'':38}{'calls':>8}{'p50 ms':>9}{'p99 ms':>9}{'most':>9}  answered", flush=True)
    broken = 0
    for line in lines:
        found = line.found
        times = "".join(f"{found[name]:9.1f}" for name in ("p50", "p99", "most"))
        told = ", ".join(f"{count:,} × {status}" for status, count in sorted(found["statuses"].items()))
        faults = "; ".join(line.faults)
        print(f"{line.name:38}{found['count']:8,}{times}  {told}{f'  ! {faults}' if faults else ''}", flush=True)
        broken += bool(faults)
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{os.cpu_count()} cores, with generator and PostgreSQL on them; load {load} over 1, 5 and 15 minutes.")
    return int(broken > 0)


if __name__ == "__main__":
    main()
