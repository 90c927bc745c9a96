"""python -m bench.audit [--entries N]: what the log costs, small and large, on a durable PostgreSQL of its own.

Appending an entry, a checkpoint after a hundred new entries and the way from an entry to the root, with 1 000 entries
on the log and with N (1 000 000); then the first checkpoint of them all and a walk along all of them. Times are CPU
time of this process and of PostgreSQL, so that they mean something on a busy machine; the clock stands beside them.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import psutil

from reviewapp.embedded import Postgres
from reviewapp.processes import MARK, stop

if TYPE_CHECKING:
    from audit.models import Checkpoint

SMALL, NEW, TIMES = 1_000, 100, 500


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(prog="python -m bench.audit", description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000, help="how long the long log is")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="countersign-bench-") as folder, _database(Path(folder)):
        _run(options.entries)


@contextmanager
def _database(folder: Path) -> Iterator[None]:
    """A fresh, migrated database, which this process is set up for."""
    (folder / "run").mkdir(mode=0o711)
    folder.chmod(0o711)
    postgres = Postgres(folder, durable=True)
    postgres.create()
    child = postgres.child(os.environ | {MARK: str(folder)})
    child.start()
    try:
        postgres.wait(child)
        os.environ |= {"DATABASE_URL": postgres.url, "DATA_DIR": str(folder), "REDIS_URL": "redis://127.0.0.1:1/0"}
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0, skip_checks=True)
        yield
    finally:
        stop([child])


def _run(large: int) -> None:
    from audit import checkpoints
    from audit.record import SYSTEM
    from audit.verify import verify

    print(f"\n{'':44}{'CPU ms':>12}{'clock ms':>12}")
    for size in (SMALL, large):
        _grow(size)
        if size == large:
            _show(f"first checkpoint of {size:,} entries", *_timed(lambda: checkpoints.make(SYSTEM)))
        checkpoints.make(SYSTEM)
        _show(f"appending one, {size:,} on the log", *_typical(lambda: _timed(_append), TIMES))
        made = checkpoints.make(SYSTEM)
        places = [1 + number * made.size // TIMES for number in range(TIMES)]
        find = partial(_path, made, iter(places))
        _show(f"way to the root, {size:,}", *_typical(partial(_timed, find), TIMES))
        _show(f"checkpoint after {NEW} more, {size:,}", *_typical(_add_and_sign, 5))
    verdict = verify()
    assert verdict.fault is None, verdict.fault
    _show(f"walk along {verdict.entries:,} entries", *_timed(verify))


def _append() -> None:
    from django.db import transaction

    from audit.models import ChainHead
    from audit.record import SYSTEM, record

    with transaction.atomic():
        record("thing.changed", actor=SYSTEM, target=ChainHead(pk=1), agent="support", after={"text": "x" * 200})


def _path(made: "Checkpoint", places: Iterator[int]) -> None:
    from audit import checkpoints

    checkpoints.inclusion_path(next(places), made)


def _add_and_sign() -> tuple[float, float]:
    """Only the checkpoint is timed."""
    from audit import checkpoints
    from audit.record import SYSTEM

    for _ in range(NEW):
        _append()
    return _timed(lambda: checkpoints.make(SYSTEM))


def _typical(measure: Callable[[], tuple[float, float]], times: int) -> tuple[float, float]:
    """The average of CPU, which the system counts in hundredths of a second, and the median by the clock."""
    took = [measure() for _ in range(times)]
    return sum(cpu for cpu, _ in took) / times, median(clock for _, clock in took)


def _timed(once: Callable[[], object]) -> tuple[float, float]:
    """Seconds of CPU, ours and our PostgreSQL connection's, and seconds by the clock."""
    server = _server()
    cpu, clock = time.process_time() + _used(server), time.perf_counter()
    once()
    return time.process_time() + _used(server) - cpu, time.perf_counter() - clock


def _server() -> psutil.Process:
    from django.db import connection

    connection.ensure_connection()
    return psutil.Process(connection.connection.info.backend_pid)


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _grow(size: int) -> None:
    """Fill the log up to so many entries: with a true chain, by COPY, and past the trigger that would seal them."""
    from datetime import UTC, datetime, timedelta

    from django.db import connection

    from audit.chain import COLUMNS, GENESIS, canonical, entry_hash
    from audit.models import ChainHead

    head = ChainHead.objects.first() or ChainHead(sequence=0, hash=GENESIS)
    last, at = bytes(head.hash), datetime(2026, 1, 1, tzinfo=UTC)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditentry DISABLE TRIGGER audit_entry_seal")
        columns = f"{', '.join(COLUMNS)}, body, sequence, previous_hash, hash"
        with cursor.copy(f"COPY audit_auditentry ({columns}) FROM STDIN") as copy:
            for sequence in range(head.sequence + 1, size + 1):
                at += timedelta(seconds=7, microseconds=sequence)
                spelled, who = at.isoformat(timespec="microseconds"), str(sequence % 40)
                fact = dict(
                    zip(
                        COLUMNS,
                        (spelled, "person", who, f"Person {who}", "proposal.approved", "proposal", str(sequence),
                         f"Say {sequence % 90} days", f"agent-{sequence % 30}", "system-prompt", sequence),
                        strict=True,
                    )
                )  # fmt: skip
                after = {
                    "revision": 1,
                    "status": "approved",
                    "reason": f"The policy of {spelled}",
                    "version": 2,
                }
                body = canonical({**fact, "before": {"status": "pending"}, "after": after, "request_id": "r" * 32})
                previous, last = last, entry_hash(last, sequence, body)
                copy.write_row([*fact.values(), body, sequence, previous, last])
        cursor.execute("ALTER TABLE audit_auditentry ENABLE TRIGGER audit_entry_seal")
        ChainHead.objects.update_or_create(pk=1, defaults={"sequence": size, "hash": last})
        cursor.execute("VACUUM ANALYZE audit_auditentry")


def _show(what: str, cpu: float, clock: float) -> None:
    print(f"{what:44}{cpu * 1e3:12,.2f}{clock * 1e3:12,.2f}", flush=True)


if __name__ == "__main__":
    main()
