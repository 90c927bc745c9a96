"""The REST interface, joined: routers, refusals, the OpenAPI document and its page."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import msgspec
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, re_path
from django.views.decorators.csrf import csrf_exempt
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as NinjaValidationError
from ninja.parser import Parser

from agents import refusals
from agents.api import Key
from agents.api import router as agents_router
from agents.api_keys import router as keys_router
from agents.limits import headers_of
from agents.models import ApiKey
from agents.problems import FieldError, Invalid, NotFound, Problem
from agents.tokens import BadKey
from agents.wire import JSON, request_id, too_large, unavailable
from audit.api import router as audit_router
from feedback.api.erasures import router as erasures_router
from feedback.api.health import router as health_router
from feedback.api.routes import router as feedback_router
from feedback.ingest import diagnosis
from proposals.api.blame import router as blame_router
from proposals.api.compare import router as compare_router
from proposals.api.proposals import router as proposals_router
from proposals.api.rollouts import router as rollouts_router
from proposals.api.sources import router as sources_router
from proposals.api.taint import router as taint_router
from proposals.api.then import router as then_router
from proposals.api.trials import router as trials_router
from reviewapp.openapi import DocumentedApi

View = Callable[..., HttpResponse]


class StrictJson(Parser):
    """Bodies read as strictly as reports are: nothing repeated, no NUL, no NaN, no number without end."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        if request.content_type != JSON:
            raise Problem(415, "wrong-content-type", "Send the body as application/json.")
        if len(request.body) > settings.COUNTERSIGN_BODY_LIMIT:  # forms may be larger
            raise too_large(settings.COUNTERSIGN_BODY_LIMIT)
        tree = diagnosis.load(request.body)
        found = diagnosis.flaws(tree)
        if found:
            raise Invalid(found)
        parsed: dict[str, Any] = tree
        return parsed


api = DocumentedApi(
    title="Countersign",
    version="1",
    description="Agents report what happened, read their instructions, propose changes. People decide in the browser.",
    parser=StrictJson(),
    urls_namespace="api",
)
api.add_router("/agents", agents_router)
api.add_router("/agents", health_router)
api.add_router("/keys", keys_router)
api.add_router("/keys", taint_router)
api.add_router("/agents", sources_router)
api.add_router("", erasures_router)
api.add_router("", feedback_router)
api.add_router("", proposals_router)
api.add_router("", compare_router)
api.add_router("", trials_router)
api.add_router("", blame_router)
api.add_router("", then_router)
api.add_router("", rollouts_router)
api.add_router("/audit", audit_router, auth=Key(ApiKey.Scope.AUDIT))


def _refuse(request: HttpRequest, problem: Problem) -> HttpResponse:
    refusals.note(request.META, problem, request_id(request.META))
    return problem_response(problem)


def problem_response(problem: Problem) -> HttpResponse:
    """A refusal as Django sends it."""
    body = msgspec.json.encode(problem.document())
    return HttpResponse(body, status=problem.status, content_type="application/problem+json", headers=problem.headers)


@api.exception_handler(Problem)
def _problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    return _refuse(request, problem)


@api.exception_handler(AuthenticationError)
def _unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return _refuse(request, BadKey("Send an API key: “Authorization: Bearer csk_…”."))


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    # Ninja wraps whatever goes wrong while a body is read.
    if isinstance(error.__cause__, Problem):
        return problem_response(error.__cause__)
    return problem_response(Problem(error.status_code, "bad-request", str(error)))


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return problem_response(NotFound("There is nothing here."))


@api.exception_handler(RequestDataTooBig)
def _too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return problem_response(too_large(settings.COUNTERSIGN_BODY_LIMIT))


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
@api.exception_handler(InternalError)
def _unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem_response(unavailable(request.META, error))


@api.exception_handler(NinjaValidationError)
def _invalid(request: HttpRequest, error: NinjaValidationError) -> HttpResponse:
    return problem_response(Invalid([_field_error(item) for item in error.errors]))


def _field_error(error: dict[str, Any]) -> FieldError:
    """Where it is, as the sender sees it: ("body", "body", "title") is the field title."""
    place, *path_ = error["loc"]
    if place == "body":
        path_ = path_[1:]
    elif place == "query":
        path_ = ["query", *(part for part in path_ if part not in ("filters", "paging"))]
    return {"loc": path_, "msg": str(error["msg"]).removeprefix("Value error, ")}


def _nothing_here(request: HttpRequest, **_: str) -> HttpResponse:
    return problem_response(NotFound("There is nothing at this address. See /api/v1/docs."))


def _edge(view: View) -> View:
    """What holds for every address of the API: keys only, no session, no CSRF token, refusals in one shape."""

    def at_edge(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except Http404:  # from ninja's own address of the root, which is only there to be reversed
            return _nothing_here(request)
        for name, value in headers_of(request.META):
            response[name] = value
        if response.status_code == 405:
            allowed = response.get("Allow", "")
            return problem_response(
                Problem(405, "method-not-allowed", f"Use {allowed} here.", headers={"Allow": allowed})
            )
        return response

    return csrf_exempt(login_not_required(update_wrapper(at_edge, view)))


def _patterns() -> list[URLPattern | URLResolver]:
    """The addresses below /api/v1/, each with its edge, and an answer for all that are none."""
    found = [pattern for pattern in api.urls[0] if isinstance(pattern, URLPattern)]
    for pattern in found:
        pattern.callback = _edge(pattern.callback)
    return [*found, re_path("", _edge(_nothing_here))]


urls = (_patterns(), "api", "api")
