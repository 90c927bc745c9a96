"""Calls of the API: one connection each, bounded in time and size, never redirected (a key must not follow)."""

import json
import random
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

MOST_BYTES = 16_000_000
LONGEST_PAUSE_S = 60.0
LONGEST_ASKED_S = 3600.0
"""A server may ask for no longer pause than this."""
LATER = (408, 425, 429)
AWAY = (429, 502, 503, 504)


class Unreachable(Exception):
    """No whole answer came in time."""


@dataclass(frozen=True)
class Answer:
    """One answer; `headers` by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body; None where it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def problem(self) -> dict[str, Any]:
        """The problem document; empty where there is none."""
        found = self.json()
        return found if isinstance(found, dict) else {}

    @property
    def says(self) -> str:
        """Why it is no good answer."""
        return f"The board answered {self.status}: {self.problem.get('detail') or 'nothing that could be understood'}"

    @property
    def retry_after(self) -> float:
        """Seconds the server asked for; 0 where it did not."""
        asked = self.headers.get("retry-after", "")
        return min(float(asked), LONGEST_ASKED_S) if asked.isascii() and asked.isdigit() else 0.0

    @property
    def is_refusal(self) -> bool:
        """Whether the board itself, and not something before it, will not take this later either."""
        is_final = 400 <= self.status < 500 and self.status not in LATER
        return is_final and str(self.problem.get("type", "")).startswith("/problems/")

    @property
    def is_away(self) -> bool:
        """Whether nothing can be had of the server now; a text it keeps back does not count, others it serves."""
        return self.status in AWAY and self.problem.get("type") != "/problems/altered-text"


class Wire:
    """A board at `url`, and `key`."""

    def __init__(self, url: str, key: str, timeout_s: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"The address of the board should begin with https:// or http://, not be “{url}”.")
        self._connection = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host, self._port = parts.hostname, parts.port
        self._base = f"{parts.path.rstrip('/')}/api/v1"
        self._key = key
        self.timeout_s = timeout_s

    def call(self, method: str, path: str, body: bytes | None = None, *, tags: str = "") -> Answer:
        """`tags` are what the caller has, so that 304 may be the answer. Raises Unreachable."""
        sent = {"Authorization": f"Bearer {self._key}", "Accept": "application/json"}
        sent |= {"Content-Type": "application/json"} if body is not None else {}
        sent |= {"If-None-Match": tags} if tags else {}
        connection = self._connection(self._host, self._port, timeout=self.timeout_s)
        cut = threading.Timer(self.timeout_s, lambda: None)
        try:
            connection.connect()
            cut = _cut_after(self.timeout_s, connection.sock)
            connection.request(method, self._base + path, body, sent)
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            parts: list[bytes] = []
            while part := answer.read1(65_536):
                parts.append(part)
                if sum(map(len, parts)) > MOST_BYTES:
                    raise Unreachable("The answer does not come to an end.")
            if answer.length:
                raise Unreachable("The answer broke off.")
            return Answer(answer.status, told, b"".join(parts))
        except (OSError, HTTPException) as error:
            raise Unreachable(str(error) or type(error).__name__) from None
        finally:
            cut.cancel()
            connection.close()


def _cut_after(seconds: float, sock: socket.socket) -> threading.Timer:
    """A timeout of the socket begins anew with every byte; this one does not."""

    def cut() -> None:
        with suppress(OSError):  # it may have ended at this moment
            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # also under TLS, which the other side need not agree to end

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    return timer


class Pause:
    """When to try again what failed: after 1, 2, 4 … 60 seconds, less up to half of it so that not all come at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0
        self._failures = 0
        self.problem = ""

    def may_try(self, at_most_s: float) -> bool:
        """Whether to try now: everybody while all is well, one at a time once something failed."""
        with self._lock:
            now = time.monotonic()
            if self._failures and now < self._until:
                return False
            self._until = now + at_most_s
            return True

    def failed(self, problem: str, retry_after: float = 0.0) -> None:
        """The next pause begins."""
        with self._lock:
            self._failures, self.problem = min(self._failures + 1, 10), problem
            pause = min(2.0 ** (self._failures - 1), LONGEST_PAUSE_S) * random.uniform(0.5, 1)  # noqa: S311 (jitter)
            self._until = time.monotonic() + max(pause, retry_after)

    def worked(self) -> None:
        """There is none any more."""
        with self._lock:
            self._failures, self.problem = 0, ""
