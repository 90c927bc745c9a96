"""What the processes write: one JSON object a line."""

import json
import logging
import sys
from typing import Any

from reviewapp.logs import JsonLines


def written(name: str, message: str, *values: object, exc_info: Any = None) -> dict[str, Any]:
    line = JsonLines().format(logging.LogRecord(name, logging.WARNING, "", 0, message, values, exc_info))
    assert "\n" not in line
    said: dict[str, Any] = json.loads(line)
    return said


def test_every_line_is_one_object_whoever_wrote_it() -> None:
    ours = '{"event": "forbidden", "level": "warning", "timestamp": "2026-11-22T01:00:00Z"}'
    assert written("reviewapp.pages", ours) == {**json.loads(ours), "logger": "reviewapp.pages"}
    for forged in ("Not Found: /x\nERROR it burns", '{"event": "forged"}', "{"):
        said = written("django.request", "%s", forged)
        assert (said["event"], said["level"], said["logger"]) == (forged, "warning", "django.request")


def test_errors_come_with_their_traces_but_for_those_that_strangers_cause() -> None:
    try:
        raise ValueError("it burns")
    except ValueError:
        trace = sys.exc_info()
    assert "it burns" in written("django.request", "failed", exc_info=trace)["exception"]
    assert "exception" not in written("django.security.DisallowedHost", "Invalid host", exc_info=trace)
