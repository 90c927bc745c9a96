"""What stands beside the buttons: one function of the proposal, the person and the moment, so that no sentence there
contradicts another.
"""

from dataclasses import dataclass

from proposals.models import Check, Proposal
from proposals.review import Effect, Standing


@dataclass(frozen=True, slots=True)
class Beside:
    """Sentences, each empty where there is nothing to say.

    `effect` is what approving does, for who may; for others, what the last approval does. `reject` is what rejecting
    does where that could be mistaken. `stops` says why Approve is greyed, beside what the page has a button for.
    """

    effect: str
    reject: str
    stops: tuple[str, ...]


def beside(proposal: Proposal, standing: Standing, effect: Effect) -> Beside:
    """For an open proposal."""
    after = proposal.status == Proposal.Status.IN_EFFECT
    whole = _confirms(proposal, effect) if after else _publishes(standing, effect)
    if standing.leave.allowed and standing.missing_after_mine:
        nothing = "it is not confirmed" if after else "nothing takes effect"
        whole = f"Approving records your approval; {nothing} yet. {standing.missing_after_mine}"
    reject = "Rejecting records that it was wrong; the agent keeps the text it has." if after else ""
    return Beside(whole, reject, _stops(standing.blocking))


def _publishes(standing: Standing, effect: Effect) -> str:
    what = f"version {effect.number}, current at once. Agents get it the next time they ask; one step takes it back."
    who = "Approving makes this text" if standing.leave.allowed else "The last approval makes this text"
    return f"{who} {what}"


def _confirms(proposal: Proposal, effect: Effect) -> str:
    """After the fact: what was done, and what became of it since."""
    what = "rollback that made" if proposal.origin == Proposal.Origin.ROLLBACK else "change published as"
    said = f"Approving confirms the {what} version {effect.number}."
    current = proposal.document.current
    if current and current.number != effect.number:
        return f"{said} Version {current.number} is current since; that stays."
    return f"{said} It stays current."


def _stops(blocking: list[Check]) -> tuple[str, ...]:
    return tuple(check.message for check in blocking)
