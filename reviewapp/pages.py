"""Pages about the board itself: its settings, and what is shown when something is wrong."""

import sys

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from agents.models import ApiKey
from agents.problems import TookTooLong
from agents.sensitive import MASKED, NAMES
from agents.statements import took_too_long
from audit.models import ChainHead
from people.factors import with_factor
from people.models import Team, User
from people.requests import PersonRequest
from people.roles import Role
from proposals.grounds.sourcing import board_rule

PEOPLE_SHOWN = 500
KEYS_SHOWN = 200
TEAMS_SHOWN = 200
log = structlog.get_logger()


@require_safe
def board_settings(request: PersonRequest) -> HttpResponse:
    """Who may do what here, which rules are in force, and one's own account."""
    sees_people = request.user.has_perm("audit.view_auditentry")
    context = {
        "people": _people() if sees_people else None,
        "keys": _keys(request.user) if sees_people else None,
        "teams": _teams() if sees_people else None,
        "roles": list(Role),
        "own_roles": request.user.groups.order_by("name"),
        "own_teams": request.user.teams.order_by("name"),
        "min_sources": settings.COUNTERSIGN_MIN_SOURCES,
        "source_rule": board_rule(),
        "remove_after_days": settings.COUNTERSIGN_REMOVE_AFTER_DAYS,
        "masks": [NAMES[kind] for kind in MASKED if kind in settings.COUNTERSIGN_MASK],
        "service": settings.COUNTERSIGN_OIDC_NAME,
        "second_factor": sorted(settings.COUNTERSIGN_SECOND_FACTOR),
        "head": ChainHead.objects.first(),
    }
    return render(request, "settings.html", context)


def _people() -> "QuerySet[User]":
    return with_factor(User.objects.prefetch_related("groups").order_by("username"))[:PEOPLE_SHOWN]


def _keys(user: User) -> "QuerySet[ApiKey]":
    return ApiKey.objects.for_person(user).select_related("agent", "owner")[:KEYS_SHOWN]


def _teams() -> "QuerySet[Team]":
    members = Prefetch("members", User.objects.order_by("name", "username"))
    return Team.objects.filter(is_active=True).prefetch_related(members)[:TEAMS_SHOWN]


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: rendered without the request, which may come under a host name that is not ours."""
    said = isinstance(exception, RequestDataTooBig)
    return HttpResponse(render_to_string("400.html", {"request_id": _request_id(), "too_big": said}), status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: the page exists, this person may not. The log of the server keeps who it was."""
    log.warning("forbidden", person=request.user.get_username(), method=request.method, path=request.path)
    return render(request, "403.html", {"request_id": _request_id()}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return render(request, "404.html", {"request_id": _request_id()}, status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """500: rendered without the request, because whatever broke may break the page around it too.

    503 where the database ended what took too long.
    """
    if took_too_long(sys.exception()):
        context = {"request_id": _request_id(), "sent": request.method not in ("GET", "HEAD")}
        retry = {"Retry-After": str(TookTooLong.retry_after_s)}
        return HttpResponse(render_to_string("503.html", context), status=503, headers=retry)
    return HttpResponse(render_to_string("500.html", {"request_id": _request_id()}), status=500)


def _request_id() -> str:
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
