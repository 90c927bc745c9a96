"""A board in a folder and back, with PostgreSQL's own programs."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from agents.models import Agent
from audit.checkpoints import make
from audit.models import AuditEntry, Verification
from audit.record import SYSTEM
from tests.log import tamper, write

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.process]


@contextmanager
def another_database() -> Iterator[None]:
    """An empty database in the place of this test's own."""
    own = connection.settings_dict["NAME"]
    other = f"{own}_restored"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {other}")
        cursor.execute(f"CREATE DATABASE {other}")
    connection.close()
    connection.settings_dict["NAME"] = other
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = own
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {other}")


def said(*arguments: str | Path) -> str:
    out = StringIO()
    call_command(*map(str, arguments), stdout=out, stderr=out)
    return out.getvalue()


def test_a_backup_comes_back_whole_and_fits_its_checkpoint(support: Agent, folder: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    write(3)
    assert "It holds log_signing_key" in said("backup", backup, "--with-keys")
    entries = AuditEntry.objects.count()
    with pytest.raises(CommandError, match="is not empty"):
        said("backup", backup)
    with pytest.raises(CommandError, match="holds data already"):
        said("restore", backup)
    write(2)
    make(SYSTEM)  # newer than the backup, and filed where restoring does not reach
    with another_database():
        assert f"{entries} entries is sound and fits the checkpoint" in said("restore", backup)
        assert Agent.objects.get().slug == "support"
        with pytest.raises(CommandError, match="holds data already"):
            said("restore", backup)
        assert f"what came after {entries} is lost with this backup" in said("restore", backup, "--overwrite")
        assert AuditEntry.objects.latest("sequence").verb == "board.restored"
    assert (tmp_path / "log_signing_key").read_text() == (backup / "log_signing_key").read_text()
    with (backup / "database.dump").open("ab") as dump:
        dump.write(b"\0")
    with pytest.raises(CommandError, match="is damaged"):
        said("restore", backup, "--overwrite")
    (backup / "backup.json").unlink()
    with pytest.raises(CommandError, match="no complete backup"):
        said("restore", backup, "--overwrite")


def test_a_log_changed_behind_its_checkpoint_is_found_when_it_is_restored(folder: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    write(5)
    make(SYSTEM)
    tamper("UPDATE audit_auditentry SET body = replace(body, 'thing', 'other') WHERE sequence = 3")
    write()
    assert "the last one" in said("backup", backup)
    with another_database():
        with pytest.raises(SystemExit):
            said("restore", backup)
        assert Verification.objects.latest("pk").fault_at == 3
