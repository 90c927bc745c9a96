"""Acts that ask again who it is, where the last proof is too long ago.

Those on a text, a policy or a rollout ask by themselves, for it depends on what they would do; see `people.fresh`. Of
the others each has its row here. Acts that only close a door ask nothing: revoking or quarantining a key, signing
somebody out, deactivating them.
"""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import NoReverseMatch, reverse

from people import fresh
from people.models import User

ITSELF: Final = ""
ACTS: Final[dict[str, str]] = {
    "audit_export": "audit_log",
    "new_key": ITSELF,
    "rotate_key": "key",
    "set_key_rules": "key",
    "lift_quarantine": "taint",
    "new_person": ITSELF,
    "change_person": "person",
    "reactivate_person": "person",
    "make_link": "person",
    "reset_factor": "person",
    "new_team": ITSELF,
    "team": ITSELF,
    "dissolve_team": "team",
    "agent_team": ITSELF,
}
"""The name of the address, and that of the page to come back to, where what was typed stands again."""


class ProofMiddleware:
    """Asks before these acts, and says on the page that is come back to that nothing was done yet."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: Any) -> HttpResponseBase | None:
        if not isinstance(request.user, User):
            return None
        if request.method == "GET" and fresh.come_back(request):
            messages.info(request, "Thank you. Nothing was done yet: press again.")
        name = (request.resolver_match and request.resolver_match.url_name) or ""
        if request.method != "POST" or name not in ACTS or fresh.is_fresh(request):
            return None
        return fresh.ask_for_form(request, back=_page(request, name, kwargs))


def _page(request: HttpRequest, name: str, kwargs: dict[str, Any]) -> str:
    page = ACTS[name] or name
    try:
        path = reverse(page, kwargs=kwargs)
    except NoReverseMatch:
        path = reverse(page)
    query = request.META.get("QUERY_STRING", "")
    return f"{path}?{query}" if query else path
