"""What every request passes through."""

from collections.abc import Callable

import structlog
from django.http import Http404, HttpRequest, HttpResponse

from agents.problems import NotFound
from agents.wire import refusal, request_id

API = "/api/"
NUL = "\0"


class RequestIdMiddleware:
    """Give each request an id: in its logs, on its audit entries, in its answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        found = request_id(request.META)
        with structlog.contextvars.bound_contextvars(request_id=found):
            response = self.get_response(request)
        response["X-Request-Id"] = found
        return response


class PlainTextMiddleware:
    """Keep out what is no text, before any view or form sees it: no column can hold it, and patterns fail over it.

    Senders may name a charset in which half a surrogate pair can be spelt (UTF-7), so everything is read as UTF-8. An
    address with a NUL in it leads nowhere. In a page's query it is left to the page: forms refuse it by themselves.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.encoding = "utf-8"
        if request.path.startswith(API) and (NUL in request.path or "%00" in request.META.get("QUERY_STRING", "")):
            refused = refusal(NotFound("An address contains no NUL character."))
            return HttpResponse(refused.body, status=refused.status, content_type=refused.content_type)
        if NUL in request.path:
            raise Http404
        return self.get_response(request)
