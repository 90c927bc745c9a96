"""Start a rollout, move it on, end it: each one act, of which one counts when several happen at once.

Locks are taken in this order: proposal, document, rollout, pattern. What moves a rollout is guarded by the state and
the epoch that were read, so whoever comes second finds another epoch and is told. The automatic actor takes steps up
to the gate, asks, and ends; it never promotes: that takes a person here, and in a constraint of the database.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.db.models import Max
from django.utils import timezone

from agents import splits, versions
from agents.exceptions import BaseMoved, RolloutRuns
from agents.models import Split, Version
from agents.reach import require_act
from audit.record import SYSTEM, Actor, record
from feedback.models import Pattern, Run
from people.models import User
from proposals.actions.proposals import free_pattern
from proposals.exceptions import Blocked, NotAllowed, NotPending, StaleProposal
from proposals.judging import Judge
from proposals.models import JudgeMemory, Proposal, Revision, Rollout, ShareChange
from proposals.rules.plans import Plan

State, Asks = Rollout.State, Rollout.Asks


@dataclass(frozen=True, slots=True)
class By:
    """Who acts on a rollout: a person, an API key, or Countersign itself; `user` is None but for a person."""

    actor: Actor
    user: User | None = None

    @classmethod
    def person(cls, user: User) -> Self:
        return cls(Actor.person(user), user)


BY_ITSELF = By(SYSTEM)


def refuse_second(document_id: int) -> None:
    """Raises Blocked while a candidate of this document is served to some: two could not be told apart."""
    live = Rollout.objects.live().filter(split__document=document_id).select_related("split__candidate").first()
    if live:
        raise Blocked(f"{second(live)} Nothing was recorded.")


def second(live: Rollout) -> str:
    """Why nothing else can be approved for the document of a live rollout, and what to do."""
    number = live.candidate.number
    return (
        f"A rollout of version {number} is running, at {live.share}\u00a0%. Promote it or stop it first; this change "
        "then follows."
    )


def start(proposal: Proposal, revision: Revision, *, plan: Plan, by: By) -> Version:
    """Make the revision's text a version and serve it to the first step's share of the units.

    Without a person it began by itself, and stands at the gate until somebody has confirmed it.

    The caller holds the transaction and has locked the proposal and its document. Raises StaleProposal, Blocked.
    """
    document, base = proposal.document, revision.base_version
    try:
        candidate = versions.register(document, revision.text, base=base, actor=by.actor, proposal=proposal.pk)
        now = timezone.now()
        split = splits.begin(document, candidate, share=plan.steps[0].share, at=now)
    except BaseMoved as moved:
        raise StaleProposal(str(moved)) from None
    except RolloutRuns as runs:
        raise Blocked(f"{runs} Promote it or stop it first. Nothing was recorded.") from None
    rollout = Rollout.objects.create(
        split=split, proposal=proposal, baseline=base, plan_kept=plan.to_json(), step_since=now, started_by=by.user
    )
    upto = Run.objects.aggregate(last=Max("pk"))["last"] or 0
    JudgeMemory.objects.create(rollout=rollout, judge=Judge(plan.judge).to_json(), upto=upto)
    _note_share(rollout, now, by)
    record_on(rollout, "rollout.started", by, after={"share": split.share, "plan": plan.in_words})
    return candidate


def lock(rollout_id: int, *, by: User | None) -> Rollout:
    """The rollout with its document, both locked until the transaction ends.

    `by` is the person who acts, None where it is Countersign or an API key. Raises OutOfReach for a person whose agent
    it is not, and Rollout.DoesNotExist.
    """
    document_id = Split.objects.values_list("document_id", flat=True).filter(rollout=rollout_id).first()
    if document_id is None:
        raise Rollout.DoesNotExist(f"there is no rollout {rollout_id}")
    versions.lock_document(document_id)
    Rollout.objects.select_for_update(no_key=True).values_list("pk").get(pk=rollout_id)
    rollout = Rollout.objects.for_page().get(pk=rollout_id)
    if by:
        require_act(by, rollout.document.agent_id)
    return rollout


def require_live(rollout: Rollout) -> None:
    """Raises NotPending for one that has ended, with how."""
    if not rollout.is_live:
        who = f" by {rollout.ended_by}" if rollout.ended_by else ""
        raise NotPending(f"This rollout was {rollout.get_state_display().lower()}{who} already. Nothing was changed.")


def move(rollout: Rollout, **changes: object) -> None:
    """Change it if it still is in the state and epoch that were read, and add one to the epoch. Raises NotPending."""
    _change(rollout, {**changes, "epoch": rollout.epoch + 1})


def ask(rollout: Rollout, asks: Rollout.Asks, at: datetime) -> None:
    """Ask a person for something else from now on, or for nothing, if it still is as it was read. Raises NotPending.

    Nothing is served otherwise for that, so the epoch stays: who is on the page decides on what it showed.
    """
    _change(rollout, {"asks": asks, "asks_since": at if asks else None})


def _change(rollout: Rollout, changes: dict[str, object]) -> None:
    expected = Rollout.objects.filter(pk=rollout.pk, state=rollout.state, epoch=rollout.epoch)
    if expected.update(**changes) != 1:
        raise NotPending("This rollout moved on meanwhile; look at it again. Nothing was changed.")
    for name, value in changes.items():
        setattr(rollout, name, value)


def give_share(rollout: Rollout, share: int, by: By, *, runs: int, at: datetime, step: int) -> None:
    """Serve the candidate to `share` percent, from now on; the minimum of runs and time of `step` begin anew.

    `runs` are the candidate's so far. The caller records it. Raises NotPending.
    """
    move(
        rollout,
        step_index=step,
        step_since=at,
        runs_before_step=runs,
        asks=Asks.NOTHING,
        asks_since=None,
    )
    splits.set_share(rollout.split, share)
    _note_share(rollout, at, by)


def end(rollout: Rollout, state: Rollout.State, by: By, reason: str, **facts: object) -> None:
    """End it in this state; unless it was promoted, what it alone was to fix is a problem again.

    The log keeps the `facts`.

    The caller holds the transaction, has locked it and seen that it is live. Raises NotAllowed if anything but a person
    promotes, NotPending.
    """
    if state == State.PROMOTED and by.user is None:
        raise NotAllowed("Only a person can promote a candidate.")
    now, was = timezone.now(), rollout.state
    splits.end(rollout.split, at=now)
    move(rollout, state=state, ended_by=by.user, ended_at=now, reason=reason, asks=Asks.NOTHING, asks_since=None)
    record_on(rollout, f"rollout.{state.value}", by, before={"state": was}, after={"reason": reason, **facts})
    if state != State.PROMOTED:
        free_pattern(rollout.proposal, by.actor, was=Pattern.ANSWERED, answered_by=rollout.candidate)


def record_on(
    rollout: Rollout,
    verb: str,
    by: By,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    """One entry of the log about a rollout. The caller holds the transaction."""
    record(
        verb,
        actor=by.actor,
        target=rollout,
        agent=rollout.document.agent.slug,
        document=rollout.document.slug,
        proposal=rollout.proposal_id,
        before=before,
        after={"state": rollout.state, "candidate": rollout.candidate.number, **(after or {})},
    )


def _note_share(rollout: Rollout, at: datetime, by: By) -> None:
    ShareChange.objects.create(rollout=rollout, share=rollout.share, at=at, by=by.actor.label)
