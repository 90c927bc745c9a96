"""The reads behind the pages of rollouts, each bounded whatever a rollout holds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from agents.compiled import Compiled, key
from agents.models import Agent, Document, Version
from audit.models import AuditEntry
from people.models import User
from proposals.authority import rollout_policies
from proposals.judging import Finding, Verdict, line, sentence, warning
from proposals.models import Proposal, Rollout, RolloutVerdict
from proposals.rollouts.chart import Chart, charts
from proposals.rollouts.links import LINK_LIVES
from proposals.rollouts.pills import pill
from proposals.rollouts.unnamed import Unnamed, unnamed
from proposals.rules.plans import Step
from proposals.status.turns import Pill

LOOKS = 200
"""Verdicts read for the chart; they come ever farther apart, so this is far more than there are."""
SHOWN = 20
OF_AGENT = 8
_STANDINGS = {
    "better": Pill("Better", "turn"),
    "no_worse": Pill("No worse", "turn"),
    "worse": Pill("Worse", "bad"),
    "inconclusive": Pill("Not clear", "warn"),
    "not_reported": Pill("Not reported"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """One step of the plan as the page shows it: `is_past`, `is_here`, where it ended, or still to come."""

    step: Step
    is_past: bool
    is_here: bool
    is_end: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One metric in words, and where it stands."""

    title: str
    words: str
    pill: Pill


@dataclass(frozen=True, slots=True)
class Judged:
    """The last verdict in words."""

    words: str
    warnings: tuple[str, ...]
    lines: tuple[Line, ...]
    false_alarms: str
    candidate_runs: int
    current_runs: int


@dataclass(frozen=True, slots=True)
class Acts:
    """What this person may do with it now; `why_not` says why not promote."""

    promote: bool
    why_not: str
    alone: str
    end: bool
    share: bool


def find(pk: int) -> Rollout | None:
    """The rollout with all its page shows."""
    return Rollout.objects.for_page().select_related("memory", "proposal").filter(pk=pk).first()


def state_line(rollout: Rollout) -> str:
    """Where it stands, in one sentence."""
    number, base = rollout.candidate.number, rollout.baseline.number
    who = f"{rollout.ended_by}" if rollout.ended_by else "Countersign"
    match rollout.state:
        case Rollout.State.WAITING:
            is_approved = rollout.proposal.status == Proposal.Status.APPROVED
            need = "promote it" if is_approved else "confirm it, then promote it"
            return f"Version {number} waits at the gate, at {rollout.share}\u00a0%. Somebody has to {need}."
        case Rollout.State.RUNNING:
            return f"Version {number} is served to {rollout.share}\u00a0% of the units, version {base} to the others."
        case Rollout.State.PROMOTED:
            return f"{who} promoted version {number}; everybody got it."
        case Rollout.State.GIVEN_UP:
            return f"The rollout of version {number} was given up without a clear verdict; it never was current."
        case Rollout.State.STOPPED:
            who = who if rollout.ended_by else "An API key"
            return f"{who} stopped the rollout of version {number}; it never was current."
        case _:
            return f"{who} took version {number} back; it never was current."


def places(rollout: Rollout) -> list[Place]:
    """The plan with the position in it."""
    at, done = rollout.step_index, rollout.state in (Rollout.State.WAITING, Rollout.State.PROMOTED)
    runs, ended = rollout.state == Rollout.State.RUNNING, not rollout.is_live and not done
    return [
        Place(step, number < at or (done and number <= at), runs and number == at, ended and number == at)
        for number, step in enumerate(rollout.plan.steps)
    ]


def left_out(rollout: Rollout) -> Unnamed | None:
    """The runs that the judge does not hear of, for a live one that has any. One query while it is live."""
    found = unnamed(rollout) if rollout.is_live else None
    return found if found and found.without else None


def waits_for(rollout: Rollout) -> str:
    """What the step it stands on still waits for, in a sentence; empty outside one."""
    if rollout.state != Rollout.State.RUNNING:
        return ""
    last = rollout.memory.verdict
    step, runs = rollout.step, (last["runs"]["candidate"] if last else 0) - rollout.runs_before_step
    until = rollout.step_since + timedelta(hours=step.hold_h)
    missing = []
    if runs < step.least_runs:
        missing.append(f"{step.least_runs - runs:,} more runs of the candidate")
    if until > timezone.now():
        missing.append(f"{until:%-d %B, %H:%M} UTC")
    if last is None or last["kind"] != "no_worse":
        missing.append("a verdict of no worse")
    return f"The next step waits for {_listed(missing)}." if missing else "The next step is taken within seconds."


def judged(rollout: Rollout) -> Judged | None:
    """What the judge said last; None before it looked."""
    if not rollout.memory.verdict:
        return None
    verdict = Verdict.from_json(rollout.memory.verdict)
    return Judged(
        sentence(verdict),
        tuple(warning(trouble) for trouble in verdict.troubles),
        tuple(_line(finding) for finding in verdict.findings),
        verdict.false_alarms,
        verdict.runs["candidate"],
        verdict.runs["current"],
    )


def _line(finding: Finding) -> Line:
    title, _, words = line(finding).partition(": ")
    return Line(title, words, _STANDINGS[finding.standing])


def verdicts(rollout: Rollout) -> tuple[list[Chart], list[tuple[RolloutVerdict, str]]]:
    """The course of each metric as a chart, and the newest verdicts with their words. One query."""
    rows = list(rollout.verdicts.order_by("-pk")[:LOOKS])
    looks = [(row.candidate_runs, row.findings["findings"]) for row in reversed(rows)]
    return charts(looks), [(row, sentence(Verdict.from_json(row.findings))) for row in rows[:SHOWN]]


def acts(rollout: Rollout, user: User) -> Acts:
    """What this person may do. Some queries while it is live."""
    if not rollout.is_live:
        return Acts(False, "", "", False, False)
    leave = rollout_policies.may_promote(user, rollout.proposal)
    return Acts(
        leave.allowed,
        "" if leave.allowed else leave.why,
        leave.why if leave.alone else "",
        rollout_policies.may_end(user).allowed,
        rollout_policies.may_set_share(user).allowed,
    )


def history(rollout: Rollout) -> QuerySet[AuditEntry]:
    """What the log says about it, newest first."""
    entries = AuditEntry.objects.filter(target_kind="rollout", target_id=str(rollout.pk))
    return entries.newest_first()[:SHOWN]


_OF_PROPOSAL: Final = Compiled(lambda: Rollout.objects.for_page().filter(proposal=key("proposal")))
_OF_DOCUMENT: Final = Compiled(
    lambda: Rollout.objects.for_page().filter(split__document=key("document")).order_by("-pk")[:5]
)
_OF_AGENT: Final = Compiled(
    lambda: Rollout.objects.for_page().filter(split__document__agent=key("agent")).order_by("-pk")[:OF_AGENT]
)
_OF_VERSION: Final = Compiled(lambda: Rollout.objects.for_page().filter(split__candidate=key("version")))


def of_document(document: Document, user: User) -> list[dict[str, object]]:
    """What a line about each of its newest rollouts says, the live one first, with what this person may do with it."""
    return [_with_acts(row, user) for row in rows(_OF_DOCUMENT.ask(document=document.pk))]


def of_version(version: Version, user: User) -> dict[str, object] | None:
    """What a line about the rollout of a version says, with what this person may do with it; None where it had none."""
    found = next(iter(_OF_VERSION.ask(version=version.pk)), None)
    return _with_acts(rows([found])[0], user) if found else None


def of_agent(agent: Agent) -> list[dict[str, object]]:
    """What a line about each of an agent's newest rollouts says. One query."""
    return rows(_OF_AGENT.ask(agent=agent.pk))


def _with_acts(row: dict[str, object], user: User) -> dict[str, object]:
    rollout = row["rollout"]
    return row | {"acts": acts(rollout, user) if isinstance(rollout, Rollout) and rollout.is_live else None}


def live_of(document: Document) -> Rollout | None:
    """The one that runs for a document, if any. One query."""
    return Rollout.objects.live().for_page().filter(split__document=document).first()


def rollout_of(proposal: Proposal) -> Rollout | None:
    """Its rollout, if it ever had one. One query unless it was joined in."""
    found: Rollout | None = getattr(proposal, "rollout", None)
    return found


def line_of(proposal: Proposal, user: User) -> dict[str, object] | None:
    """What a line about its rollout says, with what this person may do with it; None where it has none."""
    found = next(iter(_OF_PROPOSAL.ask(proposal=proposal.pk)), None) if proposal.published_id else None
    if found is None:
        return None
    found.proposal = proposal  # who may promote it goes by what the page has read already
    return _with_acts(rows([found])[0], user)


def waiting(user: User) -> list[Rollout]:
    """Those that ask for a person, the longest first; at most SHOWN."""
    return list(Rollout.objects.for_person(user).waiting().for_page().order_by("asks_since", "step_since")[:SHOWN])


def rows(found: Iterable[Rollout]) -> list[dict[str, object]]:
    """What a line about each says."""
    return [{"rollout": one, "pill": pill(one), "says": state_line(one)} for one in found]


def link_ends() -> datetime:
    """When a link made now stops working."""
    return timezone.now() + LINK_LIVES


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
