"""The reads behind what is said of changes after they became current."""

from datetime import timedelta
from typing import Final

from django.utils import timezone

from agents.reach import within
from people.models import User
from proposals.models import Decision, Outcome, Proposal

AT_MOST: Final = 3
FOR: Final = timedelta(days=14)


def yours(user: User) -> list[Outcome]:
    """What came of the changes this person approved, newest first: a few, for some days. One query."""
    approved = Decision.objects.filter(actor=user, verdict=Decision.Verdict.APPROVE).values("revision__proposal")
    rows = Outcome.objects.filter(told_at__gte=timezone.now() - FOR, proposal__in=approved)
    rows = within(rows, user, "proposal__document__agent")
    return list(rows.select_related("proposal").defer("proposal__rationale").order_by("-told_at", "-pk")[:AT_MOST])


def of_proposal(proposal: Proposal) -> Outcome | None:
    """What came of this one; no query while it is open or was never published."""
    if proposal.is_open or proposal.published_id is None:
        return None
    return Outcome.objects.filter(proposal=proposal).first()
