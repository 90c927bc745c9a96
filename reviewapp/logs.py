"""How the board's processes write their logs: one JSON object a line, whoever in the program wrote it.

What strangers sent stands in strings, with every line break escaped, so that nobody can write a line of their own.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any, Final

import structlog

_WITHOUT_TRACE: Final = "django.security"
"""What anybody can cause, as often as they like, by asking for a host that is none of ours."""


class JsonLines(logging.Formatter):
    """Lines that structlog made get the logger's name; those of libraries are put into the same form."""

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        said = _made(message) or self._foreign(record, message)
        return json.dumps({**said, "logger": record.name}, ensure_ascii=False, default=str)

    def _foreign(self, record: logging.LogRecord, message: str) -> dict[str, Any]:
        at = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
        said = {**structlog.contextvars.get_contextvars(), "event": message, "level": record.levelname.lower()}
        if record.exc_info and not record.name.startswith(_WITHOUT_TRACE):
            said["exception"] = self.formatException(record.exc_info)
        return {**said, "timestamp": at}


def _made(message: str) -> dict[str, Any] | None:
    """What structlog wrote, if it was structlog."""
    if not message.startswith("{"):
        return None
    try:
        said = json.loads(message)
    except ValueError:
        return None
    return said if isinstance(said, dict) and {"event", "level", "timestamp"} <= said.keys() else None
