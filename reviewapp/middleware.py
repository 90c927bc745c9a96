"""What every request passes through."""

from collections.abc import Callable
from uuid import uuid4

import structlog
from django.http import HttpRequest, HttpResponse


class RequestIdMiddleware:
    """Give each request an id: in its logs, on its audit entries, in its answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = uuid4().hex
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response
