"""What is told of rollouts and proposals to those who are not looking: with numbers, and with nothing to press."""

from django.urls import reverse

from notices.models import Notice
from notices.outbox import plain, tell
from proposals.judging import Verdict, line, sentence
from proposals.models import Drift, Proposal, Rollout
from proposals.rollouts.links import gate_path, queue_path, rollout_path

LONGEST_NAME = 120
_ENDS = {
    Rollout.State.ROLLED_BACK: "was taken back by itself",
    Rollout.State.GIVEN_UP: "was given up without a clear verdict",
}


def tell_of_gate(rollout: Rollout, verdict: Verdict) -> None:
    """It waits for a person to promote it. The caller holds the transaction; so for all of these."""
    said = f"It is served to {rollout.share}\u00a0% of the units. Somebody has to promote it, or stop it."
    _tell(Notice.Kind.GATE, rollout, verdict, "waits at the gate", said, f"gate:{rollout.epoch}")


def tell_of_question(rollout: Rollout, verdict: Verdict) -> None:
    """It asks a person to look; it stays as it is meanwhile."""
    what = rollout.get_asks_display()
    said = f"{what}. It stays at {rollout.share}\u00a0% meanwhile; somebody should look."
    since = f"{rollout.asks_since:%Y%m%d%H%M%S%f}" if rollout.asks_since else ""
    _tell(Notice.Kind.ASKS, rollout, verdict, f"asks: {what.lower()}", said, f"asks:{rollout.asks}:{since}")


def tell_of_end(rollout: Rollout, verdict: Verdict) -> None:
    """It was ended by itself."""
    said = f"Everybody gets version {rollout.baseline.number} again; nothing has to be done at once."
    _tell(Notice.Kind.TAKEN_BACK, rollout, verdict, _ENDS[Rollout.State(rollout.state)], said, "ended")


def _tell(kind: Notice.Kind, rollout: Rollout, verdict: Verdict, what: str, said: str, key: str) -> None:
    document, number = rollout.document, rollout.candidate.number
    title = f"Version {number} of {document.agent} / {document} {what}"
    lines = [f"{title}.", said, "", sentence(verdict), *(f"- {line(one)}" for one in verdict.findings)]
    runs = verdict.runs
    lines.append(f"{runs['candidate']:,} runs of version {number}, {runs['current']:,} of {rollout.baseline.number}.")
    lines += ["", f"The change: “{plain(rollout.proposal.title, LONGEST_NAME)}”"]
    tell(
        kind,
        key=f"rollout:{rollout.pk}:{key}",
        title=title,
        text="\n".join(lines),
        path=rollout_path(rollout.pk),
        link=gate_path(rollout.pk),
        facts=_facts(rollout, verdict),
        team=document.agent.team,
    )


def tell_of_drift(drift: Drift) -> None:
    """A document began to drift."""
    document = drift.document
    title = f"{document.agent} / {document} drifts"
    tell(
        Notice.Kind.DRIFT,
        key=f"drift:{drift.pk}",
        title=title,
        text=f"{title}: {drift.in_words}.\nEach was approved by itself; read the whole text, as if it were new.",
        path=reverse("document", args=[document.agent.slug, document.slug]),
        facts={
            "agent": document.agent.slug,
            "document": document.slug,
            "changes": drift.changes,
            "words": drift.words,
            "of": drift.of,
        },
        team=document.agent.team,
    )


def _facts(rollout: Rollout, verdict: Verdict) -> dict[str, object]:
    return {
        "rollout": rollout.pk,
        "agent": rollout.document.agent.slug,
        "document": rollout.document.slug,
        "proposal": rollout.proposal_id,
        "candidate": rollout.candidate.number,
        "current": rollout.baseline.number,
        "state": str(rollout.state),
        "asks": str(rollout.asks),
        "share": rollout.share / 100,
        "verdict": verdict.to_json(),
    }


def tell_of_new(proposals: list[Proposal]) -> None:
    """These proposals, oldest first, wait since the last time they were told of; each team hears of its own."""
    upto = max(one.pk for one in proposals)
    for team in sorted({one.document.agent.team_id or 0 for one in proposals}):
        _tell_of_new([one for one in proposals if (one.document.agent.team_id or 0) == team], upto)


def _tell_of_new(proposals: list[Proposal], upto: int) -> None:
    team = proposals[0].document.agent.team
    count = len(proposals)
    title = "1 new proposal waits" if count == 1 else f"{count} new proposals wait"
    lines = [f"- {one.document.agent} / {one.document}: “{plain(one.title, LONGEST_NAME)}”" for one in proposals]
    tell(
        Notice.Kind.PROPOSALS,
        key=f"proposals:{upto}:{team.pk if team else ''}",
        title=title,
        text="\n".join([f"{title} for a decision:", *lines]),
        path=queue_path(),
        facts={"upto": upto, "proposals": [one.pk for one in proposals]},
        team=team,
    )
