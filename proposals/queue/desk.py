"""What waits for one person, asked of the database once for a whole page."""

from functools import cached_property

from django.http import HttpRequest

from people.models import User
from proposals.models import Proposal
from proposals.models.proposal import ProposalQuerySet
from proposals.queue.waiting import waiting_for


class Desk:
    """The keys of the proposals whose next step is this person's, as they were when first asked for."""

    def __init__(self, user: User) -> None:
        self.user = user

    @cached_property
    def keys(self) -> list[int]:
        """In no particular order."""
        return waiting_for(self.user)

    @cached_property
    def _known(self) -> frozenset[int]:
        return frozenset(self.keys)

    def __contains__(self, proposal: int) -> bool:
        return proposal in self._known

    def __len__(self) -> int:
        return len(self.keys)

    def proposals(self) -> ProposalQuerySet:
        """The same, for further questions."""
        return Proposal.objects.filter(**{"pk__any_of": self.keys})


def desk_of(request: HttpRequest) -> Desk:
    """The desk of who asks, the same wherever in a request it is wanted."""
    if not hasattr(request, "desk"):
        request.desk = Desk(request.user)  # type: ignore[attr-defined, arg-type]
    desk: Desk = request.desk  # type: ignore[attr-defined]
    return desk
