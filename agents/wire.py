"""HTTP without a framework, for the three calls that are made all the time.

A lean view takes a WSGI environ and gives an `Answer`. The WSGI entry point calls it before Django and its middleware;
Django's URLconf reaches the very same function. Neither cookies nor sessions exist here: a key is the only way in.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final, NamedTuple, Protocol

import msgspec
import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from agents import keys
from agents.problems import Problem

Environ = dict[str, Any]
JSON: Final = "application/json"

_log = structlog.get_logger()
_STATUS_LINES: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Answer(NamedTuple):
    """A whole HTTP response."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = JSON


LeanView = Callable[..., Answer]
"""Called with the environ and what the route's placeholders matched. Raises Problem."""


class StartResponse(Protocol):
    def __call__(self, status: str, headers: list[tuple[str, str]]) -> object: ...


def answer(view: LeanView, environ: Environ, *parts: str) -> Answer:
    """The view's answer, refusals and an unreachable database included."""
    try:
        return view(environ, *parts)
    except Problem as problem:
        return refusal(problem)
    except (OperationalError, InterfaceError) as error:
        _log.error("database_failed", path=environ.get("PATH_INFO"), error=str(error))
        detail = "The database cannot be reached just now. Nothing was stored; try again with the same ids."
        return refusal(Problem(503, "unavailable", detail, headers={"Retry-After": "1"}))


def refusal(problem: Problem) -> Answer:
    body = msgspec.json.encode(problem.document())
    return Answer(problem.status, body, tuple(problem.headers.items()), "application/problem+json")


def respond(found: Answer, start_response: StartResponse) -> Iterable[bytes]:
    """Send an answer the WSGI way."""
    headers = [*found.headers, ("X-Content-Type-Options", "nosniff")]
    if found.status not in (204, 304):
        headers += (("Content-Type", found.content_type), ("Content-Length", str(len(found.body))))
    start_response(_STATUS_LINES[found.status], headers)
    return (found.body,)


def through_django(view: LeanView, request: HttpRequest, *parts: str) -> HttpResponse:
    """The same view for Django's URLconf, whose request carries the environ it was made from."""
    found = answer(view, request.META, *parts)
    return HttpResponse(found.body, status=found.status, content_type=found.content_type, headers=dict(found.headers))


def caller(environ: Environ, scope: str) -> keys.Caller:
    """Who calls, with the right to do so. Raises BadKey or MissingScope."""
    found = keys.authenticate(bearer_token(environ.get("HTTP_AUTHORIZATION", "")))
    found.require(scope)
    return found


def bearer_token(header: str) -> str:
    """The key in an Authorization header. Raises BadKey."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise keys.BadKey("Send an API key: “Authorization: Bearer csk_…”.")
    return token.strip()


def read_json(environ: Environ, limit: int) -> bytes:
    """The raw body of a JSON request, at most `limit` bytes. Raises Problem: 411, 413 or 415."""
    content_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if content_type != JSON:
        raise Problem(415, "wrong-content-type", "Send the body as application/json.")
    if environ.get("HTTP_CONTENT_ENCODING", "identity") not in ("", "identity"):
        raise Problem(415, "wrong-content-encoding", "Send the body uncompressed.")
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isascii() and length.isdigit():
        # Asked before anything is read, and before int(): a length of a thousand digits is just too large.
        if len(length) > 12 or int(length) > limit:
            raise too_large(limit)
        body: bytes = environ["wsgi.input"].read(int(length))
        return body
    return _read_unannounced(environ, limit)


def too_large(limit: int) -> Problem:
    return Problem(413, "body-too-large", f"A body has at most {limit} bytes. Send a list in several parts.")


def _read_unannounced(environ: Environ, limit: int) -> bytes:
    """A chunked body: read no further than one byte past the limit."""
    if environ.get("HTTP_TRANSFER_ENCODING", "").lower() != "chunked":
        raise Problem(411, "length-required", "Send Content-Length.")
    stream, body = environ["wsgi.input"], b""
    while len(body) <= limit and (piece := stream.read(min(65_536, limit + 1 - len(body)))):
        body += piece
    if len(body) > limit:
        raise too_large(limit)
    return body
