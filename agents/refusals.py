"""Calls of the API that are turned away for their key, in the log of the server: why, which key, from where.

Never the key: its prefix is public, and of what is no key of ours nothing is kept. Anybody can send such calls, so each
process writes so many a minute of one address and in all, and then how many it did not write.
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

import structlog
from django.conf import settings

from agents import tokens
from agents.networks import client_address
from agents.problems import Problem

OF_ONE_ADDRESS: Final = 10
IN_ALL: Final = 60
_MINUTE_S: Final = 60
_REFUSED: Final = (401, 403)
_LONGEST_PATH: Final = 200
log = structlog.get_logger()


@dataclass
class _Minute:
    """What was written in this one, and how much was not."""

    began: float = float("-inf")
    written: Counter[str] = field(default_factory=Counter)
    unwritten: int = 0


_minute = _Minute()
_lock: Final = Lock()


def note(environ: dict[str, Any], problem: Problem, request_id: str) -> None:
    """Write it down if it is a refusal for want of a key or a right, and there is room for it."""
    if problem.status not in _REFUSED:
        return
    address = client_address(environ, settings.COUNTERSIGN_TRUSTED_PROXIES)
    if not _has_room(address):
        return
    log.warning(
        "api_refused",
        reason=problem.kind,
        key=_prefix(environ),
        address=address,
        method=environ.get("REQUEST_METHOD"),
        path=str(environ.get("PATH_INFO"))[:_LONGEST_PATH],
        request_id=request_id,
    )


def _has_room(address: str) -> bool:
    global _minute
    now, unwritten = time.monotonic(), 0
    with _lock:
        if now - _minute.began >= _MINUTE_S:
            unwritten, _minute = _minute.unwritten, _Minute(now)
        has_room = _minute.written[address] < OF_ONE_ADDRESS and _minute.written.total() < IN_ALL
        if has_room:
            _minute.written[address] += 1
        else:
            _minute.unwritten += 1
    if unwritten:
        log.warning("api_refusals_not_written", calls=unwritten)
    return has_room


def _prefix(environ: dict[str, Any]) -> str:
    """Of a key in our form, whether there is such a key or not."""
    try:
        return tokens.parse(environ.get("HTTP_AUTHORIZATION", "").partition(" ")[2].strip())
    except tokens.BadKey:
        return ""
