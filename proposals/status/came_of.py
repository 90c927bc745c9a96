"""The reads behind what is said of changes after they became current."""

from datetime import timedelta
from typing import Final

from django.db.models import DateTimeField
from django.utils import timezone

from agents.compiled import Compiled, Given, key, keys
from agents.reach import unseen
from people.models import User
from proposals.models import Decision, Outcome, Proposal

AT_MOST: Final = 3
FOR: Final = timedelta(days=14)


_YOURS: Final = Compiled(
    lambda: (
        Outcome.objects.filter(told_at__gte=Given("since", DateTimeField()))
        .filter(
            proposal__in=Decision.objects.filter(actor=key("user"), verdict=Decision.Verdict.APPROVE).values(
                "revision__proposal"
            )
        )
        .exclude(**{"proposal__document__agent__pk__any_of": keys("unseen")})
        .select_related("proposal")
        .defer("proposal__rationale")
        .order_by("-told_at", "-pk")[:AT_MOST]
    )
)


def yours(user: User) -> list[Outcome]:
    """What came of the changes this person approved, newest first: a few, for some days. One query."""
    return _YOURS.ask(user=user.pk, since=timezone.now() - FOR, unseen=list(unseen(user)))


def of_proposal(proposal: Proposal) -> Outcome | None:
    """What came of this one; no query while it is open or was never published."""
    if proposal.is_open or proposal.published_id is None:
        return None
    return Outcome.objects.filter(proposal=proposal).first()
