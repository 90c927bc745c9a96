"""What an agent ran on at a time: which text was current, and who got another one from a rollout.

The answer comes from the releases, splits and shares as they were recorded then; none of them is ever changed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, Min, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from agents.models import Agent, Document, Release, Split, Version, whole_of
from agents.serving import gets_candidate
from people.models import User
from proposals.models import ShareChange
from proposals.provenance.blame import Origin, origins_of

_PICKED: Final = 3
_BEFORE: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a rollout served beside the current version: to `share` percent of the units, and whether to the one asked
    about; None where none was.
    """

    rollout: int
    origin: Origin
    share: int
    got_it: bool | None


@dataclass(frozen=True, slots=True)
class Ran:
    """One document at a time: `current` from `since` on, `until` another one was, or None if it still is.

    `moved_by` and `reason` are of the release: who made it current, and why, where they said.
    """

    current: Origin
    since: datetime
    until: datetime | None
    moved_by: str
    reason: str
    candidate: Candidate | None

    @property
    def served(self) -> Origin:
        """What the unit asked about got; without one, what everybody got outside the rollout."""
        return self.candidate.origin if self.candidate and self.candidate.got_it else self.current

    @property
    def version(self) -> Version:
        return self.served.version


def ran(agent: Agent, at: datetime, unit: str = "") -> list[Ran]:
    """Each document of the agent that had a text at that time, in the order they were made. Five queries.

    The texts themselves are not read: `version` has its number and digest.
    """
    releases = list(_releases(agent, at))
    splits = {split.document_id: split for split in _splits(agent, at)}
    known = _origins(releases, splits.values())
    return [
        Ran(
            known[release.version_id],
            release.at,
            release.until,  # type: ignore[attr-defined]
            release.by,
            release.reason,
            _candidate(splits.get(release.document_id), known, unit),
        )
        for release in releases
    ]


def last_changed(user: User) -> Agent | None:
    """Of the agents this person sees, the one that got another text last: the likeliest to be asked about."""
    last = Release.objects.filter(document__agent=OuterRef("pk")).order_by("-at").values("at")[:1]
    return Agent.objects.for_person(user).alias(last=Subquery(last)).order_by(F("last").desc(nulls_last=True)).first()


def picks(agent: Agent) -> list[tuple[str, datetime]]:
    """Times somebody is likely to ask about, by name: now, a while ago, and right before the agent's last changes."""
    now = timezone.now()
    named = [("Now", now), ("An hour ago", now - timedelta(hours=1)), ("Yesterday", now - timedelta(days=1))]
    changes = Release.objects.filter(document__agent=agent, version__number__gt=1).order_by("-at", "-pk")
    last = changes.select_related("version__document").defer(*whole_of("version"))[:_PICKED]
    return named + [(f"Before {one.version.document.slug} {one.version.number}", one.at - _BEFORE) for one in last]


def _releases(agent: Agent, at: datetime) -> "QuerySet[Release]":
    """The last one of each document until then. Of several at one moment the last written counts."""
    of_document = Release.objects.filter(document=OuterRef("pk"), at__lte=at).order_by("-at", "-pk")
    last = Document.objects.filter(agent=agent).annotate(last=Subquery(of_document.values("pk")[:1])).values("last")
    after = Release.objects.filter(document=OuterRef("document"), at__gt=at).order_by()
    first_after = after.values("document").annotate(first=Min("at")).values("first")
    found = Release.objects.filter(pk__in=last).annotate(until=Subquery(first_after))
    return found.select_related("version__document__agent").defer(*whole_of("version")).order_by("document")


def _splits(agent: Agent, at: datetime) -> "QuerySet[Split]":
    """Those that served their candidate then, with the share of then."""
    going = Q(ended_at=None) | Q(ended_at__gt=at)
    newest = ShareChange.objects.filter(rollout=OuterRef("pk"), at__lte=at).order_by("-at", "-pk").values("share")[:1]
    found = Split.objects.filter(going, document__agent=agent, started_at__lte=at)
    return found.select_related("candidate__document__agent").defer(*whole_of("candidate")).annotate(then=newest)


def _origins(releases: Iterable[Release], splits: Iterable[Split]) -> dict[int, Origin]:
    return origins_of([*(release.version for release in releases), *(split.candidate for split in splits)])


def _candidate(split: Split | None, known: dict[int, Origin], unit: str) -> Candidate | None:
    if split is None:
        return None
    share: int = split.then or 0  # type: ignore[attr-defined]
    got_it = gets_candidate(split.salt, unit, share) if unit else None
    return Candidate(split.pk, known[split.candidate_id], share, got_it)
