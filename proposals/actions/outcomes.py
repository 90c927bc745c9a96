"""Tell what came of each change after it became current, until its days are over or another version follows.

Everything is computed anew from rollups each time, so that doing it twice, late or after a crash does no harm; what is
settled is never touched again.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from agents.models import Agent, Release, Version
from audit.record import SYSTEM
from feedback.actions.patterns import change_status
from feedback.between import Told, items, loudest, told
from feedback.models import Feedback, Pattern, Run
from proposals.judging.outcomes import WINDOW, Compared, Count, Findings, moved
from proposals.models import Outcome, Proposal

OLDEST: Final = timedelta(days=30)
"""What became current longer ago, and was never told of, is left alone."""
LATE: Final = timedelta(hours=1)
"""So long after the last day reports may still come in before it is settled."""
BEHIND: Final = timedelta(minutes=10)
"""Reports that wait longer for the miner say that it does not keep up."""
LOOKED_AT: Final = 20
"""Other patterns of the agent that are compared, the loudest of the time."""


def tell_all() -> int:
    """Bring every outcome up to date that is not settled; how many that were."""
    return sum(tell(pk) for pk in list(due().values_list("pk", flat=True)))


def due() -> "QuerySet[Release]":
    """Releases of approved changes, oldest first, of which there may be more to tell. A rollback is none."""
    approved = Release.objects.filter(version__origin=Version.Origin.PROPOSAL, version__proposal__isnull=False)
    new = Q(outcome=None, at__gte=timezone.now() - OLDEST)
    return approved.filter(new | Q(outcome__isnull=False, outcome__settled_at=None)).order_by("pk")


def tell(release_id: int) -> bool:
    """Find out what came of one release until now, and keep it; False while the miner does not keep up."""
    joined = Release.objects.select_related("document__agent", "version__proposal__rollout__split")
    release = joined.defer("version__text", "version__line_versions").get(pk=release_id)
    now = timezone.now()
    if _is_behind(release.document.agent, now):
        return False
    _keep(release, _find(release, now), now)
    return True


def _is_behind(agent: Agent, now: datetime) -> bool:
    """Whether reports wait that would be missing from the rate since the change, and make it look too good."""
    waiting = {"agent": agent, "received_at__lt": now - BEHIND}
    queues = (Feedback.objects.unmined(), Run.objects.unmined())
    return any(queue.filter(**waiting).exists() for queue in queues)


def _find(release: Release, now: datetime) -> Findings:
    proposal, agent = release.version.proposal, release.document.agent_id
    end = _end(release)
    until, began = min(now, end), _began(release)
    before, after = told(agent, began - WINDOW, began), told(agent, release.at, until)
    target = _target(proposal)
    names = loudest(agent, began - WINDOW, until, most=LOOKED_AT)
    if target and target not in names:
        names[target] = str(Pattern.objects.only("label", "kind").get(pk=target))
    earlier, since = items(names, began - WINDOW, began), items(names, release.at, until)
    compared = {
        pk: Compared(Count(earlier[pk], before.runs), Count(since[pk], after.runs), label, pk)
        for pk, label in names.items()
    }
    others = [one for pk, one in compared.items() if pk != target]
    return Findings(
        target=compared[target] if target else None,
        praise=_praise(before, after),
        others=moved(others),
        looked_at=len(others),
        days=round((until - release.at) / timedelta(days=1), 2),
        is_settled=now >= end + LATE,
    )


def _praise(before: Told, after: Told) -> Compared:
    return Compared(Count(before.praise, before.runs), Count(after.praise, after.runs), "Praise")


def _began(release: Release) -> datetime:
    """When the first units got the new text: what came between that and the release was of both."""
    rollout = getattr(release.version.proposal, "rollout", None)
    return rollout.split.started_at if rollout else release.at


def _end(release: Release) -> datetime:
    """When its time is over: after so many days, or when another version became current."""
    later = Release.objects.filter(document=release.document_id, at__gt=release.at).order_by("at")
    following = later.values_list("at", flat=True).first()
    return min(filter(None, (following, release.at + WINDOW)))


def _target(proposal: Proposal) -> int | None:
    """The pattern that has the reports now which the change answers."""
    if proposal.pattern_id is None:
        return None
    return Pattern.objects.roots_of([proposal.pattern_id]).get(proposal.pattern_id, proposal.pattern_id)


@transaction.atomic
def _keep(release: Release, findings: Findings, now: datetime) -> None:
    kept = {"word": findings.word, "findings": findings.to_json(), "counted_at": now}
    new = kept | {"proposal": release.version.proposal}
    Outcome.objects.get_or_create(release=release, defaults=new)
    outcome = Outcome.objects.select_for_update(no_key=True).get(release=release)
    if outcome.settled_at is not None or outcome.counted_at > now:
        return  # somebody else was later
    is_news = findings.says_something and (outcome.told_at is None or findings.gist != outcome.found.gist)
    Outcome.objects.filter(pk=outcome.pk).update(
        **kept,
        told_at=now if is_news else outcome.told_at,
        settled_at=now if findings.is_settled else None,
    )
    if findings.is_resolving and findings.target and findings.target.pattern:
        _resolve(findings.target.pattern, release, now, is_last=findings.is_settled)


def _resolve(pattern_id: int, release: Release, now: datetime, *, is_last: bool) -> None:
    """Resolve the pattern if it is watched because of this very version.

    One that came back meanwhile stays open until the last count: some people going on is no news then, where clearly
    fewer do. It is resolved once, if nobody proposed anything more for it, and opens again when enough people report it
    after that.
    """
    rows = Pattern.objects.select_for_update(no_key=True).filter(pk=pattern_id, answered_by=release.version_id)
    pattern = rows.defer("centroid", "meaning").first()
    if pattern is None:
        return
    came_back = is_last and pattern.status == Pattern.Status.OPEN and pattern.came_back_at is not None
    if pattern.status != Pattern.Status.WATCHING and not came_back:
        return
    change_status(
        [pattern_id], Pattern.Status.RESOLVED, actor=SYSTEM, proposal=release.version.proposal.pk,
        expected=[Pattern.Status(pattern.status)],
    )  # fmt: skip
    if came_back:
        Pattern.objects.filter(pk=pattern_id).update(came_back_at=None, answered_at=now, draft_due_at=None)
