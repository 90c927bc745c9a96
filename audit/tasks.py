"""Doorbells for what vouches for the log. A tick may come twice, late or not at all: the rows say what is due."""

from celery import shared_task


@shared_task
def checkpoint_due() -> None:
    """Make a checkpoint if one is due, and hand out those that were not yet."""
    from audit import checkpoints

    checkpoints.make_due()


@shared_task(soft_time_limit=3500, time_limit=3600)
def verify_log() -> None:
    """Walk the whole log, once a night."""
    from audit import verify

    verify.verify_nightly()
