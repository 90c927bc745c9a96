"""Doorbells for what goes out. A tick may come twice, late or not at all: the rows say what waits."""

from celery import shared_task


@shared_task
def deliver() -> None:
    """Send what is due."""
    from notices import delivering

    delivering.deliver_all()


@shared_task
def tidy_notices() -> None:
    """Forget what was told long ago."""
    from notices import delivering

    delivering.tidy()
