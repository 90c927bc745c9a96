"""A real PostgreSQL and a real Valkey for one test run, thrown away afterwards."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reviewapp.embedded import Postgres, Valkey
from reviewapp.processes import MARK, stop


@contextmanager
def running() -> Iterator[dict[str, str]]:
    """Start both in a temporary directory; gives DATABASE_URL and REDIS_URL."""
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
        yield {"DATABASE_URL": postgres.url, "REDIS_URL": valkey.url}
    finally:
        stop(children)
        postgres.tidy()
        shutil.rmtree(folder, ignore_errors=True)
