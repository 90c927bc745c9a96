"""The hint of a page, for somebody's first days: one sentence and where to go next."""

from datetime import timedelta
from typing import Any, Final

from django import template
from django.urls import reverse
from django.utils import timezone

from agents.models import Document
from people.comforts import FOR_GOOD
from people.models import User
from proposals.models import Proposal

register = template.Library()

FIRST_DAYS: Final = timedelta(days=14)


@register.inclusion_tag("includes/guide.html", takes_context=True)
def guide(context: template.Context, page: str, about: Proposal | Document | None = None) -> dict[str, Any]:
    """The hint of this page, unless it was put away; `about` is what the page shows.

    The queue leads nowhere without a proposal to begin with, and nobody who has decided already: one query.
    """
    user = context["user"]
    if not wants_hint(user, page) or (page == "queue" and (about is None or user.decisions.exists())):
        return {}
    said, link, label = _STEPS[page](user, about)
    return {
        "page": page,
        "said": said,
        "link": link,
        "label": label,
        "request": context["request"],
        "csrf_token": context["csrf_token"],
    }


def wants_hint(user: User, page: str) -> bool:
    """Whether somebody is new here and did not put the hint away."""
    is_new = user.hints_since is None or timezone.now() - user.hints_since < FIRST_DAYS
    return is_new and not {page, FOR_GOOD} & set(user.hints_put_away)


def _queue(user: User, easiest: Any) -> tuple[str, str, str]:
    said = "Each row is a change somebody wants to an agent’s instructions. Begin with a small one: it takes a minute."
    return said, reverse("proposal", args=[easiest.pk]), f"Open one with {easiest.get_risk_display().lower()} risk"


def _proposal(user: User, proposal: Any) -> tuple[str, str, str]:
    if user.has_perm("proposals.decide_proposal") and proposal.is_decidable:
        said = "Read the marked words, then what people reported. Nothing happens before you press a button."
        if proposal.status == proposal.Status.IN_EFFECT:
            said = "This is in effect already. Read the marked words, then confirm it, or reject it with a reason."
        return said, "#decision", "Go to the buttons"
    said = "Marked words are what changes; below stands why, and at the end who did what when."
    return said, "#evidence", "Go to the reports"


def _document(user: User, document: Any) -> tuple[str, str, str]:
    address = [document.agent.slug, document.slug]
    said = "This is, to the character, what the agent is told."
    if user.has_perm("proposals.propose_change"):
        said = f"{said} To change it, write the text you want; somebody else approves."
        return said, reverse("propose", args=address), "Write a change"
    return f"{said} Each version stays.", reverse("compare", args=address), "See what changed last"


_STEPS: Final = {"queue": _queue, "proposal": _proposal, "document": _document}
