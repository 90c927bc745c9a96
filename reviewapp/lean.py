"""The calls that are made all the time, answered before Django and its middleware are asked."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Final, NamedTuple

from django.conf import settings

from agents.instructions import get_instructions
from agents.problems import Problem
from agents.wire import (
    Answer,
    Environ,
    LeanView,
    StartResponse,
    announce_length,
    answer,
    is_tls,
    read_json,
    refusal,
    refuse,
    refuse_longer,
    respond,
)
from feedback.api.lean import post_feedback, post_runs
from reviewapp.crowding import Crowded, crowd

PREFIX: Final = "/api/v1"
NEEDS_TLS: Final = Problem(403, "needs-tls", "Call over https. A key that was sent in clear is best replaced.")
LONGEST_FORM: Final = 2 * settings.DATA_UPLOAD_MAX_MEMORY_SIZE
"""Up to here a page says what is too large; nothing that is longer is read."""


_NOT_SPOKEN: Final = ("TRACE", "CONNECT")


class Route(NamedTuple):
    """A method and a path below PREFIX; a part in braces matches one segment."""

    method: str
    path: str
    view: LeanView


ROUTES: Final = (
    Route("GET", "/agents/{agent}/instructions/{document}", get_instructions),
    Route("POST", "/feedback", post_feedback),
    Route("POST", "/runs", post_runs),
)

_BY_LENGTH: Final = {
    (route.method, len(route.path.split("/"))): [
        (other, other.path.split("/")) for other in ROUTES if len(other.path.split("/")) == len(route.path.split("/"))
    ]
    for route in ROUTES
}


def lean_response(environ: Environ, start_response: StartResponse) -> Iterable[bytes] | None:
    """The whole answer if one of ROUTES is asked for or the body is too large for anybody; else None."""
    path: str = environ["PATH_INFO"]
    if path.startswith(f"{PREFIX}/") and _is_in_clear(environ):
        return respond(environ, refuse(environ, NEEDS_TLS), start_response)
    if path.startswith(PREFIX) and (found := _route(environ, path)):
        route, parts = found
        view = turned_away if route.method == "POST" and crowd.is_standing() else route.view
        return respond(environ, answer(view, environ, *parts), start_response)
    try:
        if environ["REQUEST_METHOD"] in _NOT_SPOKEN:
            raise Problem(405, "method-not-allowed", "Neither TRACE nor CONNECT is answered here.")
        refuse_longer(environ, LONGEST_FORM)
        announce_length(environ, settings.COUNTERSIGN_BODY_LIMIT)
    except Problem as problem:
        return respond(environ, refusal(problem), start_response)
    return None


def turned_away(environ: Environ, *_: str) -> Answer:
    """For a report when too many come; read all the same, for a connection that breaks says nothing. Raises Crowded."""
    with suppress(Problem):
        read_json(environ, settings.COUNTERSIGN_BODY_LIMIT)
    raise Crowded


def _is_in_clear(environ: Environ) -> bool:
    """Whether it came without TLS to a board reached by TLS alone. Pages lead to where that is; a program that sends
    its key in clear is to notice.
    """
    return settings.SECURE_SSL_REDIRECT and not is_tls(environ)


def _route(environ: Environ, path: str) -> tuple[Route, list[str]] | None:
    """The route asked for, and what its placeholders matched."""
    # WSGI hands paths over as Latin-1 text of UTF-8 bytes; names in these routes are ASCII, so nothing else can match.
    segments = path[len(PREFIX) :].split("/")
    for route, pattern in _BY_LENGTH.get((environ["REQUEST_METHOD"], len(segments)), ()):
        if route.method == environ["REQUEST_METHOD"] and _matches(pattern, segments):
            parts = [segment for wanted, segment in zip(pattern, segments, strict=True) if wanted.startswith("{")]
            return route, parts
    return None


def _matches(pattern: list[str], segments: list[str]) -> bool:
    return all(wanted.startswith("{") or wanted == found for wanted, found in zip(pattern, segments, strict=True))
