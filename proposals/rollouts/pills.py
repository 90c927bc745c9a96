"""The state of a rollout in a few words."""

from collections.abc import Collection

from proposals.models import Proposal, Rollout, SelfStart
from proposals.status.turns import Pill


def pill(rollout: Rollout) -> Pill:
    """As its own pages show it."""
    state = Rollout.State
    if rollout.state == state.WAITING:
        return Pill("At the gate", "turn")
    if rollout.state == state.RUNNING:
        return Pill(f"Canary {rollout.share}\u00a0%", "warn" if rollout.is_waiting else "info")
    return Pill(rollout.get_state_display(), "turn" if rollout.state == state.PROMOTED else "warn")


def rollout_pills(proposals: Collection[Proposal]) -> dict[int, Pill]:
    """By the proposals' keys, where it says more than their status. One query, if any was published."""
    published = [p.pk for p in proposals if p.published_id and (not p.is_open or SelfStart.of(p))]
    if not published:
        return {}
    found = Rollout.objects.exclude(state=Rollout.State.PROMOTED).filter(proposal__in=published).select_related("split")
    return {rollout.proposal_id: pill(rollout) for rollout in found}
