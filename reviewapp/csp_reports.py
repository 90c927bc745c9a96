"""What browsers say of scripts, styles and frames that a page was not allowed: a page that was tampered with, or a bug.

Anybody can send such a report, so few are kept, short, and without what addresses carry behind the path.
"""

import json
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from allauth.core.internal import ratelimit
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

LONGEST: Final = 16_384
_RATES: Final = {"csp": "10/m/ip,60/m/key"}
_TOLD: Final = 200
log = structlog.get_logger()


@csrf_exempt
@login_not_required
@require_POST
def reports(request: HttpRequest) -> HttpResponse:
    """Keep one report in the log of the server: of which page, which rule, what was kept out."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > LONGEST:
        return HttpResponse(status=413)
    report = _read(request)
    if report and ratelimit.consume(request, app="reviewapp", action="csp", config=_RATES, key="all"):
        log.warning(
            "csp_violation",
            page=_path(report.get("document-uri")),
            rule=str(report.get("effective-directive") or report.get("violated-directive") or "")[:_TOLD],
            blocked=_place(report.get("blocked-uri")),
        )
    return HttpResponse(status=204)


def _read(request: HttpRequest) -> dict[str, Any]:
    try:
        said = json.loads(request.body)
    except (ValueError, RecursionError):
        return {}
    report = said.get("csp-report") if isinstance(said, dict) else None
    return report if isinstance(report, dict) else {}


def _path(address: object) -> str:
    """Without the query: it may hold a sign-in link."""
    try:
        return urlsplit(str(address or "")).path[:_TOLD]
    except ValueError:
        return ""


def _place(address: object) -> str:
    """“inline”, “eval”, or scheme and host of another place."""
    try:
        parts = urlsplit(str(address or ""))
    except ValueError:
        return ""
    return (f"{parts.scheme}://{parts.netloc}" if parts.netloc else parts.path)[:_TOLD]
