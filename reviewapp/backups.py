"""The whole board in one folder, and back: the database as PostgreSQL's own programs write it, the newest checkpoint of
the log with the keys that signed it, and, where asked for, the board's secrets.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Final, cast

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from audit import exporting, handing_out
from audit.exceptions import CannotSign
from audit.models import ChainHead
from audit.notes import PublicKey
from audit.record import COMMAND_LINE, record
from audit.verify import Outside, Verdict, verify_and_tell
from reviewapp import rights
from reviewapp.embedded.postgres import bare, program

DUMP: Final = "database.dump"
ABOUT: Final = "backup.json"
CHECKPOINT: Final = "checkpoint.txt"
KEYS: Final = "keys.txt"
SECRETS: Final = {"secret_key": "SECRET_KEY", "log_signing_key": "COUNTERSIGN_SIGNING_KEY"}
"""Files in the data directory that no database holds, and the variables that take their place."""

_EMPTIED: Final = "SET client_min_messages TO warning; DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public;"


class BackupRefused(Exception):
    """What was asked for is not done; the message is a sentence for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class About:
    """What a backup says of itself: when it was made, of how many entries, and the SHA-256 of the database in it."""

    made_at: str
    entries: int
    database: str


@dataclass(frozen=True, slots=True)
class Made:
    """A backup: the number of entries on the log in it, the secrets that came along, and why its checkpoint is an older
    one, or is missing, if so."""

    entries: int
    secrets: list[str]
    trouble: str


@dataclass(frozen=True, slots=True)
class Restored:
    """What the walk along the restored log found, the secrets put in their place, and the size of the newest checkpoint
    on file that is of more entries than came back, or 0."""

    about: About
    verdict: Verdict
    secrets: list[str]
    newer: int


def back_up(folder: Path, *, with_secrets: bool) -> Made:
    """Write a backup into an empty folder, readable by its owner only; the board may go on meanwhile.

    What says that it is complete is written last. Raises BackupRefused and OSError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BackupRefused(f"{folder} is not empty; give a folder of its own to each backup.")
    with transaction.atomic():
        head = ChainHead.objects.first() or ChainHead(pk=1, sequence=0)
        record("board.backed_up", actor=COMMAND_LINE, target=head, after={"secrets": with_secrets})
    trouble = _write_checkpoint(folder)
    _run(["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={folder / DUMP}"])
    (folder / DUMP).chmod(0o600)
    secrets = _copy_secrets(settings.DATA_DIR, folder) if with_secrets else []
    entries = ChainHead.objects.get().sequence
    about = About(timezone.now().isoformat(timespec="seconds"), entries, _digest(folder / DUMP))
    (folder / ABOUT).write_text(json.dumps(asdict(about), indent=1) + "\n")
    return Made(entries, secrets, trouble)


def restore(folder: Path, *, overwrite: bool) -> Restored:
    """Put a backup in the place of the database, wholly or not at all, and check the log against its checkpoint.

    Refuses a database that holds data unless `overwrite`, one that others are connected to, and a backup that is not
    whole. Migrations that came after the backup are applied. Raises BackupRefused, CannotGive, BadNote and OSError.
    """
    about = _read(folder)
    _refuse_others()
    if not overwrite and _holds_data():
        raise BackupRefused("This database holds data already. With --overwrite it is replaced, for good.")
    _load(folder / DUMP)
    call_command("migrate", interactive=False, verbosity=0)
    if settings.COUNTERSIGN_DATABASE_ROLE:
        rights.give(settings.COUNTERSIGN_DATABASE_ROLE)
    secrets = _copy_secrets(folder, settings.DATA_DIR)
    outside = Outside(_notes(folder), _public_keys(folder), folder=False)
    verdict = verify_and_tell("the restoring of a backup", outside)
    newer = max((size for _, size, _ in handing_out.filed() if size > verdict.entries), default=0)
    with transaction.atomic():
        facts = {"made_at": about.made_at, "newer_checkpoint": newer or None}
        record("board.restored", actor=COMMAND_LINE, target=ChainHead.objects.get(), after=facts)
    return Restored(about, verdict, secrets, newer)


def _write_checkpoint(folder: Path) -> str:
    """The newest checkpoint and all public keys; why it is not one of this moment, if so."""
    try:
        made, trouble = exporting.checkpoint_now(COMMAND_LINE)
    except CannotSign as refusal:
        return f"{refusal} There is no checkpoint in this backup."
    (folder / CHECKPOINT).write_text(made.note, encoding="utf-8")
    (folder / KEYS).write_text(exporting.keys_text(), encoding="utf-8")
    return f"{trouble} The checkpoint in this backup is the last one." if trouble else ""


def _notes(folder: Path) -> list[tuple[str, str]]:
    path = folder / CHECKPOINT
    return [("the checkpoint in the backup", path.read_text(encoding="utf-8"))] if path.exists() else []


def _public_keys(folder: Path) -> list[PublicKey]:
    path = folder / KEYS
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [PublicKey.parse(line) for line in lines if line]


def _copy_secrets(source: Path, target: Path) -> list[str]:
    """Copy what is there and is not given by the environment; what stood there before is set aside, not lost."""
    copied = []
    for name, variable in SECRETS.items():
        here, there = source / name, target / name
        if os.environ.get(variable) or not here.exists():
            continue
        if there.exists() and there.read_bytes() != here.read_bytes():
            there.replace(there.with_name(f"{name}.before-{timezone.now():%Y%m%dT%H%M%S}"))
        there.touch(mode=0o600)
        there.write_bytes(here.read_bytes())
        copied.append(name)
    return copied


def _read(folder: Path) -> About:
    """What the backup says of itself. Raises BackupRefused for one that is not whole."""
    try:
        about = About(**json.loads((folder / ABOUT).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        raise BackupRefused(f"{folder} holds no complete backup.") from None
    if _digest(folder / DUMP) != about.database:
        raise BackupRefused(f"{folder / DUMP} is not what was written into it; this backup is damaged.")
    return about


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse_others() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        others = cursor.fetchone()[0]
    if others:
        raise BackupRefused(
            f"The database is in use ({others} connection{'' if others == 1 else 's'}). Stop the board first: web "
            "servers, workers and the scheduler."
        )


def _holds_data() -> bool:
    """Whether anything was ever done here: nothing is done without an entry on the log."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('public.audit_auditentry') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return False
        cursor.execute("SELECT EXISTS (SELECT FROM public.audit_auditentry)")
        return bool(cursor.fetchone()[0])


def _load(dump: Path) -> None:
    """Empty the database and fill it, in one transaction: psql is told to commit only when all was written to it."""
    connection.close()
    reading = ["pg_restore", "--no-owner", "--no-privileges", "--file=-", str(dump)]
    writing = ["psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    with _started(reading, to_database=False) as reader, _started(writing) as writer:
        with suppress(BrokenPipeError):  # where it ends early, what it said comes next
            writer.input.write(f"BEGIN;\n{_EMPTIED}\n".encode())
            shutil.copyfileobj(reader.output, writer.input)
            reader.must_end_well()
            writer.input.write(b"COMMIT;\n")
            writer.input.close()
        writer.must_end_well()


@dataclass(frozen=True, slots=True)
class _Program:
    name: str
    process: subprocess.Popen[bytes]
    said: IO[bytes]

    @property
    def input(self) -> IO[bytes]:
        return cast(IO[bytes], self.process.stdin)

    @property
    def output(self) -> IO[bytes]:
        return cast(IO[bytes], self.process.stdout)

    def must_end_well(self) -> None:
        """Raises BackupRefused with its last words otherwise."""
        if self.process.wait():
            self.said.seek(0)
            lines = [line for line in self.said.read().decode(errors="replace").splitlines() if line.strip()]
            raise BackupRefused(f"{self.name} failed: {lines[-1] if lines else 'it said nothing'}")


@contextmanager
def _started(command: list[str], *, to_database: bool = True) -> Iterator[_Program]:
    """One of PostgreSQL's programs on our database, with pipes; killed if it is not done when we are."""
    name, *arguments = command
    conninfo, env = _connection()
    argv = [program(name), *([f"--dbname={conninfo}"] if to_database else []), *arguments]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 (argv is ours)
            argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said
        )
        try:
            yield _Program(name, process, said)
        finally:
            process.kill()
            process.wait()


def _run(command: list[str]) -> None:
    with _started(command) as running:
        running.must_end_well()


def _connection() -> tuple[str, dict[str, str]]:
    """How libpq reaches our database; the password in the environment, for others see the arguments."""
    given = connection.settings_dict
    named = {"dbname": "NAME", "user": "USER", "host": "HOST", "port": "PORT"}
    parts = {libpq: given[django] for libpq, django in named.items() if given[django]}
    parts |= given["OPTIONS"]
    return make_conninfo(**parts), bare(os.environ) | ({"PGPASSWORD": given["PASSWORD"]} if given["PASSWORD"] else {})
