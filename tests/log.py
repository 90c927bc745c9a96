"""A log to write to, and to tamper with behind the triggers."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from audit.record import SYSTEM, record
from people.models import User


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    """Where checkpoints are filed; the signing key is made beside it, as on a board that is given none."""
    settings.COUNTERSIGN_SIGNING_KEY = None
    settings.DATA_DIR = tmp_path
    settings.COUNTERSIGN_CHECKPOINT_DIR = None
    return tmp_path / "checkpoints"


@pytest.fixture
def sealed_at_once(db: None) -> None:
    """Entries are sealed when they are written, so that a test need not commit; one that commits seals as ever."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def write(count: int = 1, verb: str = "thing.changed", **after: Any) -> None:
    """So many entries, each committed by itself."""
    target = User.objects.get_or_create(username="target")[0]
    for _ in range(count):
        with transaction.atomic():
            record(verb, actor=SYSTEM, target=target, after={"text": "ü€😀 \u202e", **after})


def tamper(statement: str, *arguments: Any) -> None:
    """Change the database with its triggers disabled."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, arguments)
        cursor.execute("SET LOCAL session_replication_role = origin")
