"""What the page of a proposal says around it: what changed since one looked, its neighbours, who it is assigned to."""

from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from people.requests import PersonRequest
from proposals import queue
from proposals.actions.attention import look
from proposals.forms.queue import AssignForm
from proposals.models import Proposal
from proposals.queue.place import first
from proposals.status.holdings import Holdings


def around(
    request: PersonRequest, proposal: Proposal, has: Holdings, assign_form: AssignForm | None = None
) -> dict[str, Any]:
    """For the template; opening the page is looking at its newest revision."""
    position = queue.Place.carried(request.GET)
    assigned = list(proposal.assignments.select_related("user", "group", "team")) if has.assignments else []
    before = look([proposal], user=request.user).get(proposal.pk)
    can_assign = proposal.is_open and request.user.has_perm("proposals.propose_change")
    return {
        "position": position,
        "neighbours": queue.neighbours(position, queue.desk_of(request), proposal),
        "looked": before if before and before.revision_id not in (None, proposal.revision_id) else None,
        "has_opened": bool(before and before.evidence_opened_at),
        "assigned": assigned,
        "assigned_to_me": any(one.user_id == request.user.pk for one in assigned),
        "assign_form": (assign_form or AssignForm()) if can_assign else None,
    }


def to_decision(said: str) -> SafeString:
    """What was done, with a link to where it is decided on the proposal's own page."""
    return format_html('{} <a href="#decision" data-next>On to the decision</a>', said)


def and_next(request: PersonRequest, said: str, proposal_id: int) -> SafeString | str:
    """What was done, with a link to what comes next in the list the person came from."""
    position = queue.Place.carried(request.GET)
    proposal = Proposal.objects.get(pk=proposal_id)
    desk = queue.Desk(request.user)  # as it is now, after what was done
    following = queue.neighbours(position, desk, proposal).after or first(position, desk)
    if following is None or following.pk == proposal_id:
        return said
    address = reverse("proposal", args=[following.pk]) + position.suffix
    return format_html('{} <a href="{}" rel="next" data-next>Next in the queue</a>', said, address)
