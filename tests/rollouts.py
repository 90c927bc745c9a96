"""Rollouts for tests, reached through the real actions, and the runs their judge hears of."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from unittest.mock import Mock, patch

from django.utils import timezone

from agents.models import Document
from audit.models import AuditEntry
from feedback.models import Run
from people.models import User
from proposals.actions.decisions import approve
from proposals.actions.rollouts import State
from proposals.actions.watching import watch
from proposals.models import Proposal, Rollout, RolloutPlan, RolloutVerdict
from proposals.rules.plans import Plan, Step
from tests.cast import digest_of, propose, source

QUICKLY = Plan(steps=(Step(10, 20, 0), Step(30, 20, 0), Step(50, 20, 0)), start="canary", margin=20, unsafe_margin=20)
"""Steps as soon as the judge is content, which with these margins is soon."""

SALT = "of the tests 63"
"""In place of one drawn by chance, which now and then gives the candidate to none of sixty units: of u0 to u11 it
gives it to one at 5 %, to two at 10 % and to four at 30 %."""


def canary(
    prompt: Document, author: User, approver: User, *, plan: Plan = QUICKLY, old: str = "30 days", new: str = "14 days"
) -> Rollout:
    """A proposal of the author's, approved by the approver and on its way by this plan."""
    RolloutPlan.objects.update_or_create(document=None, defaults={"plan": plan.to_json()})
    return start(propose(prompt, author, old, new), approver)


def start(proposal: Proposal, approver: User) -> Rollout:
    """The rollout that begins with this approval, with the same units in its candidate's arm every time."""
    with patch("agents.splits.secrets", Mock(wraps=secrets, token_hex=lambda _: SALT)):
        approve(proposal.pk, user=approver, digest=digest_of(proposal), start="canary")
    return Rollout.objects.for_page().get(proposal=proposal)


def report_runs(
    rollout: Rollout,
    *,
    candidate: Sequence[bool],
    current: Sequence[bool],
    each: int = 1,
    prefix: str = "",
    latency_ms: float = 400.0,
) -> list[Run]:
    """Runs of both versions, spread over each other, `each` of a unit; the lists say which succeed."""
    return Run.objects.bulk_create(
        _run(rollout, number, is_candidate, success, each, prefix, latency_ms)
        for number, (is_candidate, success) in enumerate(_mixed(candidate, current))
    )


def _mixed(candidate: Sequence[bool], current: Sequence[bool]) -> Iterable[tuple[bool, bool]]:
    places = [((n + 0.5) / len(candidate), True, ok) for n, ok in enumerate(candidate)]
    places += [((n + 0.5) / len(current), False, ok) for n, ok in enumerate(current)]
    return [(is_candidate, ok) for _, is_candidate, ok in sorted(places)]


def _run(
    rollout: Rollout, number: int, is_candidate: bool, success: bool, each: int, prefix: str, latency_ms: float
) -> Run:
    version = rollout.candidate if is_candidate else rollout.baseline
    name = f"{prefix}{'c' if is_candidate else 'b'}{number}"
    unit = f"{prefix}{is_candidate}{number // each}"
    return Run(
        agent=rollout.document.agent,
        external_id=name,
        digest=sha256(name.encode()).digest(),
        source=source(unit),
        unit_hash=source(unit),
        document=rollout.document.slug,
        version=version.number,
        at=timezone.now(),
        success=success,
        latency_ms=latency_ms * (1 + number % 7 / 10),
    )


def share_of(count: int, share: float) -> tuple[list[bool], list[bool]]:
    """So many runs, split by this share of the candidate, all successful: (candidate, current)."""
    mine = round(count * share)
    return [True] * mine, [True] * (count - mine)


def age(rollout: Rollout, by: timedelta) -> datetime:
    """Make the step it stands on begin earlier, as if so much time had passed; returns when that is now."""
    began = rollout.step_since - by
    Rollout.objects.filter(pk=rollout.pk).update(step_since=began)
    return began


def fresh(rollout: Rollout) -> Rollout:
    return Rollout.objects.for_page().get(pk=rollout.pk)


def verbs(rollout: Rollout) -> list[str]:
    found = AuditEntry.objects.filter(target_kind="rollout", target_id=str(rollout.pk)).order_by("pk")
    return [entry.verb.removeprefix("rollout.") for entry in found]


def good(rollout: Rollout, count: int = 400) -> None:
    """Runs in which the candidate does as well as the current version."""
    prefix = f"{rollout.epoch}-{RolloutVerdict.objects.count()}-"
    candidate, current = share_of(count, fresh(rollout).share / 100)
    report_runs(rollout, candidate=candidate, current=current, prefix=prefix)


def to_the_gate(rollout: Rollout) -> Rollout:
    for _ in range(12):
        good(rollout)
        watch(rollout.pk)
        if fresh(rollout).state == State.WAITING:
            return fresh(rollout)
    raise AssertionError(f"{fresh(rollout).state} at {fresh(rollout).share}\u00a0%")
