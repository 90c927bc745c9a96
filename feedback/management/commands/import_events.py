"""import_events FILE.jsonl [--agent SLUG]"""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from agents.management.lookup import agent_named
from audit.record import COMMAND_LINE
from feedback.ingest.importing import LONGEST_LINE, BadLine, Tally, import_lines, record_import

SHOWN = 50


class Command(BaseCommand):
    help = (
        'Load a file of JSON lines: {"type": "feedback" or "run", …fields of the API}. Bad lines are reported by '
        "number and left out, good ones are kept; the exit code is 1 if there were bad ones. A file can be loaded "
        "again: reports with an id are not counted twice. Their voice counts as “import”, together with the user or "
        "unit they name."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE.jsonl", help="“-” reads standard input")
        parser.add_argument("--agent", metavar="SLUG", help="for lines that name no agent")

    def handle(self, *args: Any, **options: Any) -> None:
        name, agent = options["file"], options["agent"]
        if agent is not None:
            agent_named(agent)
        tally = Tally()
        if name == "-":
            self._load(sys.stdin.buffer, None, tally, agent)
        else:
            try:
                with Path(name).open("rb") as file:
                    self._load(file, os.fstat(file.fileno()).st_size, tally, agent)
            except OSError as error:
                raise CommandError(f"{name}: {error.strerror}.") from None
        self._finish(tally, "standard input" if name == "-" else Path(name).name)

    def _load(self, file: BinaryIO, size: int | None, tally: Tally, agent: str | None) -> None:
        shown = 0
        bar = tqdm(total=size, unit="B", unit_scale=True, desc="Importing", disable=None, file=sys.stderr, leave=False)
        with bar:
            for bad in import_lines(_lines(file, bar, tally), tally, default_agent=agent):
                for line in bad[: max(0, SHOWN - shown)]:
                    self.stderr.write(_worded(line))
                shown += len(bad)
        if shown > SHOWN:
            self.stderr.write(f"… and {shown - SHOWN} more bad lines.")

    def _finish(self, tally: Tally, name: str) -> None:
        record_import(tally, name, actor=COMMAND_LINE)
        stored = tally.accepted.total()
        self.stdout.write(
            f"{tally.lines} lines: {stored} stored, {tally.duplicates} known before, {tally.rejected} bad."
        )
        if tally.rejected:
            raise SystemExit(1)


def _lines(file: BinaryIO, bar: "tqdm[Any]", tally: Tally) -> Iterator[bytes]:
    """The lines; of one too long to be a report, only so much that this shows."""
    while line := _piece(file, bar, tally):
        yield line
        while len(line) > LONGEST_LINE and not line.endswith(b"\n") and (line := _piece(file, bar, tally)):
            pass


def _piece(file: BinaryIO, bar: "tqdm[Any]", tally: Tally) -> bytes:
    piece = file.readline(LONGEST_LINE + 1)
    tally.digest.update(piece)
    bar.update(len(piece))
    return piece


def _worded(line: BadLine) -> str:
    faults = (
        "{}: {}".format(".".join(map(str, error["loc"])), error["msg"]).removeprefix(": ") for error in line.errors
    )
    return f"Line {line.number}: {' '.join(faults)}"
