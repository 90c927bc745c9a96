"""python -m drills.retries [--reports N] [--at-once N] [--seed N]: the same report sent many times at the same instant.

A board with worker and scheduler runs. Each report, alone or in a list, is sent by many senders at once, as a client
does that tries again before it was answered; one of four says something else under the same id. In the end each id is
there once, all who were told that theirs is stored said what is stored, the others were refused, and every report
counts once in the pattern that it belongs to.
"""

import argparse
import json
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from typing import Any, Final

from drills.kills import NOTHING, ONCE, PROMPT, Board, running

OTHER_WORDS: Final = 4
"""Of so many senders one says something else."""
IN_A_LIST: Final = 3
"""Of so many reports one is sent as a list of one."""
STORED: Final = (200, 201)
PATIENCE_S: Final = 60.0
AS_JSON: Final = {"Content-Type": "application/json"}


@dataclass
class Sent:
    """What became of one report: the words that senders were told are stored, and how often each was answered."""

    stored: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)


def main() -> None:
    """Send them all; ends at the first that does not hold."""
    parser = argparse.ArgumentParser(prog="python -m drills.retries", description=__doc__)
    parser.add_argument("--reports", type=int, default=1_000)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="countersign-retries-") as folder, running(Path(folder)) as board:
        told = run(board, options.reports, options.at_once, Random(options.seed))
    answers = ", ".join(f"{count:,} {what}" for what, count in sorted(told.items()))
    print(f"{options.reports:,} reports, each sent by {options.at_once} at once: each is stored and counts once")
    print(f"({answers}); {time.monotonic() - started:.0f} s, seed {options.seed}.")


def prepared(board: Board) -> str:
    """The key of an agent that may call as often as it likes."""
    prompt = board.folder / "prompt.md"
    prompt.write_text(PROMPT)
    board.manage("create_agent", "support", "--document", f"system-prompt={prompt}")
    limits = ("--calls-a-minute", "100000000", "--calls-a-day", "1000000000")
    return board.manage("create_key", "support", "--scope", "ingest", *limits)


def run(board: Board, reports: int, at_once: int, random: Random) -> Counter[str]:
    """How often each answer was given. Raises AssertionError."""
    told, together = Counter[str](), threading.Barrier(at_once)
    with ThreadPoolExecutor(at_once) as pool, closing(_Senders(board.url, prepared(board))) as senders:
        for number in range(reports):
            sent, others = Sent(), random.sample(range(at_once), at_once // OTHER_WORDS)

            def send(who: int, number: int = number, sent: Sent = sent, others: list[int] = others) -> None:
                together.wait(PATIENCE_S)
                senders.send(number, who in others, sent)

            list(pool.map(send, range(at_once)))
            assert len(sent.stored) == 1, f"report {number}: told that {sorted(sent.stored)} is stored"
            told += sent.answers
    board.finish()
    _look(board, reports)
    return told


class _Senders:
    """Each thread's own connection, kept open."""

    def __init__(self, url: str, key: str) -> None:
        self._address, self._headers = url.removeprefix("http://"), {"Authorization": f"Bearer {key}"} | AS_JSON
        self._own, self._all = threading.local(), list[HTTPConnection]()

    def close(self) -> None:
        for connection in self._all:
            connection.close()

    def send(self, number: int, otherwise: bool, sent: Sent) -> None:
        """One sender's part: again until it is stored or refused for good."""
        words = "the refund deadline is wrong" if not otherwise else "the voucher code is refused"
        body: dict[str, Any] = {"id": f"f{number}", "agent": "support", "reason": words, "user": f"u{number}"}
        while (status := self._ask(body, number % IN_A_LIST == 0)) == 503:
            sent.answers["turned away for a while"] += 1
            time.sleep(0.1)
        assert status in (*STORED, 409), f"report {number}: answered {status}"
        sent.answers["refused as another report" if status == 409 else "told that it is stored"] += 1
        if status in STORED:
            sent.stored.add(words)

    def _ask(self, body: dict[str, Any], in_a_list: bool) -> int:
        """The status, or what a list's answer says of its one report."""
        if not hasattr(self._own, "connection"):
            self._own.connection = HTTPConnection(self._address, timeout=PATIENCE_S)
            self._all.append(self._own.connection)
        sent = json.dumps([body] if in_a_list else body)
        self._own.connection.request("POST", "/api/v1/feedback", sent, self._headers)
        answer = self._own.connection.getresponse()
        said = json.loads(answer.read())
        if answer.status != 207:
            return int(answer.status)
        return 409 if said["rejected"] else 200


def _look(board: Board, reports: int) -> None:
    """Whether each is there once and counts once. Raises AssertionError."""
    assert board.asked("SELECT count(*) FROM feedback_feedback") == reports
    for table, once in ONCE:
        assert board.asked(f"SELECT count({once}) - count(DISTINCT {once}) FROM {table}") == 0, table
    for what, wrong in NOTHING.items():
        assert board.asked(wrong) == 0, what
    counted = board.asked("SELECT coalesce(sum(support), 0) FROM feedback_pattern WHERE status <> 'merged'")
    assert counted == reports, f"patterns count {counted} reports of {reports}"


if __name__ == "__main__":
    main()
