"""What every request passes through."""

from collections.abc import Callable
from typing import Any

import structlog
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase

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


class UnstoredMiddleware:
    """Have nothing kept by browsers and proxies of what says nothing of that itself: all of it is of somebody.

    The answer to a form may be kept by the browser itself, for going back to it: were it fetched anew, the browser
    would ask to send the form again. A form that was taken leads elsewhere, so that is what was refused.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_form = request.method == "POST" and not request.path.startswith(API)
        response.setdefault("Cache-Control", "private, no-cache" if is_form else "no-store")
        return response


class SignedInMiddleware(LoginRequiredMiddleware):
    """Send whoever is not signed in to sign in, but never put that page into a part of the one they were on.

    htmx would follow the redirect and show the sign-in form in the middle of the page, over what was typed there.
    It gets a bare 401 instead; the page's own script says what to do, and leaves every word where it is.
    """

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        refused = super().process_view(request, view_func, view_args, view_kwargs)
        return HttpResponse(status=401) if refused and request.headers.get("HX-Request") == "true" else refused
