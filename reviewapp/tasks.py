"""Signs of life: of the worker, which runs the task, and of the scheduler, which sends it."""

from typing import Any

from celery import shared_task
from celery.signals import after_task_publish, beat_init, worker_process_init, worker_ready
from django.db import DatabaseError, connection

from reviewapp.models import Heartbeat
from reviewapp.processes import tie_to_server


@shared_task
def heartbeat() -> None:
    """Note that a worker takes tasks. Sent by the scheduler every 15 seconds."""
    Heartbeat.beat(Heartbeat.Process.WORKER)


@shared_task
def retain() -> None:
    """Take away what is older than it is kept."""
    from reviewapp import retention

    retention.apply_all()


@worker_ready.connect
def worker_is_ready(**_: Any) -> None:
    """The first sign of life, before the first tick arrives."""
    _beat_aside(Heartbeat.Process.WORKER)


@beat_init.connect
def scheduler_is_ready(**_: Any) -> None:
    """The first sign of life, before the first tick is due."""
    _beat_aside(Heartbeat.Process.SCHEDULER)


@after_task_publish.connect(sender="reviewapp.tasks.heartbeat")
def tick_was_sent(**_: Any) -> None:
    """Only the scheduler sends this task, and the broker has taken it: the scheduler does its work."""
    _beat_aside(Heartbeat.Process.SCHEDULER)


@worker_process_init.connect
def tie_pool_process(**_: Any) -> None:
    """A pool process must not go on when its worker has been killed."""
    tie_to_server()


def _beat_aside(process: Heartbeat.Process) -> None:
    """A sign of life from a process that otherwise needs no database: it must neither fail by it nor hold on to it."""
    try:
        Heartbeat.beat(process)
    except DatabaseError:
        return  # without a database nobody could read the sign; the next one is due in 15 seconds
    finally:
        connection.close()
