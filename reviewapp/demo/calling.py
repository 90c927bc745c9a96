"""Calls of the REST API as any client makes them: HTTP and a key, nothing of the board's own."""

import json
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlsplit

Call = Callable[[str, str, Any], tuple[int, Any]]
"""(method, path below /api/v1, body or None) → status and the parsed answer."""

_TIMEOUT_S: Final = 30.0


class CannotReach(Exception):
    """Raised when the board does not answer; the message says why."""


class Calls:
    """One kept connection to a board at `address`, with `key`."""

    def __init__(self, address: str, key: str) -> None:
        parts = urlsplit(address)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname or "127.0.0.1", parts.port, timeout=_TIMEOUT_S)
        self._headers: Mapping[str, str] = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def __call__(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Raises CannotReach. Reports carry ids of their own, so what was sent twice counts once."""
        raw = None if body is None else json.dumps(body)
        for last in (False, True):
            try:
                self._connection.request(method, f"/api/v1{path}", raw, self._headers)
                answer = self._connection.getresponse()
                return answer.status, json.loads(answer.read() or b"null")
            except (OSError, HTTPException) as error:
                self._connection.close()
                if last:
                    raise CannotReach(f"The board does not answer: {error}") from None
        raise AssertionError("unreachable")

    def close(self) -> None:
        self._connection.close()
