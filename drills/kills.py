"""python -m drills.kills [--kills N] [--seed N]: kill -9 of every process of a board in the middle of its work.

`manage.py up` runs the board, and agents report all the time, and propose a change now and then; they try again with
the same until they are told that it is stored. Before each kill a table is locked, so that whoever comes to write to it
stands still in its transaction; then web server, worker, scheduler, PostgreSQL or Valkey is killed. In the end all that
was acknowledged is there once, each proposal whole and with its one entry, counts are what they count, what waited was
done within a minute, and the chain of the log verifies.
"""

import argparse
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final, TypeVar

import psutil
import psycopg

T = TypeVar("T")
ROOT: Final = Path(__file__).resolve().parent.parent
AGENTS: Final = 4
SCOPES: Final = ("--scope", "ingest", "--scope", "propose")
PROPOSE_EVERY: Final = 40
PROMPT: Final = "# Support\n\n## Refunds\n- Within 30 days.\n"
PATIENCE_S: Final = 60.0
POINTS: Final = {
    "worker": ("feedback_evidence", "feedback_patternday", "feedback_patternsource"),
    "web": ("feedback_feedback", "feedback_run", "audit_auditentry", "proposals_check"),
    "scheduler": ("feedback_evidence",),
    "postgres": ("feedback_feedback", "feedback_run", "audit_auditentry"),
    "valkey": ("feedback_evidence",),
}
"""Whom to kill, while somebody waits to write to which table: each in turn, so that who waits is not who came last."""

_KNOWN_BY: Final = {
    "web": "granian",
    "worker": "worker",
    "scheduler": "beat",
    "postgres": "postgres",
    "valkey": "valkey-server",
}
_HELD_UP: Final = """
    SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
ONCE: Final = (
    ("feedback_feedback", "external_id"),
    ("feedback_run", "external_id"),
    ("feedback_evidence", "feedback_id"),
    ("feedback_evidence", "run_id"),
    ("proposals_proposal", "title"),
)
NOTHING: Final = {
    "a proposal is not whole": """
        SELECT count(*) FROM proposals_proposal p WHERE revision_id IS NULL
            OR NOT EXISTS (SELECT FROM proposals_check c WHERE c.revision_id = p.revision_id)""",
    "a proposal has no entry, or several": """
        SELECT count(*) FROM proposals_proposal p WHERE 1 <> (
            SELECT count(*) FROM audit_auditentry WHERE verb = 'proposal.opened' AND target_id = p.id::text)""",
    "an entry is about a proposal that is not there": """
        SELECT count(*) FROM audit_auditentry WHERE verb = 'proposal.opened'
            AND NOT EXISTS (SELECT FROM proposals_proposal p WHERE p.id::text = target_id)""",
    "a pattern counts what is not its evidence": """
        SELECT count(*) FROM feedback_pattern p WHERE status <> 'merged'
            AND support <> (SELECT count(*) FROM feedback_evidence e WHERE e.pattern_id = p.id)""",
}
"""What may be found nowhere when all is over."""

_WAITING: Final = """
    SELECT (SELECT count(*) FROM feedback_feedback WHERE mined_at IS NULL)
         + (SELECT count(*) FROM feedback_run WHERE mined_at IS NULL AND NOT success)
"""


@dataclass
class Reports:
    """Agents that report until they are told to stop; `stored` holds every id they were told is stored."""

    url: str
    key: str
    stored: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    tries: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def go_on(self) -> None:
        """One agent: the next report, again and again until it is acknowledged."""
        while not self.over.is_set():
            number = next(self.numbers)
            kind, body = _call(number)
            while not self._sent(kind, body):
                time.sleep(0.1)
            self.stored.add(str(body.get("id") or body["title"]))

    def _sent(self, kind: str, body: dict[str, object]) -> bool:
        self.tries += 1
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        asking = urllib.request.Request(  # noqa: S310 (always http)
            f"{self.url}/api/v1/{kind}", json.dumps(body).encode(), headers
        )
        try:
            with urllib.request.urlopen(asking, timeout=10) as answer:  # noqa: S310 (always http)
                return bool(answer.status in (200, 201))
        except urllib.error.HTTPError as refused:
            if refused.code == 409 and kind == "proposals":
                return True  # the same is open already: it was stored, and whoever said so was killed meanwhile
            if refused.code != 503:
                self.wrong.append(f"{refused.code} for {body}: {refused.read()[:300]!r}")
            return False
        except OSError:
            return False


def _call(number: int) -> tuple[str, dict[str, object]]:
    """What the call of this number hands in."""
    if number % PROPOSE_EVERY == 0:
        return "proposals", _proposal(number)
    return ("runs", _run(number)) if number % 3 == 0 else ("feedback", _complaint(number))


def _proposal(number: int) -> dict[str, object]:
    place = {"agent": "support", "document": "system-prompt", "base_version": 1}
    return {**place, "content": f"{PROMPT}- Rule {number}.\n", "title": f"p{number}", "rationale": "It was missing."}


def _complaint(number: int) -> dict[str, object]:
    about = ("the refund deadline is wrong", "the voucher code is refused", "the reset link has expired")[number % 3]
    reason = f"{about} again, case {number}"
    return {"id": f"f{number}", "agent": "support", "rating": "negative", "reason": reason, "user": f"u{number}"}


def _run(number: int) -> dict[str, object]:
    return {
        "id": f"r{number}",
        "agent": "support",
        "success": number % 2 == 0,
        "error": "timeout",
        "unit": f"u{number}",
    }


def main() -> None:
    """Start a board, kill its parts, and look at what is left."""
    parser = argparse.ArgumentParser(prog="python -m drills.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="countersign-kills-") as folder, running(Path(folder)) as board:
        with board.reported() as reports:
            killed = board.kill(options.kills, Random(options.seed))
        waited = board.finish()
        found = board.look(reports)
        assert board.armed, "no kill met anybody who stood still"
    told = ", ".join(f"{name} {count}" for name, count in sorted(killed.items()))
    print(f"{killed.total()} kills ({told}), {board.armed} of them while somebody stood still in a transaction.")
    print(f"{len(reports.stored)} reports acknowledged after {reports.tries} tries: none lost, none twice.")
    print(f"What waited was done {waited:.0f} s after the last kill; {found} The whole took", end=" ")
    print(f"{time.monotonic() - started:.0f} s, seed {options.seed}.")


@dataclass
class Board:
    """A board that `up` runs."""

    process: subprocess.Popen[str]
    folder: Path
    url: str
    env: dict[str, str]
    armed: int = 0

    def manage(self, *arguments: str) -> str:
        """What a command prints; raises CalledProcessError."""
        command, env = [sys.executable, "manage.py", *arguments], self.env | {"DATA_DIR": str(self.folder)}
        done = subprocess.run(command, cwd=ROOT, env=env, check=True, text=True, capture_output=True)
        return done.stdout.strip()

    @contextmanager
    def reported(self) -> Iterator[Reports]:
        """Agents report as long as this lasts; then each gets its last report stored."""
        prompt = self.folder / "prompt.md"
        prompt.write_text(PROMPT)
        self.manage("create_agent", "support", "--document", f"system-prompt={prompt}")
        reports = Reports(self.url, self.manage("create_key", "support", *SCOPES))
        agents = [threading.Thread(target=reports.go_on) for _ in range(AGENTS)]
        for agent in agents:
            agent.start()
        try:
            yield reports
        finally:
            reports.over.set()
            for agent in agents:
                agent.join(PATIENCE_S)
        assert not any(agent.is_alive() for agent in agents), "a report was not stored within a minute"

    def kill(self, times: int, random: Random) -> Counter[str]:
        """Kill so many, each kind as often; how often each was."""
        killed = Counter[str]()
        assert len({eventually(lambda: self.process_of(name)).pid for name in POINTS}) == len(POINTS)  # noqa: B023
        for number in range(times):
            name = list(POINTS)[number % len(POINTS)]
            eventually(lambda: self.process_of(name))  # noqa: B023
            if name == "web":  # else nobody would come to stand still
                eventually(lambda: self._answers() or None)
            with self._standing_still(random.choice(POINTS[name])):
                eventually(lambda: self._killed(name))  # noqa: B023
            killed[name] += 1
        return killed

    def _answers(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
        return False

    def _killed(self, name: str) -> bool | None:
        """Kill it; None when it is not there, or went by itself just now."""
        victim = self.process_of(name)
        if victim is None:
            return None
        with suppress(psutil.NoSuchProcess):
            victim.send_signal(signal.SIGKILL)
            return True
        return None

    def process_of(self, name: str) -> psutil.Process | None:
        """The process of this name, if it is there."""
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.Error):
                if child.status() != psutil.STATUS_ZOMBIE and _KNOWN_BY[name] in map(_named, child.cmdline()):
                    return child
        return None

    @contextmanager
    def _standing_still(self, table: str) -> Iterator[None]:
        """Until somebody waits to write to this table, if that happens soon."""
        connection = eventually(self._connected)
        try:
            with suppress(psycopg.OperationalError):  # PostgreSQL is only just coming up again
                connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
                self.armed += self._somebody_waits(connection)
            yield
        finally:
            with suppress(psycopg.Error):
                connection.close()

    @staticmethod
    def _somebody_waits(connection: "psycopg.Connection[Any]", patience_s: float = 4.0) -> bool:
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            row = connection.execute(_HELD_UP).fetchone()
            if row and row[0]:
                return True
            time.sleep(0.02)
        return False

    def _connected(self) -> "psycopg.Connection[Any] | None":
        try:
            return psycopg.connect(self.servers["DATABASE_URL"], connect_timeout=2)
        except psycopg.OperationalError:
            return None

    @property
    def servers(self) -> dict[str, str]:
        """Where its PostgreSQL and its Valkey are, as the environment of a command says it."""
        found: dict[str, str] = json.loads((self.folder / "run" / "servers.json").read_text())
        return found

    def finish(self) -> float:
        """Seconds until nothing waits to be mined any more. Raises AssertionError after a minute."""
        started = time.monotonic()
        eventually(lambda: self.asked(_WAITING) == 0 or None)
        return time.monotonic() - started

    def look(self, reports: Reports) -> str:
        """Whether everything is there, once; what the walk along the log found. Raises AssertionError."""
        there = {
            name for table in ("feedback", "run") for (name,) in self.rows(f"SELECT external_id FROM feedback_{table}")
        }
        there |= {title for (title,) in self.rows("SELECT title FROM proposals_proposal")}
        lost = reports.stored - there
        assert not reports.wrong, f"answered wrongly: {reports.wrong[:3]}"
        assert not lost, f"acknowledged and lost: {sorted(lost)[:10]}"
        for table, once in ONCE:
            counted = f"SELECT count({once}) - count(DISTINCT {once}) FROM {table}"
            assert self.asked(counted) == 0, f"{table} holds something twice"
        for what, wrong in NOTHING.items():
            assert self.asked(wrong) == 0, what
        return self.manage("verify_audit").partition(" Head")[0]

    def asked(self, sql: str) -> int | None:
        """The one number this finds; None while its PostgreSQL does not answer."""
        try:
            return int(self.rows(sql)[0][0])
        except psycopg.OperationalError:
            return None  # it is just starting again

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What its database answers."""
        with psycopg.connect(self.servers["DATABASE_URL"], connect_timeout=2) as connection:
            return connection.execute(sql).fetchall()


def _named(part: str) -> str:
    """A program, or a command of one, by its name alone: the web server, too, is told of its “--workers”."""
    return Path(part.partition(" ")[0]).name


def eventually(found: Callable[[], T | None], patience_s: float = PATIENCE_S) -> T:
    """What is found, once it is something. Raises AssertionError."""
    until = time.monotonic() + patience_s
    while (it := found()) is None:
        assert time.monotonic() < until, f"not within {patience_s:.0f} s"
        time.sleep(0.05)
    return it


@contextmanager
def running(folder: Path, port: int = 0) -> Iterator[Board]:
    """A board from `up`, ready, at any port unless one is named; stopped at the end."""
    env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    env |= {"COUNTERSIGN_MINE_EVERY_S": "1", "COUNTERSIGN_MEANING": "false"}
    command = [sys.executable, "manage.py", "up", "--data-dir", str(folder), "--port", str(port), "--no-demo"]
    process = subprocess.Popen(command, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert process.stdout
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Countersign is ready at "):
                break
        else:
            raise AssertionError("".join(said))
        threading.Thread(target=process.stdout.read, daemon=True).start()  # so that it never waits for a reader
        yield Board(process, folder, line.split()[-1], env)
    finally:
        process.terminate()
        process.wait(60)


if __name__ == "__main__":
    main()
