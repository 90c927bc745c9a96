"""A real PostgreSQL and a real Valkey for one test run, thrown away afterwards."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from reviewapp.embedded import Postgres, Valkey
from reviewapp.embedded.postgres import program
from reviewapp.environment import BASE_DIR
from reviewapp.processes import MARK, stop

MIGRATED = "countersign_migrated"
"""A database on the run's own server with every table and nothing in it, to be copied: migrating takes far longer."""
FOLDER = "COUNTERSIGN_TESTS_FOLDER"
"""Names, in the environment, where the run's own servers live."""


@contextmanager
def running() -> Iterator[dict[str, str]]:
    """Start both in a temporary directory; gives DATABASE_URL and REDIS_URL, and where they live."""
    folder = Path(tempfile.mkdtemp(prefix="countersign-tests-"))
    (folder / "run").mkdir(mode=0o711)
    env = os.environ | {MARK: str(folder)}
    postgres, valkey = Postgres(folder, durable=False), Valkey(folder)
    children = []
    try:
        for server in (postgres, valkey):
            server.create()
            children.append(server.child(env))
            children[-1].start()
        postgres.wait(children[0])
        valkey.wait(children[1])
        yield {"DATABASE_URL": postgres.url, "REDIS_URL": valkey.url, FOLDER: str(folder)}
    finally:
        stop(children)
        postgres.tidy()
        shutil.rmtree(folder, ignore_errors=True)


def migrated() -> Path | None:
    """The dump of `MIGRATED`, made by whichever process of the run asks first; None where the servers are not ours."""
    if FOLDER not in os.environ:
        return None
    dump = Path(os.environ[FOLDER], "migrated.sql")
    with open(dump.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not dump.exists():
            _migrate(Postgres(dump.parent, durable=False).url, dump)
    return dump


def _migrate(server: str, dump: Path) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {MIGRATED}")
    there = server.replace("/countersign?", f"/{MIGRATED}?")
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=BASE_DIR, env=os.environ | {"DATABASE_URL": there}, check=True)
    draft = dump.with_suffix(".new")
    subprocess.run([program("pg_dump"), "--no-owner", "--no-privileges", f"--file={draft}", there], check=True)
    draft.rename(dump)


def fill(database: str, dump: Path) -> None:
    """Make an empty database, named by its URL, like the dumped one."""
    reading = ["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--output=/dev/null", f"--file={dump}"]
    subprocess.run([program("psql"), *reading, database], check=True)
