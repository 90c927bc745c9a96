"""Acts that ask again who it is, where the last proof is too long ago.

Every address that takes a form stands in one of three places here, which a test holds: acts that are asked about before
they are looked at, acts whose view asks itself, and acts that are not asked about, each with why.
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
    "end_probation": "key",
    "lift_quarantine": "taint",
    "sections": ITSELF,
    "unprotect": "sections",
    "traffic": ITSELF,
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

BY_ITSELF: Final = frozenset(
    {"decide", "bypass", "roll_back", "act_on_rollout"}  # depends on the text, and what is risky in it
    | {"policy", "remove_policy", "releases", "sources", "remove_source_rule", "quoting", "forbid_quoting"}
    | {"rollout_plans", "remove_rollout_plan", "safe_rules", "retention", "erase"}  # after their forms are found right
    | {"freeze"}  # lifting it
    | {"set_mails"}  # another address
    | {"mfa_activate_totp", "mfa_add_webauthn", "mfa_generate_recovery_codes", "mfa_view_recovery_codes"}
    | {"mfa_remove_factor", "account_set_password", "account_change_password", "sign_in_by_service", "disconnect"}
)
"""What asks in its own view, by `people.fresh`; a new password by the old one."""

CLOSES: Final = frozenset(
    {
        "revoke_key",
        "quarantine_key",
        "deactivate_person",
        "sign_out_person",
        "disconnect_person",
        "end_session",
        "account_logout",
    }
    | {"send_back_shaken", "start_over"}
)
"""Acts that only close a door: nobody should be kept from them."""

UNDER_REVIEW: Final = frozenset(
    {"propose", "amend", "apply_suggestion", "choose", "redraft", "redraft_on_current", "rebase", "merge_rules"}
    | {"draft", "alternatives", "prepare_rollback"}
    | {"withdraw", "take_back", "exclude", "include", "exclude_commanding", "selected", "together"}
    | {"comment", "reply", "resolve", "reopen_thread", "assign", "unassign"}
    | {"dismiss", "reopen", "rename", "merge", "part", "split"}
)
"""What leads to nothing before people approve it, which asks where it matters; together they approve low risks only."""

SMALL: Final = frozenset(
    {"set_theme", "set_keys", "set_hints", "saved_filters", "change_filter", "send_again", "audit_make_checkpoint"}
    | {"csp_reports"}
)
"""One's own comforts, a notice sent again to whom it was for, a checkpoint of what is there, what browsers report."""

PROVES: Final = frozenset({"sign_in_by_link", "account_login", "mfa_login_webauthn", "mfa_authenticate"}) | {
    "account_reauthenticate"
}
"""The proof itself."""


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
    page, path = ACTS[name] or name, ""
    # A page is named by what the act is, by the beginning of that, or by nothing.
    for most in range(len(kwargs), -1, -1):
        try:
            path = reverse(page, kwargs=dict(list(kwargs.items())[:most]))
            break
        except NoReverseMatch:
            continue
    query = request.META.get("QUERY_STRING", "")
    return f"{path}?{query}" if query else path
