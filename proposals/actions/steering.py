"""What people do with a rollout: promote its candidate, stop it, take it back, set its share."""

from django.db import transaction
from django.utils import timezone

from agents import versions
from agents.exceptions import BaseMoved
from feedback.models import Pattern
from people.models import User
from proposals.actions.following import follow_soon
from proposals.actions.rollouts import By, State, end, give_share, lock, record_on, require_live
from proposals.actions.self_starts import settle_soon
from proposals.authority import rollout_policies
from proposals.authority.policies import Leave
from proposals.exceptions import Invalid, NotAllowed, Outdated, StaleProposal
from proposals.models import JudgeMemory, Rollout


@transaction.atomic
def promote(rollout_id: int, *, user: User, epoch: int, reason: str = "") -> Rollout:
    """Make the candidate current for everybody; `epoch` is the one that the person saw.

    Raises NotAllowed, NotPending, Outdated, StaleProposal.
    """
    rollout = lock(rollout_id, by=user)
    leave = rollout_policies.may_promote(user, rollout.proposal)
    _require(leave)
    require_live(rollout)
    _require_seen(rollout, epoch)
    by = By.person(user)
    try:
        versions.promote(
            rollout.candidate,
            base=rollout.baseline,
            actor=by.actor,
            proposal=rollout.proposal_id,
            reason=rollout.proposal.title,
        )
    except BaseMoved as moved:
        raise StaleProposal(str(moved)) from None
    end(rollout, State.PROMOTED, by, reason.strip(), single_operator=leave.alone)
    # Until now most units had the old text; from now on a new report speaks against the new one.
    answered = Pattern.objects.filter(answered_by=rollout.candidate, status__in=Pattern.ANSWERED)
    answered.update(answered_at=timezone.now())
    follow_soon(rollout.document.pk)
    return rollout


@transaction.atomic
def stop(rollout_id: int, *, user: User, reason: str) -> Rollout:
    """Serve the candidate to nobody any more; it need not be worse. Raises NotAllowed, Invalid, NotPending."""
    return _take_away(rollout_id, State.STOPPED, user, reason, "Say why the rollout is stopped.")


@transaction.atomic
def roll_back(rollout_id: int, *, user: User, reason: str) -> Rollout:
    """Take the candidate back because it is worse. Raises NotAllowed, Invalid, NotPending."""
    return _take_away(rollout_id, State.ROLLED_BACK, user, reason, "Say what is worse with it.")


@transaction.atomic
def set_share(rollout_id: int, *, user: User, epoch: int, share: int) -> Rollout:
    """Serve the candidate to `share` percent of the units, within the bounds of its plan.

    Raises NotAllowed, Invalid, NotPending, Outdated.
    """
    rollout = lock(rollout_id, by=user)
    _require(rollout_policies.may_set_share(user))
    require_live(rollout)
    _require_seen(rollout, epoch)
    if why := rollout.plan.refuse_share(share, rollout.share):
        raise Invalid("share", why)
    _change_share(rollout, share, By.person(user))
    return rollout


@transaction.atomic
def stop_with_key(rollout_id: int, *, by: By, reason: str) -> Rollout:
    """As `stop`, for an API key whose scope was checked. Raises Invalid, NotPending."""
    return _end(rollout_id, State.STOPPED, by, reason, "Say why the rollout is stopped.")


@transaction.atomic
def lower_share_with_key(rollout_id: int, *, by: By, share: int) -> Rollout:
    """Serve the candidate to fewer, for an API key whose scope was checked: a key never gives it to more.

    Raises Invalid, NotPending.
    """
    rollout = lock(rollout_id, by=by.user)
    require_live(rollout)
    if share > rollout.share:
        raise Invalid("share", f"A key can only lower the share, which is {rollout.share}\u00a0%.")
    if why := rollout.plan.refuse_share(share, rollout.share):
        raise Invalid("share", why)
    _change_share(rollout, share, by)
    return rollout


def end_with_document(document_id: int, *, user: User, reason: str) -> None:
    """End the live rollout, if any, of a document that was just rolled back. The caller has locked the document."""
    found = Rollout.objects.live().filter(split__document=document_id).values_list("pk", flat=True).first()
    if found is not None:
        rollout = lock(found, by=user)
        said = f"{rollout.document} was rolled back: {reason}"
        end(rollout, State.STOPPED, By.person(user), said)
        settle_soon(rollout)


def _take_away(rollout_id: int, state: Rollout.State, user: User, reason: str, asked: str) -> Rollout:
    _require(rollout_policies.may_end(user))
    return _end(rollout_id, state, By.person(user), reason, asked)


def _end(rollout_id: int, state: Rollout.State, by: By, reason: str, asked: str) -> Rollout:
    # No epoch is asked for: whatever step it took meanwhile, taking it away is what was meant.
    if not reason.strip():
        raise Invalid("reason", asked)
    rollout = lock(rollout_id, by=by.user)
    require_live(rollout)
    end(rollout, state, by, reason.strip())
    settle_soon(rollout)
    return rollout


def _change_share(rollout: Rollout, share: int, by: By) -> None:
    was = rollout.share
    if share == was:
        raise Invalid("share", f"Its share is {share}\u00a0% already.")
    verdict = JudgeMemory.objects.values_list("verdict", flat=True).get(rollout=rollout)
    runs = verdict["runs"]["candidate"] if verdict else 0
    give_share(rollout, share, by, runs=runs, at=timezone.now(), step=rollout.plan.step_at(share))
    record_on(rollout, "rollout.share_set", by, before={"share": was}, after={"share": share})


def _require(leave: Leave) -> None:
    if not leave.allowed:
        raise NotAllowed(leave.why)


def _require_seen(rollout: Rollout, epoch: int) -> None:
    if epoch != rollout.epoch:
        raise Outdated(
            f"The rollout moved on meanwhile: it is at {rollout.share}\u00a0%, {rollout.get_state_display().lower()}. "
            "Nothing was changed."
        )
