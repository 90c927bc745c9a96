"""python -m bench.pages [--rounds N] [--only WORD] [--open]: fills a large board, asks for every page, prints a table.

Server time runs from a request's arrival in the program to the last byte of its answer, compressing included. Weights
are on the wire, with headers; the first visit adds style, scripts, icon and font. `!` marks what breaks a limit. On a
machine that has other work, or whose host has, times tell little by themselves. So a fixed piece of Python is timed
before and after each request; a request is undisturbed where neither took more than half as long again as the quickest
of all, and those requests have a median of their own. Where they are few, a page is asked for more often.
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
from bench.pages.visit import DISTURBED, ENOUGH, Page, Visitor

MOST_MS, MOST_BYTES = 60.0, 100_000
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
    parser.add_argument("--rounds", type=int, default=20, help="how often each page is asked for, at least")
    parser.add_argument("--only", default="", help="only pages with this in their name")
    parser.add_argument("--open", action="store_true", help="also with 10 000 open proposals")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="countersign-pages-") as folder, LargeBoard(Path(folder)) as board:
        show(TITLES[MIX], measure(board.port, board.made, options.rounds, options.only))
        if options.open:
            made = board.fill(ALL_OPEN)
            show(TITLES[ALL_OPEN], measure(board.port, made, options.rounds, options.only))


def measure(port: int, made: Any, rounds: int, only: str = "") -> list[Page]:
    """Every page, after a round that warms the processes up."""
    pages = []
    for role, addresses in made["addresses"].items():
        visitor = Visitor(port, made["sessions"].get(role, ""))
        wanted = {name: several for name, several in addresses.items() if only in name and several}
        for several in wanted.values():
            visitor.visit("", several[:1], 1)
        for name, several in wanted.items():
            pages.append(visitor.visit(name, several, rounds))
    return pages


def show(title: str, pages: Sequence[Page]) -> None:
    """Print the table."""
    print(
        f"\n{title}\n{'':38}{'least ms':>9}{'p50 ms':>8}{'undisturbed':>15}{'p95 ms':>9}{'python':>9}{'database':>9}"
        f"{'queries':>8}{'bytes':>9}{'first visit':>13}"
    )
    yards = [yard for page in pages for yard in page.yards]
    quick = min(yards) * DISTURBED
    for page in pages:
        python, database = (sum(values) / len(values) for values in (page.python, page.database))
        print(
            f"{page.name:38}{min(page.took):9.1f}"
            f"{page.p50:8.1f}{_mark(page.p50 > MOST_MS)}{_undisturbed(page.undisturbed(quick))}"
            f"{page.p95:8.1f}{_mark(page.p95 > MOST_MS)}"
            f"{python:7.1f}{database:9.1f}{page.asked:8}{page.size:9,}"
            f"{page.first_visit:12,}{_mark(page.first_visit > MOST_BYTES)}"
            f"{f' status {page.status}' if page.status != 200 else ''}"
        )
    slow, at_times, large = (
        sum(broken)
        for broken in zip(*((p.p50 > MOST_MS, p.p95 > MOST_MS, p.first_visit > MOST_BYTES) for p in pages), strict=True)
    )
    known = [median(times) for page in pages if len(times := page.undisturbed(quick)) >= ENOUGH]
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(
        f"Of {len(pages)} pages {slow} are too slow at the median and {at_times} at p95, {large} too large. "
        f"Undisturbed, of the {len(known)} with {ENOUGH} such requests {sum(one > MOST_MS for one in known)} are. "
        f"{os.cpu_count()} cores, PostgreSQL and visitor on them; load {load}. "
        f"A fixed piece of Python took {min(yards):.2f} ms at least, {median(yards):.2f} at the median; "
        f"{sum(yard <= quick for yard in yards) / len(yards):.0%} of all requests were undisturbed.",
        flush=True,
    )


def _undisturbed(times: Sequence[float]) -> str:
    if len(times) < ENOUGH:
        return f"{'–':>9}{f'({len(times)})':>6}"
    return f"{median(times):8.1f}{_mark(median(times) > MOST_MS)}{f'({len(times)})':>6}"


def _mark(breaks: bool) -> str:
    return "!" if breaks else " "


if __name__ == "__main__":
    main()
