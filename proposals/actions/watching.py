"""Watch over rollouts: what the judge's verdict asks for is done, up to the gate, within seconds of the evidence.

What is due follows from the rollout, the verdict and the time alone, so that a pass may be repeated, or be the first
after a worker died between hearing of runs and acting on them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from django.db import transaction
from django.utils import timezone

from agents.freezing import hold_switch, is_frozen
from proposals.actions.feeding import feed
from proposals.actions.rollouts import BY_ITSELF, Asks, State, ask, end, give_share, lock, move, record_on
from proposals.actions.telling import tell_of_end, tell_of_gate, tell_of_question
from proposals.judging import Judge, Verdict, sentence
from proposals.models import JudgeMemory, Rollout, RolloutVerdict
from proposals.rollouts.unnamed import unnamed

_ASKS: Final = {"sample_ratio": Asks.MISMATCH, "silence": Asks.SILENCE}


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done: end it, go to step `step`, wait at the gate, or ask a person (or no longer ask)."""

    what: Literal["roll_back", "give_up", "step", "gate", "ask"]
    step: int = 0
    asks: Rollout.Asks = Asks.NOTHING


def watched() -> list[int]:
    """Keys of the live rollouts."""
    return list(Rollout.objects.live().order_by("pk").values_list("pk", flat=True))


def watch(rollout_id: int) -> None:
    """Hear of what is new, and do what is due."""
    feed(rollout_id)
    decide(rollout_id)


def decide(rollout_id: int) -> Due | None:
    """Ask the judge and do what follows; what that was."""
    memory = JudgeMemory.objects.filter(rollout=rollout_id, rollout__state__in=Rollout.LIVE).first()
    if memory is None:
        return None
    verdict = Judge.from_json(memory.judge).verdict()
    rollout, now = Rollout.objects.for_page().get(pk=rollout_id), timezone.now()
    misses = unnamed(rollout).is_most
    if _tells_more(verdict, memory) or due(rollout, verdict, now, frozen=is_frozen(), misses=misses):
        return _act(rollout_id, verdict, now, misses=misses)
    if memory.verdict != verdict.to_json():
        JudgeMemory.objects.filter(pk=memory.pk).update(verdict=verdict.to_json())
    return None


def due(rollout: Rollout, verdict: Verdict, now: datetime, *, frozen: bool, misses: bool) -> Due | None:
    """What this verdict asks for now; `misses` says that most runs name no unit, so that the judge does not hear them.

    While all is frozen, a candidate found worse is taken back, and that is all.
    """
    if not rollout.is_live:
        return None
    if verdict.kind == "worse":
        return Due("roll_back")
    if verdict.kind == "no_worse":
        return _forward(rollout, verdict, now, frozen) or _ask(rollout, Asks.NOTHING)
    if verdict.rule in _ASKS:
        return _ask(rollout, _ASKS[verdict.rule])
    return _unclear(rollout, now, frozen, Asks.UNNAMED if misses else Asks.NOTHING)


def _forward(rollout: Rollout, verdict: Verdict, now: datetime, frozen: bool) -> Due | None:
    """The next step or the gate, once there were enough runs for long enough."""
    step, runs = rollout.step, verdict.runs["candidate"] - rollout.runs_before_step
    held = now - rollout.step_since >= timedelta(hours=step.hold_h)
    if frozen or rollout.state != State.RUNNING or runs < step.least_runs or not held:
        return None
    # A person may have lowered the share: the way up is through every step again, never past the plan's largest step.
    larger = rollout.plan.step_above(rollout.share)
    return Due("gate") if larger is None else Due("step", step=larger)


def _unclear(rollout: Rollout, now: datetime, frozen: bool, already: Rollout.Asks) -> Due | None:
    """Neither: after some time in a step, what the document's plan says; what there is to ask `already` says more."""
    plan = rollout.plan
    if rollout.state != State.RUNNING:
        return _ask(rollout, Asks.NOTHING)
    if now - rollout.step_since < timedelta(days=plan.patience_days):
        return _ask(rollout, already)
    match plan.inconclusive:
        case "give_up":
            return None if frozen else Due("give_up")
        case "ask":
            return _ask(rollout, already or Asks.UNCLEAR)
        case "warn":
            return _ask(rollout, already or Asks.SLOW)
        case _:
            return _ask(rollout, already)


def _ask(rollout: Rollout, asks: Rollout.Asks) -> Due | None:
    return None if rollout.asks == asks else Due("ask", asks=asks)


@transaction.atomic
def _act(rollout_id: int, verdict: Verdict, now: datetime, *, misses: bool) -> Due | None:
    frozen = hold_switch()
    rollout = lock(rollout_id, by=None)
    found = due(rollout, verdict, now, frozen=frozen, misses=misses)
    if not rollout.is_live:
        return None
    _keep(rollout, verdict, now)
    if found:
        _carry_out(rollout, found, verdict, now)
    return found


def _carry_out(rollout: Rollout, found: Due, verdict: Verdict, now: datetime) -> None:
    said, was, runs = sentence(verdict), rollout.share, verdict.runs["candidate"]
    match found.what:
        case "roll_back":
            end(rollout, State.ROLLED_BACK, BY_ITSELF, said)
            tell_of_end(rollout, verdict)
        case "give_up":
            patience = rollout.plan.patience
            end(rollout, State.GIVEN_UP, BY_ITSELF, f"No clear verdict after {patience} in this step. {said}")
            tell_of_end(rollout, verdict)
        case "step":
            share = rollout.plan.steps[found.step].share
            give_share(rollout, share, BY_ITSELF, runs=runs, at=now, step=found.step)
            record_on(
                rollout, "rollout.stepped", BY_ITSELF, before={"share": was}, after={"share": share, "reason": said}
            )
        case "gate":
            move(rollout, state=State.WAITING, asks=Asks.NOTHING, asks_since=None)
            record_on(rollout, "rollout.gate_reached", BY_ITSELF, after={"reason": said})
            tell_of_gate(rollout, verdict)
        case "ask":
            before: dict[str, object] = {"asks": rollout.asks}
            ask(rollout, found.asks, now)
            verb = "rollout.asked" if found.asks else "rollout.calmed"
            record_on(rollout, verb, BY_ITSELF, before=before, after={"asks": found.asks, "reason": said})
            if found.asks in Rollout.URGENT:
                tell_of_question(rollout, verdict)


def _tells_more(verdict: Verdict, memory: JudgeMemory) -> bool:
    """Whether it is worth a row of its own: another ruling, or a quarter more runs than when the last was kept."""
    last = memory.verdict
    if last is None or (last["kind"], last["rule"]) != (verdict.kind, verdict.rule):
        return True
    return verdict.runs["candidate"] > memory.told_at_runs * 1.25 + 4


def _keep(rollout: Rollout, verdict: Verdict, now: datetime) -> None:
    facts, runs = verdict.to_json(), verdict.runs
    RolloutVerdict.objects.create(
        rollout=rollout,
        at=now,
        kind=verdict.kind,
        rule=verdict.rule,
        share=rollout.share,
        candidate_runs=runs["candidate"],
        current_runs=runs["current"],
        findings=facts,
    )
    JudgeMemory.objects.filter(rollout=rollout).update(verdict=facts, told_at_runs=runs["candidate"])
