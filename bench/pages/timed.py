"""The program as the web server runs it; each answer says in its headers how long it took, and how often it asked."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from reviewapp.wsgi import application as served  # first, for it sets Django up

# isort: split
from django.db import connection

from agents.wire import Environ, StartResponse


class _Asked:
    """Counts the questions to the database and the seconds they took; for `execute_wrapper`."""

    def __init__(self) -> None:
        self.count, self.seconds = 0, 0.0

    def __call__(self, execute: Callable[..., Any], *question: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(*question)
        finally:
            self.count += 1
            self.seconds += time.perf_counter() - started


def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer one request; the time runs from its arrival to the last byte, compressing included."""
    told: list[tuple[str, list[tuple[str, str]]]] = []

    def keep(status: str, headers: list[tuple[str, str]], *rest: object) -> object:
        told.append((status, headers))
        return None

    asked = _Asked()
    started, worked = time.perf_counter(), time.thread_time()
    with connection.execute_wrapper(asked):
        body = served(environ, keep)
        whole = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    took, worked = time.perf_counter() - started, time.thread_time() - worked
    status, headers = told[0]
    own = {"Bench-Seconds": took, "Bench-Python": worked, "Bench-Database": asked.seconds, "Bench-Asked": asked.count}
    start_response(status, [*headers, *((name, str(value)) for name, value in own.items())])
    return [whole]
