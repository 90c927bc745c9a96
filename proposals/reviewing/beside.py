"""What stands beside the buttons: one function of the proposal, the person and the moment, so that no sentence there
contradicts another.
"""

from dataclasses import dataclass, replace

from agents import pace
from proposals.actions.rollouts import second
from proposals.authority.rollout_policies import plan_for
from proposals.checking.risk import Level
from proposals.models import Check, Proposal, Rollout, SelfStart
from proposals.reviewing.review import Effect, Standing
from proposals.rollouts.page import live_of
from proposals.rules.plans import BUILT_IN, OWN_SHARES, Plan


@dataclass(frozen=True, slots=True)
class Start:
    """A way for a change to take effect: `label` offers it, `effect` says what approving does then.

    Where shares can be typed, `shares` are those of the plan and `bounds` says which it allows.
    """

    name: str
    label: str
    effect: str
    is_usual: bool = False
    shares: str = ""
    bounds: str = ""


@dataclass(frozen=True, slots=True)
class Beside:
    """Sentences, each empty where there is nothing to say.

    `effect` is what approving does, for who may; for others, what the last approval does. `reject` is what rejecting
    does where that could be mistaken. `stops` says why Approve is greyed, beside what the page has a button for.
    `starts` are the ways to choose from, each with its own effect; `running` is the rollout that comes first, which
    `busy` explains; `full` says that nothing more goes out for the agent today.
    """

    effect: str
    reject: str
    stops: tuple[str, ...]
    running: Rollout | None
    busy: str
    starts: tuple[Start, ...] = ()
    full: str = ""


def beside(proposal: Proposal, standing: Standing, effect: Effect, *, rolling: bool) -> Beside:
    """For an open proposal; `rolling` says whether a rollout runs for its document.

    Two queries, none for one that is in effect; one more where a rollout runs.
    """
    after = proposal.status == Proposal.Status.IN_EFFECT
    if SelfStart.of(proposal) and after:
        return _of_started(proposal, standing, effect)
    reject = "Rejecting records that it was wrong; the agent keeps the text it has." if after else ""
    running = live_of(proposal.document) if rolling and not after else None
    rest = (reject, _stops(standing.blocking), running, second(running) if running else "")
    if standing.leave.allowed and standing.missing_after_mine:
        nothing = "it is not confirmed" if after else "nothing takes effect"
        return Beside(f"Approving records your approval; {nothing} yet. {standing.missing_after_mine}", *rest)
    if after:
        return Beside(_confirms(proposal, effect), *rest)
    plan = plan_for(proposal.document)
    starts = _starts(proposal, standing, effect, plan)
    usual = next(one.effect for one in starts if one.is_usual)
    if not standing.leave.allowed:
        return Beside(usual, *rest)
    return Beside(usual, *rest, starts=starts, full=pace.full(proposal.document.agent))


def _starts(proposal: Proposal, standing: Standing, effect: Effect, plan: Plan) -> tuple[Start, ...]:
    """The ways in which it can take effect, the usual one among them."""
    first = f"{plan.steps[0].share}\u00a0%"
    tries = _tries(proposal, standing, effect, f"a {first} canary", f"for {first} of the units")
    canary = Start("canary", f"Start a canary ({plan.in_words})", tries)
    at_once = Start("at_once", "Release at once", _publishes(standing, effect))
    shares = ", ".join(str(step.share) for step in plan.steps)
    own = Start(
        OWN_SHARES,
        "Start a canary with other shares",
        _tries(proposal, standing, effect, "a canary by these shares", "for the first of them"),
        shares=shares,
        bounds=plan.bounds,
    )
    found = [at_once, canary, own] if plan.at_once_allowed else [canary, own]
    usual = _usual(proposal, plan)
    return tuple(replace(one, is_usual=one.name == usual) for one in found)


def _usual(proposal: Proposal, plan: Plan) -> str:
    """What its plan says. Where nobody made a plan, what is of high risk is tried first, if runs are there to tell."""
    is_tried = plan == BUILT_IN and proposal.risk == Level.HIGH and proposal.document.agent.runs_a_day > 0
    return "canary" if is_tried else plan.start


def _tries(proposal: Proposal, standing: Standing, effect: Effect, canary: str, whom: str) -> str:
    who = f"Approve and start {canary}:" if standing.leave.allowed else f"The last approval starts {canary}:"
    current = proposal.document.current
    rest = f"the others keep version {current.number}" if current else "the others keep what they have"
    return (
        f"{who} this text becomes version {effect.number}, {whom}; {rest}. It climbs step by "
        "step while it does no worse, is taken back by itself if it does, and a person promotes it to everybody."
    )


def _publishes(standing: Standing, effect: Effect) -> str:
    what = f"version {effect.number}, current at once. Agents get it the next time they ask; one step takes it back."
    who = "Approving makes this text" if standing.leave.allowed else "The last approval makes this text"
    return f"{who} {what}"


def _of_started(proposal: Proposal, standing: Standing, effect: Effect) -> Beside:
    """After it started by itself: its rollout goes on or is taken away; once taken back it can only be closed."""
    rollout = Rollout.objects.for_page().get(proposal=proposal)
    stops = _stops(standing.blocking)
    if not rollout.is_live:
        over = f"Its canary was {rollout.get_state_display().lower()}. Reject it, with a reason, to close it."
        return Beside("Nothing is left to be confirmed.", "", stops, rollout, over)
    reject = f"Rejecting stops the rollout at once: everybody gets version {rollout.baseline.number} again."
    if standing.leave.allowed and standing.missing_after_mine:
        says = f"Approving records your approval; it is not confirmed yet. {standing.missing_after_mine}"
        return Beside(says, reject, stops, None, "")
    says = (
        f"Approving confirms version {effect.number}, which {rollout.share}\u00a0% of the units get. It goes on by its "
        "plan, and stops at the gate, where a person promotes it."
    )
    return Beside(says, reject, stops, None, "")


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
