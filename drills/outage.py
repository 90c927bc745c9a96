"""python -m drills.outage [--minutes N] [--readers N] [--poll S]: the whole board away while agents go on working.

`manage.py up` runs a board; a process with the Python client reads its instructions in several threads, each every
50 ms, and reports twice a second. The board is stopped, with database and all. In the middle of the outage the agent's
process is killed with -9 and started anew, with nothing but what is on disk. Then the board comes back. No read may
have failed or given another text than the approved one; throughout the outage what is read is marked stale, with its
age; and every report that the agent was told is kept is there afterwards, once.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from countersign import Countersign, Error
from drills.kills import PROMPT, ROOT, Board, eventually, running

READ_EVERY_S: Final = 0.05
REPORT_EVERY_S: Final = 0.5
SCOPES: Final = ("--scope", "read", "--scope", "ingest")
DIGEST: Final = hashlib.sha256(PROMPT.encode()).hexdigest()
LATE_S: Final = 20.0
"""The age may be so much above the truth: copies on disk are told every 15 s at most that nothing changed."""
BACK_S: Final = 90.0
"""Longer than the longest pause between two tries of a client."""


@dataclass(frozen=True)
class Look:
    """What an agent says each second: the reads since it began, and how the last one was."""

    at: float
    reads: int
    failed: int
    stale: bool
    age: float


@dataclass
class Agent:
    """One life of the agent's process, and what it said of it."""

    process: subprocess.Popen[str]
    looks: list[Look] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Until it has gone."""
        assert self.process.stdout
        for line in self.process.stdout:
            what, _, rest = line.strip().partition(" ")
            if what == "kept":
                self.kept.append(rest)
            else:
                self.looks.append(Look(**json.loads(rest)))


def main() -> None:
    """Start a board, take it away, and look at what the agents had of it."""
    parser = argparse.ArgumentParser(prog="python -m drills.outage", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--poll", type=float, default=30.0, help="seconds between two questions of a client")
    parser.add_argument("--agent", nargs=3, metavar=("URL", "KEY", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.agent:
        return work(*options.agent, readers=options.readers, poll_s=options.poll)
    with tempfile.TemporaryDirectory(prefix="countersign-outage-") as folder:
        print(_drill(Path(folder), options.minutes * 60, options.readers, options.poll))
    return None


def _drill(folder: Path, seconds: float, readers: int, poll_s: float) -> str:
    place = folder / "board"
    with running(place) as board:
        url, key = board.url, _set_up(board)
        first = _start(url, key, folder / "agent", readers, poll_s)
        eventually(lambda: len(first.looks) > 3 or None)
    gone = time.time()
    time.sleep(seconds / 2)
    first.process.kill()
    first.process.wait()
    second = _start(url, key, folder / "agent", readers, poll_s)
    time.sleep(max(0.0, gone + seconds - time.time()))
    with running(place, port=urlsplit(url).port or 0) as board:
        back = time.time()
        eventually(lambda: _is_fresh(second, back) or None, BACK_S)
        fresh = time.time() - back
        eventually(lambda: _missing(board, first, second) == 0 or None, BACK_S)
        arrived = time.time() - back
        second.process.terminate()
        second.process.wait()
        eventually(lambda: Countersign(url, key, folder=folder / "agent").flush() or None)  # what it had no time for
        _look(board, (first, second), gone, back, poll_s)
    agents = (first, second)
    looks = [look for agent in agents for look in agent.looks]
    return (
        f"The board was away {back - gone:.0f} s. {sum(one.looks[-1].reads for one in agents):,} reads in {readers} "
        "threads of an agent that was killed and started anew in the middle: none failed.\n"
        f"Of {len(looks):,} looks, one a second, {sum(look.stale for look in looks):,} were stale, with ages up to "
        f"{max(look.age for look in looks):.0f} s.\nFresh again {fresh:.0f} s after the board was back; "
        f"all {sum(len(one.kept) for one in agents):,} reports there, each once, after {arrived:.0f} s."
    )


def _set_up(board: Board) -> str:
    prompt = board.folder / "prompt.md"
    prompt.write_text(PROMPT)
    board.manage("create_agent", "support", "--document", f"system-prompt={prompt}")
    return board.manage("create_key", "support", *SCOPES)


def _start(url: str, key: str, folder: Path, readers: int, poll_s: float) -> Agent:
    command = [sys.executable, "-m", "drills.outage", "--agent", url, key, str(folder)]
    command += ["--readers", str(readers), "--poll", str(poll_s)]
    env = {"PYTHONPATH": f"{ROOT}:{ROOT / 'client'}"}
    agent = Agent(
        subprocess.Popen(command, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    )
    threading.Thread(target=agent.listen, daemon=True).start()
    return agent


def _is_fresh(agent: Agent, back: float) -> bool:
    return bool(agent.looks) and agent.looks[-1].at > back and not agent.looks[-1].stale


def _missing(board: Board, *agents: Agent) -> int:
    there = {name for (name,) in board.rows("SELECT external_id FROM feedback_feedback")}
    return len({name for agent in agents for name in agent.kept} - there)


def _look(board: Board, agents: tuple[Agent, ...], gone: float, back: float, poll_s: float) -> None:
    """Whether everything was as it should be. Raises AssertionError."""
    for agent in agents:
        assert agent.looks, "an agent said nothing"
        assert not agent.looks[-1].failed, f"{agent.looks[-1].failed} reads failed"
        for look in agent.looks:
            if gone + poll_s + 5 < look.at < back - 1:
                away = look.at - gone
                assert look.stale, f"{away:.0f} s into the outage it is not marked stale"
                assert away - 2 < look.age < away + poll_s + LATE_S, f"{look.age:.0f} s old, {away:.0f} s into it"
    counts = Counter(name for (name,) in board.rows("SELECT external_id FROM feedback_feedback"))
    kept = [name for agent in agents for name in agent.kept]
    assert kept, "nothing was reported"
    assert not [name for name in kept if counts[name] != 1], "a report is lost or there twice"


def work(url: str, key: str, folder: str, *, readers: int, poll_s: float) -> None:
    """The agent: read and report until somebody ends this process."""
    board = Countersign(url, key, folder=folder, poll_s=poll_s)
    reads, failed = [0] * readers, [0] * readers

    def read(number: int) -> None:
        while True:
            try:
                good = board.instructions("support", "system-prompt", unit=f"session {number}").digest == DIGEST
            except Error:
                good = False
            reads[number] += 1
            failed[number] += not good
            time.sleep(READ_EVERY_S)

    for number in range(readers):
        threading.Thread(target=read, args=[number], daemon=True).start()
    threading.Thread(target=_report, args=[board], daemon=True).start()
    for _ in _seconds():
        last = board.instructions("support", "system-prompt")
        look = {"at": time.time(), "reads": sum(reads), "failed": sum(failed), "stale": last.stale, "age": last.age}
        print("look", json.dumps(look), flush=True)


def _report(board: Countersign) -> None:
    while True:
        sent = board.report("support", rating="negative", reason="The refund deadline is wrong")
        if sent.state != "dropped":
            print("kept", sent.id, flush=True)
        time.sleep(REPORT_EVERY_S)


def _seconds() -> Iterator[None]:
    while True:
        yield
        time.sleep(1)


if __name__ == "__main__":
    main()
