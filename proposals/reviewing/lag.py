"""A proposal whose document moved on: what bringing it up to date takes, and what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.models import Agent
from proposals.actions.fitting import fit_of
from proposals.authority import policies
from proposals.diffs.merging import Conflict
from proposals.models import Decision, Proposal, Revision


@dataclass(frozen=True, slots=True)
class Lag:
    """Where a proposal stands against version `number`, which is current.

    `conflicts` are the places that both changed. `approvers` are those whose approval a move outdates. `moves_itself`
    says that Countersign moves it unasked, within seconds.
    """

    number: int
    conflicts: Sequence[Conflict]
    approvers: Sequence[str]
    moves_itself: bool

    @property
    def cost(self) -> str:
        """Whose approval is asked for again, in a sentence; empty where nobody approved."""
        if not self.approvers:
            return ""
        if len(self.approvers) == 1:
            return f"{self.approvers[0]}’s approval will have to be given again."
        return f"The approvals of {_listed(self.approvers)} will have to be given again."


def lag(proposal: Proposal, newest: Revision) -> Lag | None:
    """None for one that is closed, or stands on the current version."""
    current = proposal.document.current
    if not proposal.is_open or not proposal.is_stale or current is None:
        return None
    fit = fit_of(proposal, current)
    given = newest.decisions.filter(verdict=Decision.Verdict.APPROVE).select_related("actor").order_by("pk")
    approvals = list(given)
    waits = proposal.status == Proposal.Status.PENDING and fit.applies and not approvals
    return Lag(current.number, fit.met, _names(approvals, proposal.document.agent), waits)


def outdated_by(revision: Revision) -> str:
    """Whose approvals this revision outdated, in a sentence; empty for nobody's."""
    before = Decision.objects.filter(revision__proposal=revision.proposal_id, revision__number=revision.number - 1)
    approvals = before.filter(verdict=Decision.Verdict.APPROVE).select_related("actor").order_by("pk")
    names = _names(list(approvals), revision.proposal.document.agent)
    if not names:
        return ""
    what = "1 approval is outdated" if len(names) == 1 else f"{len(names)} approvals are outdated"
    return f"{what}: {', '.join(names)}."


def _names(approvals: Sequence[Decision], agent: Agent) -> list[str]:
    return [str(one.actor) for one in policies.counting(approvals, agent)]


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
