"""What is done for people in the background."""

from celery import shared_task


@shared_task
def tidy_sessions() -> None:
    """Forget sessions that are over, and where they were. Sent once an hour."""
    from people import sessions

    sessions.tidy()
