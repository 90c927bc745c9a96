"""Times on the wire: RFC 3339, with a zone."""

from datetime import UTC, datetime
from typing import Final

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_SHORTEST: Final = len("2026-05-03T10:42:00Z")


def parse_time(value: str) -> datetime:
    """The moment meant, in UTC: no database knows all zones that can be written. Raises ValueError with a sentence."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not _SHORTEST <= len(value) <= 40:
        raise ValueError("Use a time with a zone, like 2026-05-03T10:42:00Z.")
    try:
        if EARLIEST <= moment < LATEST:
            return moment.astimezone(UTC)
    except OverflowError:  # a zone that leads out of the calendar
        pass
    raise ValueError("This time is before the year 2000 or after 2200.")
