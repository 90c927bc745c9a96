"""python -m bench.pages [--rounds N] [--only WORD] [--open]: fills a large board, asks for every page, prints a table.

Server time runs from a request's arrival in the program to the last byte of its answer, compressing included. Weights
are on the wire, with headers; the first visit adds style, scripts, icon and font. `!` marks what breaks a limit. On a
machine that has other work, the least is nearest to what the page itself takes. Before each page a fixed piece of
Python is timed: runs are compared by how long that took.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.board import ROOT, Board
from bench.pages.visit import Page, Visitor

MOST_MS, MOST_BYTES = 60.0, 100_000
YARD = 20_000
MIX, ALL_OPEN = "board", "open"
TITLES = {
    MIX: "10 000 proposals, 500 of them open",
    ALL_OPEN: "19 500 proposals, 10 000 of them open",
}


class LargeBoard(Board):
    """The same servers, with much to show, and answers that say how long they took."""

    def serve(self) -> None:
        self.manage("collectstatic", "--noinput", "--verbosity", "0")
        self.made = self.fill(MIX)
        self.port = self.web("web", "bench.pages.timed:application")

    def fill(self, what: str) -> Any:
        """Add to the database; what to ask for afterwards."""
        started = time.perf_counter()
        env = self.env | {"DJANGO_SETTINGS_MODULE": "reviewapp.settings"}
        argv = [sys.executable, "-m", "bench.pages.fill", what]
        done = subprocess.run(argv, env=env, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE)
        print(f"Filled in {time.perf_counter() - started:.0f} s: {TITLES[what]}.", flush=True)
        return json.loads(done.stdout)


def main() -> None:
    """Run both measurements."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="how often each page is asked for")
    parser.add_argument("--only", default="", help="only pages with this in their name")
    parser.add_argument("--open", action="store_true", help="also with 10 000 open proposals")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="countersign-pages-") as folder, LargeBoard(Path(folder)) as board:
        show(TITLES[MIX], *measure(board.port, board.made, options.rounds, options.only))
        if options.open:
            made = board.fill(ALL_OPEN)
            show(TITLES[ALL_OPEN], *measure(board.port, made, options.rounds, options.only))


def measure(port: int, made: Any, rounds: int, only: str = "") -> tuple[list[Page], list[float]]:
    """Every page, after a round that warms the processes up, and the yardstick before each."""
    pages, yards = [], []
    for role, addresses in made["addresses"].items():
        visitor = Visitor(port, made["sessions"].get(role, ""))
        wanted = {name: several for name, several in addresses.items() if only in name and several}
        for several in wanted.values():
            visitor.visit("", several[:1], 1)
        for name, several in wanted.items():
            yards.append(yardstick())
            pages.append(visitor.visit(name, several, rounds))
    return pages, yards


def yardstick() -> float:
    """Milliseconds of the processor that a fixed piece of Python takes: how quick the machine is just now."""
    began, kept = time.thread_time(), {}
    for number in range(YARD):
        kept[number % 100] = "".join(("a", str(number)))
    return (time.thread_time() - began) * 1e3


def show(title: str, pages: Sequence[Page], yards: Sequence[float]) -> None:
    """Print the table."""
    print(
        f"\n{title}\n{'':38}{'least ms':>9}{'p50 ms':>8}{'p95 ms':>10}{'python':>8}{'database':>9}"
        f"{'queries':>8}{'bytes':>9}{'first visit':>13}"
    )
    for page in pages:
        python, database = (sum(values) / len(values) for values in (page.python, page.database))
        print(
            f"{page.name:38}{min(page.took):9.1f}"
            f"{page.p50:8.1f}{_mark(page.p50 > MOST_MS)}{page.p95:9.1f}{_mark(page.p95 > MOST_MS)}"
            f"{python:7.1f}{database:9.1f}{page.asked:8}{page.size:9,}"
            f"{page.first_visit:12,}{_mark(page.first_visit > MOST_BYTES)}"
            f"{f' status {page.status}' if page.status != 200 else ''}"
        )
    slow, at_times, large = (
        sum(broken)
        for broken in zip(*((p.p50 > MOST_MS, p.p95 > MOST_MS, p.first_visit > MOST_BYTES) for p in pages), strict=True)
    )
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(
        f"Of {len(pages)} pages {slow} are too slow at the median and {at_times} at p95, {large} too large. "
        f"{os.cpu_count()} cores, PostgreSQL and visitor on them; load {load}. "
        f"A fixed piece of Python took {min(yards):.1f} ms at least, {median(yards):.1f} at the median.",
        flush=True,
    )


def _mark(breaks: bool) -> str:
    return "!" if breaks else " "


if __name__ == "__main__":
    main()
