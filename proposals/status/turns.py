"""Whose turn it is with a proposal, as the small pill says it."""

from dataclasses import dataclass

from proposals.models import Proposal, SelfStart

Status = Proposal.Status


@dataclass(frozen=True, slots=True)
class Pill:
    """A few words and the tone they are set in: turn, warn, bad, info or nothing."""

    words: str
    tone: str = ""


MY_TURN = Pill("Your turn", "turn")
AFTER_ROLLOUT = Pill("After the rollout", "info")
_SETTLED = {
    Status.APPROVED: Pill("Approved", "turn"),
    Status.REJECTED: Pill("Rejected", "bad"),
    Status.WITHDRAWN: Pill("Withdrawn"),
    Status.EXPIRED: Pill("Expired"),
}


def pill(
    proposal: Proposal,
    *,
    my_turn: bool,
    blocked: bool = False,
    undone: bool = False,
    rollout: Pill | None = None,
    rolling: bool = False,
) -> Pill:
    """The pill of a proposal for the person who looks at it; `undone` is one that was rolled back, `rollout` the pill
    of its rollout while that says more than that it was approved, `rolling` says that one of another change runs for
    its document, before whose end it cannot be approved.
    """
    if not proposal.is_open:
        if rollout and not undone and proposal.status == Status.APPROVED:
            return rollout
        return Pill("Rolled back", "warn") if undone else _SETTLED[Status(proposal.status)]
    if proposal.status == Status.CHANGES_REQUESTED:
        return Pill("Yours to amend", "turn") if my_turn else Pill("Changes requested", "warn")
    if proposal.status == Status.IN_EFFECT:
        return Pill(f"Confirm {_done(proposal)}", "turn") if my_turn else rollout or Pill("In effect", "info")
    if blocked:
        return Pill("Blocked", "bad")
    if proposal.is_stale:
        return Pill("Out of date", "turn" if my_turn else "warn")
    if rolling:
        return AFTER_ROLLOUT
    return MY_TURN if my_turn else Pill("Others’ turn")


def _done(proposal: Proposal) -> str:
    """What was done before anybody approved it."""
    if proposal.origin == Proposal.Origin.ROLLBACK:
        return "rollback"
    return "start" if SelfStart.of(proposal) else "bypass"
