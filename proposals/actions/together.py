"""Several small decisions at one press: each is an approval of its own, under the digest that was shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agents.compiled import Compiled, keys
from agents.models import whole_of
from agents.reach import unseen
from people.models import User
from proposals.actions.decisions import approve
from proposals.actions.rollouts import second
from proposals.authority.rollout_policies import plans_for
from proposals.checking.risk import Level
from proposals.exceptions import ReviewError
from proposals.models import Check, Proposal, Rollout
from proposals.queue import decidable_by
from proposals.rollouts.page import rollout_of
from proposals.rules.plans import Plan

MOST = 20
Kind = tuple[str, str]
_HEAVY = (
    *whole_of("base_version"), *whole_of("document__current"),
    "revision__text", "pattern__centroid", "pattern__meaning", "pattern__terms",
)  # fmt: skip
_ASKED: Final = Compiled(
    lambda: (
        Proposal.objects.filter(**{"pk__any_of": keys("keys")})
        .exclude(**{"document__agent__pk__any_of": keys("unseen")})
        .for_page()
        .defer(*_HEAVY)
    )
)
_BLOCKED: Final = Compiled(
    lambda: Check.objects.filter(**{"revision__pk__any_of": keys("revisions")}, verdict=Check.Verdict.FAIL).values_list(
        "revision", flat=True
    )
)
_LIVE: Final = Compiled(
    lambda: Rollout.objects.live().for_page().filter(**{"split__document__pk__any_of": keys("documents")})
)


@dataclass(frozen=True, slots=True)
class Sorted:
    """What may be approved together, and why each of the others may not."""

    fit: list[Proposal]
    left_out: list[tuple[Proposal, str]]
    canary: int = 0
    """The share in percent to which approving serves each of them first; 0 where it makes them current at once."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one proposal."""

    proposal: int
    title: str
    done: bool
    said: str


def asked_for(proposals: Sequence[int], *, user: User) -> list[Proposal]:
    """Those with these keys whose agents this person sees, in the order of the keys, each once, without the texts."""
    found = {one.pk: one for one in _ASKED.ask(keys=list(proposals), unseen=list(unseen(user)))}
    return [found[pk] for pk in dict.fromkeys(proposals) if pk in found]


def sort_out(proposals: Sequence[Proposal], *, user: User) -> Sorted:
    """Which of these may be approved together, in the order given; the first that fits sets the kind.

    One document takes part once: approving a change of it moves the base under every other.
    """
    fit: list[Proposal] = []
    left_out: list[tuple[Proposal, str]] = []
    mine = set(decidable_by(user))
    blocked = set(_BLOCKED.ask(revisions=[p.revision_id for p in proposals]))
    busy = {one.document.pk: second(one) for one in _LIVE.ask(documents=[p.document_id for p in proposals])}
    plans = plans_for({p.document_id for p in proposals})
    canary = 0
    for proposal in proposals:
        is_blocked, running = proposal.revision_id in blocked, busy.get(proposal.document_id, "")
        why = _unfit(proposal, is_mine=proposal.pk in mine, is_blocked=is_blocked, running=running)
        why = why or _unlike(proposal, fit)
        first = _first_share(plans[proposal.document_id])
        if fit and not why and first != canary:
            why = "Approving does not do the same with it as with the first: their rollout plans differ."
        if why:
            left_out.append((proposal, why))
        else:
            fit.append(proposal)
            canary = first
    return Sorted(fit, left_out, canary)


def _first_share(plan: Plan) -> int:
    """How many percent get it first when the plan starts a canary; 0 when it is released at once."""
    return plan.steps[0].share if plan.start == "canary" else 0


def _unfit(proposal: Proposal, *, is_mine: bool, is_blocked: bool, running: str) -> str:
    """Why this one is decided on its own, or not at all; empty if it need not be. `running` is the rollout it waits
    for, in words.
    """
    if proposal.status != Proposal.Status.PENDING:
        return f"It is {proposal.get_status_display().lower()}."
    if proposal.risk != Level.LOW:
        return f"{Level(proposal.risk).word} risk: it is decided on its own page."
    if is_blocked:
        return "A check blocks it."
    if proposal.is_stale:
        return "It is out of date; its page brings it up to date."
    if running:
        return running
    return "" if is_mine else "You cannot decide it, or have approved it already; its page says why."


def _unlike(proposal: Proposal, fit: Sequence[Proposal]) -> str:
    if fit and _kind(proposal) != _kind(fit[0]):
        return "It is of another kind than the first."
    same = next((other for other in fit if other.document_id == proposal.document_id), None)
    if same:
        return f"“{same}” changes the same document; this one can follow once it is up to date with that."
    return "" if len(fit) < MOST else f"At most {MOST} are decided together."


def _kind(proposal: Proposal) -> Kind:
    return proposal.origin, proposal.document.kind


def approve_together(wanted: Sequence[tuple[int, str]], *, user: User, note: str = "") -> list[Outcome]:
    """Approve each (proposal, digest) in a transaction of its own; what was refused is told, and changes nothing else.

    What is fit is asked again now: a proposal that became riskier since the page was shown is left out.
    """
    digests = dict(wanted[: 2 * MOST])
    found = {p.pk: p for p in asked_for(list(digests), user=user)}
    left_out = {p.pk: why for p, why in sort_out(list(found.values()), user=user).left_out}
    return [
        _approve_one(found[pk], digest, user=user, note=note, why_not=left_out.get(pk, ""))
        for pk, digest in digests.items()
        if pk in found
    ]


def _approve_one(proposal: Proposal, digest: str, *, user: User, note: str, why_not: str) -> Outcome:
    if why_not:
        return Outcome(proposal.pk, proposal.title, False, why_not)
    try:
        approve(proposal.pk, user=user, digest=digest, note=note)
    except ReviewError as refusal:
        return Outcome(proposal.pk, proposal.title, False, str(refusal))
    return Outcome(proposal.pk, proposal.title, True, _now(proposal.pk))


def _now(proposal_id: int) -> str:
    after = Proposal.objects.select_related("published", "rollout__split").get(pk=proposal_id)
    if after.status == Proposal.Status.APPROVED and after.published:
        if rollout := rollout_of(after):
            return f"Version {after.published.number} is served to {rollout.share}\u00a0% of the units from now on."
        return f"Version {after.published.number} is current from now on."
    return "Approval recorded. The change takes effect with the last approval needed."
