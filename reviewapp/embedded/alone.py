"""The board's database for one command, whether the board runs or not."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from reviewapp.embedded.postgres import Postgres
from reviewapp.management.commands.up import hold
from reviewapp.processes import MARK, CannotStart, end_leftovers, stop
from reviewapp.reach import check_database
from reviewapp.settings import database_settings


@contextmanager
def database(*, made_if_missing: bool) -> Iterator[None]:
    """Have the database there: the one that is given or that `up` runs, or else our own PostgreSQL, for as long as this
    takes. Raises CannotStart, also where there is no cluster yet and none is to be made.
    """
    if given := os.environ.get("DATABASE_URL"):
        check_database(given)
        yield
    elif _runs():
        yield
    else:
        with hold(settings.DATA_DIR) as data_dir, _started(data_dir, made_if_missing) as url:
            connection.close()
            connection.settings_dict.update(database_settings(url))
            yield
            connection.close()


def _runs() -> bool:
    url = settings.ENV.database_url
    try:
        if url:
            check_database(url)
    except CannotStart:
        return False  # `up` was killed, and left word of servers that are no more
    return bool(url)


@contextmanager
def _started(data_dir: Path, made_if_missing: bool) -> Iterator[str]:
    if not made_if_missing and not (data_dir / "postgres").exists():
        raise CannotStart(f"{data_dir} holds no database; name another with --data-dir, or set DATABASE_URL.")
    end_leftovers(data_dir)
    run = data_dir / "run"
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(mode=0o711)
    postgres = Postgres(data_dir)
    postgres.create()
    child = postgres.child(os.environ | {MARK: str(data_dir)})
    child.start()
    try:
        postgres.wait(child)
        yield postgres.url
    finally:
        stop([child], patience=10.0)
        postgres.tidy()
        shutil.rmtree(run, ignore_errors=True)
