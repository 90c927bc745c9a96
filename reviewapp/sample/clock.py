"""A clock for telling a story that happened in the past."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from unittest import mock

from django.utils import timezone


class Clock:
    """The time that `timezone.now()` tells while the clock runs; it can be moved forward only."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def move_to(self, moment: datetime) -> None:
        """Raises ValueError for a moment before the present one: the log must not run backwards."""
        if moment < self.now:
            raise ValueError(f"The clock stands at {self.now}; it cannot go back to {moment}.")
        self.now = moment


@contextmanager
def running(start: datetime) -> Iterator[Clock]:
    """Let `timezone.now()` tell the time of the clock, in this process, until the block ends.

    Fields hold `timezone.now` itself as their default, so it is not that function which is exchanged but the class
    it asks. For commands that run in one thread.
    """
    clock = Clock(start)

    class Told(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return clock.now.astimezone(tz)

    with mock.patch.object(timezone, "datetime", Told):
        yield clock
