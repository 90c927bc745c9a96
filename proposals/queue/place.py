"""Where in the queue somebody is: the list they came from, and what is before and after a proposal in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import urlencode

from django.http import QueryDict

from agents.compiled import Compiled, keys
from proposals.models import Proposal
from proposals.models.proposal import ProposalQuerySet
from proposals.queue.desk import Desk
from proposals.queue.filters import Filters

_LONGEST = 1000


@dataclass(frozen=True)
class Place:
    """A page of a filtered list. It travels in the addresses of the proposals opened from it, as `queue=…`."""

    filters: Filters
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Place":
        """From the queue's own address."""
        number = query.get("page", "")
        is_number = number.isascii() and number.isdigit() and len(number) < 7
        return cls(Filters.from_query(query), int(number) if is_number else 1)

    @classmethod
    def carried(cls, query: Mapping[str, str]) -> "Place":
        """From the address of a proposal opened from it; the plain queue if there is none."""
        inner = QueryDict(query.get("queue", "")[:_LONGEST])
        return cls.of({name: str(value) for name, value in inner.items()})

    @cached_property
    def query(self) -> str:
        """The queue's address with its question mark; empty for the first page of the plain queue."""
        parts = [self.filters.query, f"page={self.page}" if self.page > 1 else ""]
        asked = "&".join(filter(None, parts))
        return f"?{asked}" if asked else ""

    @cached_property
    def suffix(self) -> str:
        """What to put after the address of a proposal, so that it knows the way back."""
        return f"?{urlencode({'queue': self.query[1:]})}" if self.query else ""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The proposals before and after one in a list, with pk and title only."""

    before: Proposal | None
    after: Proposal | None


_TITLES: Final = Compiled(lambda: Proposal.objects.only("pk", "title").filter(**{"pk__any_of": keys("keys")}))


def neighbours(place: Place, desk: Desk, proposal: Proposal) -> Neighbours:
    """In two queries; for a proposal that has just left the list, those on either side of its gap."""
    found = place.filters.all_keys(desk, also=proposal.pk)
    at = found.index(proposal.pk)
    sides = (found[at - 1] if at else None), (found[at + 1] if at + 1 < len(found) else None)
    titles = {one.pk: one for one in _TITLES.ask(keys=[side for side in sides if side is not None])}
    return Neighbours(*(titles.get(side) if side is not None else None for side in sides))


def first(place: Place, desk: Desk) -> Proposal | None:
    """What is at the top of the list."""
    found: ProposalQuerySet = place.filters.apply(desk.user, desk).only("pk", "title")
    return found.first()
