"""Say of a report that it does not count, and take that back.

Rows are locked in mining's order: the report, then its patterns by primary key, then their rollups. A miner that waits
for the report's lock reads it anew and finds it excluded; one that was first has linked it, and is undone here.
"""

from django.db import transaction
from django.utils import timezone

from agents.reach import require_act
from audit.record import Actor, record
from feedback.actions import counting, locks, rollups
from feedback.exceptions import ExclusionError
from feedback.models import Evidence, Exclusion, Feedback, Pattern, Run
from people.models import User

MAX_REASON = 500
Report = Feedback | Run


@transaction.atomic
def exclude(report: Report, *, user: User, reason: str, proposal: int | None = None) -> Exclusion:
    """Take one report out of every count, for good or until somebody takes that back.

    `proposal` is the one it was met on. Raises ExclusionError.
    """
    _require_curator(user, report)
    reason = " ".join(reason.split())
    if not reason:
        raise ExclusionError("Say why this report should not count; the reason stays with it.")
    if len(reason) > MAX_REASON:
        raise ExclusionError(f"The reason has {len(reason)} characters; at most {MAX_REASON} are allowed.")
    now = timezone.now()
    if not type(report).objects.filter(pk=report.pk, excluded_at=None).update(excluded_at=now):
        _refuse_held(report)
        raise ExclusionError("Somebody excluded this report already.")
    rollups.due(report)
    locks.hold_groups(report.agent_id)  # so that it is taken from where it counts
    linked = list(Evidence.objects.filter(**_is(report)).order_by("pattern"))
    patterns = [evidence.grouped_in_id or evidence.pattern_id for evidence in linked]
    for evidence in linked:
        counting.remove(evidence)
    made = Exclusion.objects.create(**_is(report), reason=reason, patterns=patterns, by=user, at=now)
    _record("excluded", made, user, proposal)
    return made


@transaction.atomic
def include(report: Report, *, user: User, proposal: int | None = None) -> Exclusion:
    """Count an excluded report again, where the patterns it was taken from are now. Raises ExclusionError."""
    _require_curator(user, report)
    left_out = type(report).objects.filter(pk=report.pk, excluded_at__isnull=False, quarantine=None)
    if not left_out.update(excluded_at=None):
        _refuse_held(report)
        raise ExclusionError("This report counts already.")
    rollups.due(report)
    taken = Exclusion.objects.get(**_is(report), lifted_at=None)
    taken.lifted_by, taken.lifted_at = user, timezone.now()
    taken.save(update_fields=["lifted_by", "lifted_at"])
    _count_again(taken)
    _record("included", taken, user, proposal)
    return taken


def _count_again(taken: Exclusion) -> None:
    """Back to where the patterns it was taken from are now: what was merged since counts for the pattern it is in.

    One that was in none, or whose pattern was split since, is the miner's to look at again, as when it first came.
    """
    report = taken.report
    if isinstance(report, Feedback) and report.withdrawn_at:
        return
    locks.hold_groups(report.agent_id)
    merged = Pattern.objects.filter(agent=report.agent_id).roots()
    into = {merged.get(group, group): group for group in sorted(taken.patterns, reverse=True)}
    split = Pattern.objects.filter(split_from__in=[*into, *taken.patterns], created_at__gt=taken.at)
    # A candidate it was in may have gone into another pattern since.
    there = Pattern.objects.filter(pk__in=into).count()
    if not into or there < len(into) or split.exists():
        type(report).objects.filter(pk=report.pk).update(mined_at=None)
        return
    linked = [
        Evidence(
            pattern_id=root,
            grouped_in_id=group if group in merged else None,
            source=report.source,
            version=report.version,
            at=report.at,
            **_is(report),
        )
        for root, group in sorted(into.items())
    ]
    Evidence.objects.bulk_create(linked)
    counting.add(linked)


def _refuse_held(report: Report) -> None:
    """Raises ExclusionError for a report that does not count because its key is in quarantine."""
    if type(report).objects.filter(pk=report.pk, quarantine__isnull=False).exists():
        raise ExclusionError("The key it came with is in quarantine: it does not count until that is lifted.")


def _is(report: Report) -> dict[str, Report]:
    return {"run": report} if isinstance(report, Run) else {"feedback": report}


def _require_curator(user: User, report: Report) -> None:
    if not user.has_perm("feedback.curate_pattern"):
        raise ExclusionError("This needs the role reviewer or admin.")
    require_act(user, report.agent_id)


def _record(verb: str, exclusion: Exclusion, user: User, proposal: int | None) -> None:
    report = exclusion.report
    record(
        f"{'run' if isinstance(report, Run) else 'feedback'}.{verb}",
        actor=Actor.person(user),
        target=report,
        agent=report.agent.slug,
        proposal=proposal,
        after={"reason": exclusion.reason if verb == "excluded" else "", "patterns": exclusion.patterns},
    )
