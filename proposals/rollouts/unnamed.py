"""Runs that name no unit: nobody can tell which version they should have had, so they get the current one, and the
judge leaves them out.
"""

from dataclasses import dataclass
from typing import Final

from django.db.models import Count

from feedback.models import Run
from proposals.models import Rollout

NEWEST: Final = 1000
"""So many of the agent's newest runs are looked at."""
LEAST: Final = 50
"""With fewer runs nobody is asked about it."""


@dataclass(frozen=True, slots=True)
class Unnamed:
    """Of `runs` of the document since the rollout began, among the agent's newest, `without` name no unit."""

    runs: int
    without: int

    @property
    def is_most(self) -> bool:
        """Whether the judge misses most of the traffic."""
        return self.runs >= LEAST and 2 * self.without > self.runs


def unnamed(rollout: Rollout) -> Unnamed:
    """Those of a live rollout. One query that reads NEWEST runs at most."""
    document = rollout.document
    newest = Run.objects.filter(agent=document.agent_id, at__gte=rollout.split.started_at, excluded_at=None)
    keys = newest.order_by("-at").values("pk")[:NEWEST]
    # A run that names no document counts: it may have been this one's, and whoever left out the unit may fill in both.
    found = Run.objects.filter(pk__in=keys, document__in=[document.slug, ""])
    told = found.aggregate(runs=Count("pk"), named=Count("unit_hash"))
    return Unnamed(told["runs"], told["runs"] - told["named"])
