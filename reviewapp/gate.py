"""What is another team's is not there, by whatever address.

Each address that names something has its row here, and a test holds that none is missing. Lists leave out what is
hidden by themselves, and actions ask once more in their own transaction; see `agents.reach`.
"""

from collections.abc import Callable
from typing import Any, Final

from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.functional import SimpleLazyObject

from agents.models import Agent, ApiKey, Version
from agents.reach import SEE_ALL, OutOfReach, unseen
from audit.models import AuditEntry
from feedback.models import Pattern, SharedMember
from people.models import User
from proposals.models import Comment, Policy, Proposal, Quoting, Rollout, RolloutPlan, SourceRule, Thread
from reviewapp import pages

Way = tuple[type[Model], str, str, str]
"""What an address names, the argument and the column that do, and the link that leads from there to the agent."""

_PROPOSAL: Final[Way] = (Proposal, "pk", "pk", "document__agent")
_THREAD: Final[Way] = (Thread, "pk", "pk", "proposal__document__agent")
_PATTERN: Final[Way] = (Pattern, "pk", "pk", "agent")
_AGENT: Final[Way] = (Agent, "slug", "slug", "pk")
_ROLLOUT: Final[Way] = (Rollout, "pk", "pk", "split__document__agent")
_ENTRY: Final[Way] = (AuditEntry, "sequence", "sequence", "agent")

_NAMED: Final[dict[Way, str]] = {
    _PROPOSAL: "proposal decide amend cases choose redraft redraft_on_current rebase withdraw take_back bypass "
    "exclude include exclude_commanding merge_rules revision comment assign unassign",
    _THREAD: "reply resolve reopen_thread",
    (Comment, "pk", "pk", "thread__proposal__document__agent"): "apply_suggestion",
    _PATTERN: "pattern why draft candidates alternatives dismiss reopen rename merge part split",
    (SharedMember, "pk", "shared", "pattern__agent"): "shared_pattern",
    _ROLLOUT: "rollout act_on_rollout",
    _AGENT: "agent agent_team traffic new_key safe_rules sections unprotect document version download compare propose "
    "roll_back",
    (Version, "pk", "pk", "document__agent"): "story",
    (ApiKey, "prefix", "prefix", "agent"): "key revoke_key rotate_key set_key_rules end_probation taint quarantine_key "
    "lift_quarantine send_back_shaken prepare_rollback",
    (Policy, "pk", "pk", "agent"): "remove_policy",
    (RolloutPlan, "pk", "pk", "document__agent"): "remove_rollout_plan",
    (Quoting, "pk", "pk", "agent"): "forbid_quoting",
    (SourceRule, "pk", "pk", "agent"): "remove_source_rule",
    _ENTRY: "audit_entry audit_proof",
}
WAYS: Final[dict[str, Way]] = {name: way for way, names in _NAMED.items() for name in names.split()}

OPEN: Final = frozenset(
    {"change_filter", "gate", "team", "dissolve_team", "person", "change_person", "deactivate_person"}
    | {"reactivate_person", "make_link", "sign_out_person", "disconnect_person", "reset_factor", "send_again"}
)
"""What names nothing of an agent: one's own filters, people and teams, a notice, which says itself whose it is, and the
signed link that opens by itself."""


class TeamsMiddleware:
    """Answer 404 for what is another team's, and tell the log's pages which agents they say nothing of."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.unseen_agents = SimpleLazyObject(lambda: _slugs(request))  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> None:
        """Raises Http404."""
        name = request.resolver_match.url_name if request.resolver_match else None
        if not view_kwargs or name not in WAYS or not isinstance(request.user, User):
            return
        if hidden := unseen(request.user):
            model, argument, column, link = WAYS[name]
            agents = list(hidden.values() if model is AuditEntry else hidden)
            named = {column: view_kwargs[argument], f"{link}__in": agents}
            if model._default_manager.filter(**named).exists():
                raise Http404

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """An act on another team's agent: of somebody who reads along, or while it was given away."""
        if not isinstance(exception, OutOfReach):
            return None
        reads_along = isinstance(request.user, User) and request.user.has_perm(SEE_ALL)
        return (pages.forbidden if reads_along else pages.not_found)(request, exception)


def _slugs(request: HttpRequest) -> list[str]:
    return list(unseen(request.user).values()) if isinstance(request.user, User) else []
