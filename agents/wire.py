"""HTTP without a framework, for the three calls that are made all the time.

A lean view takes a WSGI environ and gives an `Answer`. The WSGI entry point calls it before Django and its middleware;
Django's URLconf reaches the very same function. Neither cookies nor sessions exist here: a key is the only way in.
"""

import io
import os
import string
from collections.abc import Callable, Iterable
from functools import cache
from http import HTTPStatus
from typing import Any, Final, NamedTuple, Protocol

import msgspec
import structlog
from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse

from agents import keys, limits, refusals, tokens
from agents.networks import client_address
from agents.problems import Problem, TookTooLong, Unavailable
from agents.statements import took_too_long

Environ = dict[str, Any]
JSON: Final = "application/json"
DATABASE_FAILED: Final = (OperationalError, InterfaceError, InternalError)
"""What `unavailable` has an answer to."""

_GUARDS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)
"""What Django's middleware would say of pages, for answers that no page shows."""
_DROPPED_LIMITS: Final = 4
_LONGEST_ID: Final = 64
_LONGEST_LENGTH: Final = 12
"""Digits of a length; one of a thousand digits is just too large, and is not made a number of."""
_IN_ID: Final = frozenset(string.ascii_letters + string.digits + "-_.")
_ID_KEPT: Final = "countersign.request_id"

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
        found = view(environ, *parts)
    except Problem as problem:
        found = refuse(environ, problem)
    except DATABASE_FAILED as error:
        found = refusal(unavailable(environ, error))
    told = limits.headers_of(environ)
    return found._replace(headers=_with(found.headers, told)) if told else found


def _with(headers: tuple[tuple[str, str], ...], more: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """All of them, each name once."""
    return tuple({**dict(headers), **dict(more)}.items())


def unavailable(environ: Environ, error: Exception) -> Problem:
    """What to answer when the database has failed; writes the reason to the log, which the sender is not told.

    Raises the error again if it is none of the database's.
    """
    late = took_too_long(error)
    if isinstance(error, InternalError) and not late:  # such as a transaction that goes on after an error: our fault
        raise error
    said = "database_too_slow" if late else "database_failed"
    _log.error(said, path=environ.get("PATH_INFO"), error=str(error), request_id=request_id(environ))
    return TookTooLong() if late else Unavailable()


def refuse(environ: Environ, problem: Problem) -> Answer:
    """As `refusal`; one for want of a key or a right is in the log of the server."""
    refusals.note(environ, problem, request_id(environ))
    return refusal(problem)


def refusal(problem: Problem) -> Answer:
    body = msgspec.json.encode(problem.document())
    return Answer(problem.status, body, tuple(problem.headers.items()), "application/problem+json")


def request_id(environ: Environ) -> str:
    """The id of a request, the same each time it is asked for: the sender's own X-Request-Id if well formed, or new.

    Well formed is 1 to 64 ASCII letters, digits, hyphens, underscores and dots: it stands in logs and in the audit log.
    """
    found: str | None = environ.get(_ID_KEPT)
    if found is None:
        given: str = environ.get("HTTP_X_REQUEST_ID", "")
        well_formed = given and len(given) <= _LONGEST_ID and _IN_ID.issuperset(given)
        found = environ[_ID_KEPT] = given if well_formed else os.urandom(16).hex()
    return found


def respond(environ: Environ, found: Answer, start_response: StartResponse) -> Iterable[bytes]:
    """Send an answer the WSGI way."""
    headers = [*found.headers, *_GUARDS, ("X-Request-Id", request_id(environ))]
    if settings.SECURE_HSTS_SECONDS and is_tls(environ):
        headers.append(("Strict-Transport-Security", _hsts()))
    if found.status not in (204, 304):
        headers += (("Content-Type", found.content_type), ("Content-Length", str(len(found.body))))
    start_response(_STATUS_LINES[found.status], headers)
    return (found.body,)


def is_tls(environ: Environ) -> bool:
    """Whether it came by TLS, to the board or to the proxy before it."""
    return "https" in (environ.get("HTTP_X_FORWARDED_PROTO"), environ["wsgi.url_scheme"])


@cache
def _hsts() -> str:
    """As Django's own middleware writes it."""
    words = [f"max-age={settings.SECURE_HSTS_SECONDS}"]
    words += ["includeSubDomains"] if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else []
    words += ["preload"] if settings.SECURE_HSTS_PRELOAD else []
    return "; ".join(words)


def through_django(view: LeanView, request: HttpRequest, *parts: str) -> HttpResponse:
    """The same view for Django's URLconf, whose request carries the environ it was made from."""
    found = answer(view, request.META, *parts)
    return HttpResponse(found.body, status=found.status, content_type=found.content_type, headers=dict(found.headers))


def caller(environ: Environ, scope: str) -> keys.Caller:
    """Who calls, with the right to do so. Raises BadKey, AddressRefused or MissingScope."""
    return admit(environ, bearer_token(environ.get("HTTP_AUTHORIZATION", "")), scope)


def admit(environ: Environ, token: str, scope: str) -> keys.Caller:
    """As `caller`, for a key that was read from the request already."""
    found = keys.authenticate(token, lambda: client_address(environ, settings.COUNTERSIGN_TRUSTED_PROXIES))
    found.require(scope)
    return found


def bearer_token(header: str) -> str:
    """The key in an Authorization header. Raises BadKey."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise tokens.BadKey("Send an API key: “Authorization: Bearer csk_…”.")
    return token.strip()


def read_json(environ: Environ, limit: int) -> bytes:
    """The raw body of a JSON request, at most `limit` bytes. Raises Problem: 411, 413 or 415."""
    content_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if content_type != JSON:
        raise Problem(415, "wrong-content-type", "Send the body as application/json.")
    if environ.get("HTTP_CONTENT_ENCODING", "identity") not in ("", "identity"):
        raise Problem(415, "wrong-content-encoding", "Send the body uncompressed.")
    refuse_longer(environ, limit)
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isascii() and length.isdigit():
        body: bytes = environ["wsgi.input"].read(int(length))
        return body
    return _read_unannounced(environ, limit)


def refuse_longer(environ: Environ, limit: int) -> None:
    """Turn down a body that says it is longer, before any of it is read. Raises Problem (413)."""
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isascii() and length.isdigit() and (len(length) > _LONGEST_LENGTH or int(length) > limit):
        raise too_large(limit)


def announce_length(environ: Environ, limit: int) -> None:
    """Give a chunked body its Content-Length: Django takes a request without one for empty. Raises Problem (413)."""
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower() and not environ.get("CONTENT_LENGTH"):
        body = _read_unannounced(environ, limit)
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}


def too_large(limit: int) -> Problem:
    return Problem(413, "body-too-large", f"A body has at most {limit} bytes. Send a list in several parts.")


def _read_unannounced(environ: Environ, limit: int) -> bytes:
    """A chunked body: read no further than one byte past the limit."""
    if "chunked" not in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        raise Problem(411, "length-required", "Send Content-Length.")
    stream, body = environ["wsgi.input"], b""
    while len(body) <= limit and (piece := stream.read(min(65_536, limit + 1 - len(body)))):
        body += piece
    if len(body) > limit:
        _drop(stream, _DROPPED_LIMITS * limit)
        raise too_large(limit)
    return body


def _drop(stream: Any, most: int) -> None:
    """Read on for nothing, but not for ever: a sender whose connection breaks while it sends never sees the answer."""
    while most > 0 and (piece := stream.read(65_536)):
        most -= len(piece)
