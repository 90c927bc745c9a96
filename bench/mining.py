"""python -m bench.mining DATA: what the miner finds and what it costs, in one table.

DATA is as for bench.quality. Beside its figures: the first mining of a million reports without the sentence model, by
one worker that is killed on the way and goes on; and a thousand new complaints into many known ones, with it. The
reports are made by rule (bench.stream) and put into a PostgreSQL of its own, thrown away afterwards.

Times are of the clock and of the processor, the worker's and PostgreSQL's; memory is the worker's at its highest.
"""

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bench import quality
from bench.stream import Stream

NEW = 1_000
READ = 3_000
"""The known complaints' points are mixed from so many that the model read; reading all would take a quarter hour."""
PEOPLE = 200_000
START = datetime(2026, 1, 1, tzinfo=UTC)
AGENT = "large"
_WORKER = "--work"


def first_mining(items: int, complaints: float) -> Iterator[quality.Row]:
    """Of so many reports, a share of them complaints, the rest errors; without the model, killed at a third."""
    with quality.database(durable=True) as server:
        agent = _agent()
        said = round(items * complaints)
        _copy_runs(agent, Stream().errors(items - said))
        _copy_feedback(agent, Stream().complaints(said))
        _vacuum()
        tenths = _Tenths(items, server.pid)
        worker = _Worker(server.url, meaning=False, seen=tenths.look)
        worker.kill_when(lambda: _mined() >= items / 3)
        again = _Worker(server.url, meaning=False, seen=lambda used: tenths.look(used, worker.used["cpu s"]))
        again.wait()
        figures = _sum(worker.used, again.used) | {"pg cpu s": tenths.by_server()}
        yield from tenths.rows(figures["cpu s"])
        yield quality.Row(
            f"first {items:,}", figures | {"left": items - _mined(), **_found(), "load": os.getloadavg()[1]}
        )


class _Tenths:
    """Processor time of each tenth of the reports: whether one costs the same however many there are."""

    def __init__(self, items: int, server: int) -> None:
        self._items, self._server = items, server
        self._at_first = _spent(server)
        self._passed: list[tuple[float, float]] = [(0.0, 0.0)]

    def by_server(self) -> float:
        """Seconds of PostgreSQL so far."""
        return _spent(self._server) - self._at_first

    def look(self, used: float, before: float = 0.0) -> None:
        """A worker has used so much, and one before it so much."""
        while len(self._passed) <= 10 and _mined() * 10 >= len(self._passed) * self._items:
            self._passed.append((before + used, self.by_server()))

    def rows(self, used: float) -> Iterator[quality.Row]:
        """One for each tenth, and one for what came when nothing waited any more."""
        marks = [*self._passed, (used, self.by_server())]
        for number, ((worker, server), (until, by_server)) in enumerate(pairwise(marks), start=1):
            name = f"  tenth {number}" if number < len(marks) - 1 else "  families and names"
            yield quality.Row(name, {"cpu s": until - worker, "pg cpu s": by_server - server})


def into_known(known: int) -> Iterator[quality.Row]:
    """A thousand new complaints, read by the model, into so many known ones."""
    with quality.database(durable=True) as server:
        agent = _agent()
        _copy_feedback(agent, Stream().complaints(known))
        _copy_points(known)
        _vacuum()
        yield _measured(server, f"first {known:,} with points")
        _vacuum()
        _copy_feedback(agent, Stream(seed=2).complaints(NEW), first=known)
        yield _measured(server, f"{NEW:,} into {known:,}")


def _measured(server: quality.Server, name: str) -> quality.Row:
    before = _spent(server.pid)
    worker = _Worker(server.url, meaning=True)
    worker.wait()
    return quality.Row(name, worker.used | {"pg cpu s": _spent(server.pid) - before, **_found()})


class _Worker:
    """Another process that mines all that waits; what it used."""

    def __init__(self, url: str, *, meaning: bool, seen: Callable[[float], None] = lambda used: None) -> None:
        env = os.environ | {"DATABASE_URL": url, "COUNTERSIGN_MEANING": str(meaning).lower()}
        env["OPENBLAS_NUM_THREADS"] = "1"  # as the settings have it, which this module's own imports come before
        self._started, self._seen = time.perf_counter(), seen
        self._process = psutil.Popen([sys.executable, "-m", "bench.mining", _WORKER], env=env)
        self.used: dict[str, float] = {}

    def wait(self) -> None:
        """Until it is done. Raises CalledProcessError if it fails."""
        while self._process.poll() is None:
            self._look()
            time.sleep(0.2)
        if self._process.returncode:
            raise subprocess.CalledProcessError(self._process.returncode, "bench.mining --work")

    def kill_when(self, reached: Callable[[], bool]) -> None:
        """Kill it at once when something is reached, or let it end."""
        while self._process.poll() is None and not reached():
            self._look()
            time.sleep(0.5)
        self._look()
        self._process.kill()
        self._process.wait()

    def _look(self) -> None:
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            times = self._process.cpu_times()
            status = Path(f"/proc/{self._process.pid}/status").read_text()
            if "VmHWM:" not in status:  # it is about to end
                return
            memory = float(status.split("VmHWM:")[1].split()[0]) / 1024
            seconds = time.perf_counter() - self._started
            self._seen(times.user + times.system)
            self.used = {"seconds": seconds, "cpu s": times.user + times.system, "memory MB": memory}


def _sum(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    added = {key: one[key] + other[key] for key in ("seconds", "cpu s")}
    return added | {"memory MB": max(one["memory MB"], other["memory MB"])}


def _spent(pid: int) -> float:
    """Seconds of processor time of PostgreSQL, all of its processes, ended ones included."""
    server = psutil.Process(pid)
    times = server.cpu_times()
    spent = times.user + times.system + times.children_user + times.children_system
    for child in server.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            times = child.cpu_times()
            spent += times.user + times.system
    return spent


def _agent() -> int:
    from agents.versions import create_agent
    from audit.record import SYSTEM

    return create_agent(AGENT, name=AGENT, actor=SYSTEM, documents={"prompt": "Be kind.\n"}).pk


_REPORT = ("agent_id", "external_id", "digest", "source", "at")
_RUNS = (*_REPORT, "document", "task", "tool", "success", "error", "error_type", "model", "input_hash", "output_hash")
_SAID = ("run_id", "rating", "reason_code", "reason", "correction", "expected", "predicted", "input")
_FEEDBACK = (*_REPORT, *_SAID, "output", "edited_output")


def _copy_runs(agent: int, errors: Iterable[str]) -> None:
    rows = ((*report, "", "", "", False, error, "", "", "", "") for report, error in _reports(agent, "r", errors))
    _copy("feedback_run", _RUNS, rows)


def _copy_feedback(agent: int, reasons: Iterable[str], first: int = 0) -> None:
    found = _reports(agent, "f", reasons, first)
    _copy("feedback_feedback", _FEEDBACK, ((*report, "", "negative", "", said, *[""] * 6) for report, said in found))


def _reports(agent: int, prefix: str, texts: Iterable[str], first: int = 0) -> Iterator[tuple[tuple[Any, ...], str]]:
    """What each report has in common, and its text."""
    rng = random.Random(f"people {first}")
    for number, text in enumerate(texts, start=first):
        source = rng.randrange(PEOPLE).to_bytes(16, "big")
        yield (agent, f"{prefix}{number}", rng.randbytes(32), source, START + timedelta(seconds=7 * number)), text


def _copy_points(known: int) -> None:
    """Points of all complaints, by rule: a subject is near a text that the model read, a one-off one among three."""
    from feedback.mining.clusters import LENGTH
    from feedback.mining.meaning import model
    from feedback.models import Feedback

    read = np.array([model().point(text) for text in Stream(seed=3).complaints(READ)], dtype=np.float64)
    rng = np.random.default_rng(1)
    weight = 1 / (np.arange(READ) + 3)
    subjects = rng.choice(READ, known, p=weight / weight.sum())
    alone = rng.random(known) < 0.3
    others = rng.integers(READ, size=(known, 2))
    pks = list(Feedback.objects.order_by("pk").values_list("pk", flat=True))  # before COPY has the connection

    def rows() -> Iterator[tuple[int, bytes]]:
        for number, pk in enumerate(pks):
            one, two = read[others[number]]
            place = read[subjects[number]] * 1.6 + one * 0.6 + two * 0.6 if not alone[number] else None
            place = place if place is not None else one + two + read[rng.integers(READ)] * rng.random()
            yield pk, np.rint(place * LENGTH / np.linalg.norm(place)).clip(-127, 127).astype(np.int8).tobytes()

    _copy("feedback_textpoint", ("feedback_id", "place"), rows())


def _copy(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    from django.db import connection

    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _vacuum() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _mined() -> int:
    """How many of the reports, whose keys have no gap; read off the first that waits, for counting would cost more."""
    from django.db.models import Max

    from feedback.models import Feedback, Run

    done = 0
    for model in (Run, Feedback):
        last, waiting = model.objects.aggregate(last=Max("pk"))["last"], model.objects.unmined().values("pk").first()
        done += waiting["pk"] - 1 if waiting else last or 0
    return done


def _found() -> dict[str, float]:
    from feedback.models import Pattern

    return {"patterns": Pattern.objects.shown().count(), "groups": Pattern.objects.count()}


def _work() -> None:
    """Mine all that waits, as a worker does."""
    quality.use_django()
    from feedback.tasks import mine_pending

    mine_pending()


def main() -> None:
    """Measure everything and print it row by row."""
    if sys.argv[1:] == [_WORKER]:
        _work()
        return
    parser = argparse.ArgumentParser(prog="python -m bench.mining", description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", default="41,42,43,44", help="of the scenarios")
    parser.add_argument("--items", type=int, default=1_000_000, help="how many are mined first; 0 leaves that out")
    parser.add_argument(
        "--complaints", type=float, default=0.5, help="the share of them that is complaints, not errors"
    )
    parser.add_argument("--known", type=int, default=100_000, help="what the thousand come into; 0 leaves that out")
    parser.add_argument("--no-scores", action="store_true", help="time and memory only")
    options = parser.parse_args()
    quality.use_django()
    if not options.no_scores:
        seeds = [int(seed) for seed in options.seeds.split(",")]
        given = quality.Given(options.data, options.data.parent / "quality", 3000, seeds)
        for job in quality.JOBS:
            for row in job(given):
                quality.show(row)
    jobs = [first_mining(options.items, options.complaints)] if options.items else []
    for job_rows in [*jobs, *([into_known(options.known)] if options.known else [])]:
        for row in job_rows:
            quality.show(row)


if __name__ == "__main__":
    main()
