"""Drills with real processes: workers killed in the middle of their work, a broker flushed.

That serving goes on when everything else is dead stands in `test_served`, which has a whole board to kill.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import psutil
import pytest
import redis
from django.conf import settings
from django.db import connection, transaction

from agents.models import Agent
from audit.verify import verify
from feedback.actions.mining import mine
from feedback.models import Evidence, Feedback, Pattern
from proposals.models import Proposal
from tests.board import eventually
from tests.cast import report

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.process]

REPORTS = 200
TOPICS = [
    "the refund deadline for digital courses is wrong",
    "password reset link has expired again",
    "parcel to the island takes much longer than promised",
    "voucher code is refused at checkout every time",
    "invoice shows the old company address instead",
    "answers apologise far too often before helping",
]


def fill(agent: Agent, people: int) -> None:
    """Reports of many people on a few topics, always the same."""
    random = Random(1)
    for number in range(people):
        report(agent, f"person {number}", reason=f"{random.choice(TOPICS)} ({number})")


def environment(**more: str) -> dict[str, str]:
    """What a child process needs to meet the test's own database and broker."""
    database = connection.settings_dict
    options = "&".join(
        f"{name}={database[name.upper()]}" for name in ("host", "port", "password") if database[name.upper()]
    )
    url = f"postgresql:///{database['NAME']}?user={database['USER']}&{options}"
    return (
        os.environ
        | {"DATABASE_URL": url, "REDIS_URL": settings.CELERY_BROKER_URL, "COUNTERSIGN_MINE_EVERY_S": "1"}
        | more
    )


@contextmanager
def celery(*arguments: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery process of our own; ended, with its children, at the end."""
    command = [sys.executable, "-m", "celery", "-A", "reviewapp", *arguments]
    process = subprocess.Popen(
        command,
        env=environment(**more),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        kill_tree(process)


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """kill -9, children first or not at all: nobody gets to tidy up."""
    try:
        family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    except psutil.NoSuchProcess:
        return
    for member in family:
        member.send_signal(signal.SIGKILL)
    process.wait()


@contextmanager
def standing_still(table: str) -> Iterator[None]:
    """Nobody else can write to this table: a worker that comes to it stops there, in the middle of its transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        yield


def somebody_is_held_up() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation' AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return bool(cursor.fetchone()[0])


def picture() -> list[tuple[str, str, int, int]]:
    """What mining found, without primary keys."""
    return sorted(Pattern.objects.values_list("kind", "label", "support", "sources"))


def undisturbed(agent: Agent) -> list[tuple[str, str, int, int]]:
    """What mining finds when nobody is killed; nothing of it stays."""
    with transaction.atomic():
        mine(agent)
        found = picture()
        transaction.set_rollback(True)
    return found


WORKER = (
    "worker",
    "--concurrency=1",
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
    "-l",
    "ERROR",
)
BEAT = ("beat", "-s", "/dev/shm/countersign-test-beat", "--pidfile=", "-l", "ERROR")  # noqa: S108


def test_a_worker_killed_while_mining_and_drafting_leaves_the_same_result(
    support: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(support, REPORTS)
    expected = undisturbed(support)
    monkeypatch.setenv("COUNTERSIGN_MINE_BATCH", "5")
    with celery(*BEAT):
        for table in ("feedback_evidence", "feedback_patternday"):  # an early and a late one of mining
            with standing_still(table), celery(*WORKER):
                eventually(somebody_is_held_up, 30)
        assert not Evidence.objects.exists()  # nothing half-mined
        for table in ("proposals_proposal", "audit_auditentry"):  # the same of drafting, with mining half-way
            with standing_still(table), celery(*WORKER):
                eventually(somebody_is_held_up, 30)
            assert not Proposal.objects.exists()
            assert Pattern.objects.due().exists()
        with celery(*WORKER):
            eventually(lambda: not Feedback.objects.unmined().exists(), 60)
            eventually(lambda: not Pattern.objects.due().exists(), 60)
    assert picture() == expected
    assert Evidence.objects.count() == REPORTS
    drafted = Proposal.objects.values_list("pattern", flat=True)
    assert len(set(drafted)) == len(drafted)
    assert Pattern.objects.filter(status=Pattern.Status.PROPOSED).count() == len(drafted) > 0
    assert verify().fault is None


def test_what_was_pending_happens_within_a_minute_after_the_broker_is_flushed(support: Agent) -> None:
    broker = redis.Redis.from_url(settings.CELERY_BROKER_URL)
    with celery(*BEAT), celery(*WORKER):
        fill(support, 30)
        for _ in range(5):
            broker.flushall()
            time.sleep(0.2)
        eventually(lambda: not Feedback.objects.unmined().exists(), 60)
        eventually(Proposal.objects.exists, 60)
