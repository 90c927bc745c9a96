"""How bad a pattern is, kept with it while a proposal is open: a list can say it without reading the reports."""

from django.db.models import F

from feedback.insight import said_by
from feedback.models import Pattern
from feedback.newest import newest
from feedback.severity import severity


def weigh(pattern: Pattern) -> None:
    """Find its severity anew; two queries."""
    level = severity(said_by(pattern, newest(pattern))).level
    Pattern.objects.filter(pk=pattern.pk).update(severity=level, weighed_support=pattern.support)


def weigh_changed(agent_id: int) -> None:
    """Those of an agent's patterns that have a proposal, where their reports changed since."""
    changed = Pattern.objects.filter(agent=agent_id, status=Pattern.Status.PROPOSED).exclude(
        weighed_support=F("support")
    )
    for pattern in changed.defer("centroid", "meaning").order_by("pk"):
        weigh(pattern)
