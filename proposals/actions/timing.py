"""When a draft is made by itself: enough reports in the agent's window, more than chance, and rest after a change.

None of it holds up a person who asks for a draft. The window ends with the newest report, not now, so that a worker
that was down or a file of last month's reports changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from agents.models import Release, Version
from agents.traffic import Numbers
from feedback.insight import hints, places_of
from feedback.mining import EXACT_KINDS, Kind
from feedback.models import Feedback, Pattern
from feedback.rates import SURE, by_chance


@dataclass(frozen=True, slots=True)
class Held:
    """Why nothing is drafted by itself now, and when to look again; without a time, when more is reported."""

    why: str
    until: datetime | None = None


def held(pattern: Pattern) -> Held | None:
    """None when a draft may be made by itself."""
    numbers = pattern.agent.profile.numbers
    if pattern.last_seen is None:
        return Held("All of its reports were withdrawn.")
    since = pattern.last_seen - timedelta(hours=numbers.window_h)
    change = _last_change(pattern)
    rested = change + timedelta(hours=numbers.cooldown_h) if change else None
    if change is None or rested is None or rested <= timezone.now():
        return _too_few(pattern, numbers, since, pattern.last_seen)
    # What was reported before the change may be answered by it: until the rest is over, only what came after counts.
    if _too_few(pattern, numbers, max(since, change), pattern.last_seen) is None:
        return None
    until = f"{rested:%-d %B, %H:%M} UTC"
    return Held(f"A change came into force; until {until} only what is reported since then counts.", rested)


def too_few_misses(pattern: Pattern) -> str:
    """Why a wrong label is not drafted from yet, also when a person asks; empty when it may be."""
    least = settings.COUNTERSIGN_MIN_MISSES
    if pattern.kind != Kind.MISLABEL or pattern.support >= least:
        return ""
    return f"{pattern.support} of {least} wrong labels needed."


def _last_change(pattern: Pattern) -> datetime | None:
    """When the agent was last given something new."""
    changes = Release.objects.filter(document__agent=pattern.agent_id).exclude(version__origin=Version.Origin.INITIAL)
    return changes.order_by("-at").values_list("at", flat=True).first()


def _too_few(pattern: Pattern, numbers: Numbers, since: datetime, until: datetime) -> Held | None:
    found = pattern.evidence.filter(at__gt=since).order_by().values("source").distinct().count()
    if found < numbers.reports:
        hint = hints(pattern, places_of(pattern), since=since, until=until)
        weight = hint.weight if hint else 0.0
        if found + weight < numbers.reports:
            also = f", and {weight:g} by signals," if weight else ""
            return Held(f"{found} of {numbers.reports} sources{also} within {numbers.window_h} hours.")
    return _chance(pattern, since, found)


def _chance(pattern: Pattern, since: datetime, found: int) -> Held | None:
    """Of very many different texts some read alike; what is grouped by equal text is not grouped by chance."""
    alike = settings.COUNTERSIGN_CHANCE_ALIKE
    if Kind(pattern.kind) in EXACT_KINDS or not alike:
        return None
    said = Feedback.objects.counted().filter(agent=pattern.agent_id, at__gt=since, at__lte=pattern.last_seen)
    worded = said.exclude(Q(reason="") & Q(correction="") & Q(edited_output="")).order_by()
    among = worded.values("source").distinct().count()
    if by_chance(found, among, alike) < SURE:
        return None
    return Held(f"{found} of {among} sources said this; so many may read alike by chance.")
