"""Approve, ask for changes, reject: one person's word on exactly the text they saw."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.utils import timezone

from agents import pace
from agents.models import Version
from audit.record import Actor, record
from feedback.actions.patterns import change_status
from feedback.models import Pattern
from people.models import User
from proposals.actions import rollouts
from proposals.actions.attention import Attention, attention_of
from proposals.actions.following import follow_soon
from proposals.actions.locking import lock, lock_with_rivals, newest
from proposals.actions.proposals import free_pattern, record_on
from proposals.actions.publishing import publish_revision, require_publishable
from proposals.actions.revisions import update_unmoved
from proposals.actions.superseding import end_drafts_beside
from proposals.authority import policies
from proposals.authority.rollout_policies import plan_for
from proposals.exceptions import Invalid, LimitReached, NotAllowed, NotPending, Outdated, Unopened
from proposals.models import Decision, Proposal, Revision, Rollout, SelfStart
from proposals.rules.plans import STARTS, BadPlan, Plan

Status = Proposal.Status
MAX_ANSWER: Final = 1000


@transaction.atomic
def approve(
    proposal_id: int,
    *,
    user: User,
    digest: str,
    note: str = "",
    start: str = "",
    shares: Sequence[int] = (),
    answers: Mapping[str, str] | None = None,
) -> Decision:
    """Approve the revision with this digest; with the last approval needed it takes effect.

    `start` says how: “at_once” makes it current, “canary” serves it to a few first; empty, what the document's plan
    says. A canary goes by these `shares` in percent, if any are given and the plan allows them. `answers` say why what
    checks found may stand, by the name of the check: one for each that asks.
    Raises NotAllowed, NotPending, Outdated, StaleProposal, Blocked, Unopened, LimitReached, Invalid.
    """
    proposal, revision, leave = _open_for(proposal_id, user, digest)
    answered = _checked(proposal, revision, answers or {})
    count = _count(proposal, revision, user)
    if count.own and not count.is_enough:
        raise NotPending("You approved this revision already; it waits for somebody else.")
    attention = attention_of(user, revision)
    if count.need.opened and not attention.evidence_opened_at:
        raise Unopened(f"{policies.OPEN_FIRST} Nothing was recorded.")
    alone = leave.alone or (count.is_enough and bool(count.need.missing(count.actors)))
    verdict = Decision.Verdict.APPROVE
    decision = count.own or _decide(
        revision, user, verdict, note=note, alone=alone, answers=answered, attention=attention
    )
    if not count.is_enough:
        _wait_for_owners(proposal, count.need, count.actors)
        _record(proposal, "proposal.approval_given", decision, {"needed": count.need.approvals})
        return decision
    in_effect = proposal.status == Status.IN_EFFECT
    version = (in_effect and proposal.published) or _release(proposal, revision, user, start, shares)
    _settle(proposal, version, user, decision, alone=alone, confirms=in_effect)
    return decision


def _checked(proposal: Proposal, revision: Revision, answers: Mapping[str, str]) -> dict[str, str]:
    """The answers to what checks found, where approving publishes; what is in effect already is but confirmed.

    Raises StaleProposal, Blocked, Invalid, NotPending.
    """
    if proposal.status != Status.IN_EFFECT:
        require_publishable(proposal, revision)
        return _answered(revision, answers)
    if SelfStart.of(proposal):
        _require_standing(proposal)
    return {}


@dataclass(frozen=True, slots=True)
class _Count:
    """The approvals of a revision with one person's more: `own` is theirs, if they gave it before."""

    need: policies.Need
    actors: set[int]
    own: Decision | None

    @property
    def is_enough(self) -> bool:
        return not policies.in_force(self.need).missing(self.actors)


def _count(proposal: Proposal, revision: Revision, user: User) -> _Count:
    need = policies.approvals_needed(proposal, revision)
    approvals = revision.decisions.filter(verdict=Decision.Verdict.APPROVE)
    given = policies.counting(approvals, proposal.document.agent)
    own = next((one for one in given if one.actor_id == user.pk), None)
    return _Count(need, {one.actor_id for one in given} | {user.pk}, own)


def _settle(
    proposal: Proposal, version: Version, user: User, decision: Decision, *, alone: bool, confirms: bool
) -> None:
    """What follows from the last approval, once its version stands."""
    _move(proposal, Status.APPROVED, version)
    settle_pattern(proposal, Pattern.Status.WATCHING, Actor.person(user), version)
    end_drafts_beside(proposal, Actor.person(user))
    confirmed = {"confirms": _confirmed(proposal)} if confirms else {}
    as_candidate = Rollout.objects.live().filter(proposal=proposal).exists()
    _record(
        proposal,
        "proposal.approved",
        decision,
        {_AS[as_candidate]: version.number, "single_operator": alone, **confirmed},
    )


_AS = {False: "version", True: "candidate"}


def _confirmed(proposal: Proposal) -> str:
    """What is confirmed after the fact."""
    if proposal.origin == Proposal.Origin.ROLLBACK:
        return "rollback"
    return "start" if SelfStart.of(proposal) else "bypass"


def _live_of(proposal: Proposal) -> Rollout | None:
    """The live rollout of a proposal in effect, locked with its document until the transaction ends."""
    found = Rollout.objects.filter(proposal=proposal).values_list("pk", flat=True).first()
    rollout = rollouts.lock(found, by=None) if found else None
    return rollout if rollout and rollout.is_live else None


def _require_standing(proposal: Proposal) -> None:
    """Raises NotPending where what started by itself was taken back since: nothing is left to be confirmed."""
    if _live_of(proposal) is None:
        raise NotPending(
            "What started by itself was taken back already; nothing is left to be confirmed. Reject it, with a reason, "
            "to close it."
        )


def _release(proposal: Proposal, revision: Revision, user: User, start: str, shares: Sequence[int]) -> Version:
    """Make the text current, or serve it to a few first. Raises StaleProposal, Blocked, LimitReached, Invalid."""
    if full := pace.full(proposal.document.agent):
        raise LimitReached(f"{full} Nothing was recorded.")
    plan = plan_for(proposal.document)
    start = start or plan.start
    if start not in STARTS:
        raise Invalid("start", "Choose whether to release it at once.")
    if start == "canary":
        return rollouts.start(proposal, revision, plan=_by(plan, shares), by=rollouts.By.person(user))
    if not plan.at_once_allowed:
        raise Invalid("start", "The rollout plan of this document asks for a canary first.")
    return publish_revision(proposal, revision, user)


def _by(plan: Plan, shares: Sequence[int]) -> Plan:
    """The plan, by other shares if some are given. Raises Invalid for what it does not allow."""
    try:
        return plan.with_shares(shares) if shares else plan
    except BadPlan as bad:
        raise Invalid("shares", str(bad)) from None


def _wait_for_owners(proposal: Proposal, need: policies.Need, actors: set[int]) -> None:
    """Note the sections of which only the owner is missing: it is nobody else's turn then."""
    lacking = [section.heading for section in need.lacking(actors)] if len(actors) >= need.approvals else []
    Proposal.objects.filter(pk=proposal.pk).update(waits_for_owners_of=lacking)


@transaction.atomic
def request_changes(proposal_id: int, *, user: User, digest: str, note: str) -> Decision:
    """Send the proposal back with a note. Raises NotAllowed, NotPending, Outdated, Invalid."""
    if not note.strip():
        raise Invalid("note", "Say what should change.")
    proposal, revision, leave = _open_for(proposal_id, user, digest)
    if proposal.status == Status.IN_EFFECT:
        raise NotPending("This is in effect already; approve it, or reject it with a reason.")
    decision = _decide(revision, user, Decision.Verdict.REQUEST_CHANGES, note=note, alone=leave.alone)
    _move(proposal, Status.CHANGES_REQUESTED)
    _record(proposal, "proposal.changes_requested", decision)
    return decision


@transaction.atomic
def reject(proposal_id: int, *, user: User, digest: str, reason: str, note: str) -> Decision:
    """Reject the proposal for good, with a typed reason and words, also where changes were requested.

    The pattern stays open, but nothing like it is drafted again before there is new evidence. What started by itself is
    taken from everybody again.
    Raises NotAllowed, NotPending, Outdated, Invalid.
    """
    if reason not in Decision.Reason.values:
        raise Invalid("reason", "Choose why it is rejected.")
    if not note.strip():
        raise Invalid("note", "Say in a sentence why it is rejected.")
    proposal, revision, leave = _open_for(proposal_id, user, digest, among=Proposal.OPEN)
    decision = _decide(revision, user, Decision.Verdict.REJECT, reason=reason, note=note, alone=leave.alone)
    if SelfStart.of(proposal) and (live := _live_of(proposal)):
        rollouts.end(live, Rollout.State.STOPPED, rollouts.By.person(user), note.strip())
    _move(proposal, Status.REJECTED)
    _free_pattern(proposal, user)
    _record(proposal, "proposal.rejected", decision)
    return decision


@transaction.atomic
def take_back_request(proposal_id: int, *, user: User) -> None:
    """Let the person who requested changes take that back: the text is up for decision as it is.

    Raises NotAllowed, NotPending.
    """
    if not user.has_perm("proposals.decide_proposal"):
        raise NotAllowed("Deciding needs the role reviewer or admin.")
    proposal = lock(proposal_id, by=user)
    if proposal.status != Status.CHANGES_REQUESTED:
        raise NotPending(_already(proposal))
    said = Decision.objects.filter(revision__proposal=proposal).select_related("actor").order_by("pk")
    leave = policies.may_take_back(user, said)
    if not leave.allowed:
        raise NotAllowed(leave.why)
    if proposal.redrafts.due().exists():
        raise NotPending("Countersign redrafts this already; wait for it, it takes less than a minute.")
    update_unmoved(proposal, status=Status.PENDING, decided_at=None)
    status: dict[str, object] = {"status": proposal.status}
    record_on(
        proposal,
        "proposal.request_taken_back",
        Actor.person(user),
        before={"status": "changes_requested"},
        after=status,
    )
    follow_soon(proposal.document_id)


def _open_for(
    proposal_id: int, user: User, digest: str, *, among: Collection[Status] = Proposal.DECIDABLE
) -> tuple[Proposal, Revision, policies.Leave]:
    """Lock, then refuse whoever may not, what is no longer open, and what is not what they saw."""
    proposal = lock_with_rivals(proposal_id, by=user)
    leave = policies.require_may_decide(user, proposal)
    if proposal.status not in among:
        raise NotPending(_already(proposal))
    revision = newest(proposal)
    if digest != revision.digest:
        raise Outdated(
            f"{revision.author_label} changed this to revision {revision.number} meanwhile. Nothing was recorded."
        )
    return proposal, revision, leave


def _already(proposal: Proposal) -> str:
    last = Decision.objects.filter(revision__proposal=proposal).select_related("actor").order_by("pk").last()
    if last is None:
        return f"This proposal is {proposal.get_status_display().lower()} already. Nothing was recorded."
    return f"{last.actor} {last.get_verdict_display()} this proposal already. Nothing was recorded."


def _answered(revision: Revision, answers: Mapping[str, str]) -> dict[str, str]:
    """One reason for each finding that asks for one. Raises Invalid at the first that is missing."""
    asking = list(revision.checks.filter(asks=True))
    for check in asking:
        if not (answers.get(check.name) or "").strip():
            raise Invalid(f"answer_{check.name}", "Say why this may stand; approving keeps your words with it.")
    return {check.name: answers[check.name].strip()[:MAX_ANSWER] for check in asking}


def _decide(
    revision: Revision,
    user: User,
    verdict: Decision.Verdict,
    *,
    note: str,
    alone: bool,
    reason: str = "",
    answers: dict[str, str] | None = None,
    attention: Attention | None = None,
) -> Decision:
    return Decision.objects.create(
        revision=revision,
        digest=revision.digest,
        actor=user,
        verdict=verdict,
        reason=reason,
        note=note.strip(),
        single_operator=alone,
        answers=answers or {},
        **(attention._asdict() if attention else {}),
    )


def _move(proposal: Proposal, status: Status, version: Version | None = None) -> None:
    """Guarded by the state and revision that were read: the lock makes it certain, this makes it plain."""
    changes: dict[str, object] = {"status": status, "decided_at": timezone.now(), "waits_for_owners_of": []}
    if version:
        changes["published"] = version
    expected = Proposal.objects.filter(pk=proposal.pk, status=proposal.status, revision=proposal.revision_id)
    if expected.update(**changes) != 1:
        raise NotPending(_already(proposal))


def settle_pattern(proposal: Proposal, status: Pattern.Status, actor: Actor, version: Version | None = None) -> None:
    """Move the pattern it came from, if any, into this state; nothing is due to be drafted from it."""
    if proposal.pattern_id:
        Pattern.objects.filter(pk=proposal.pattern_id).update(draft_due_at=None)
        change_status([proposal.pattern_id], status, actor=actor, proposal=proposal.pk, version=version)


def _free_pattern(proposal: Proposal, user: User) -> None:
    """Open the pattern of what was rejected; not if another version answers it, or another proposal is open."""
    if proposal.pattern_id:
        Pattern.objects.filter(pk=proposal.pattern_id).update(draft_due_at=None)
        answered = () if proposal.published_id else Pattern.ANSWERED
        free_pattern(proposal, Actor.person(user), was=[one for one in Pattern.Status if one not in answered])


def _record(proposal: Proposal, verb: str, decision: Decision, more: dict[str, object] | None = None) -> None:
    after = Proposal.objects.values_list("status", flat=True).get(pk=proposal.pk)
    record(
        verb,
        actor=Actor.person(decision.actor),
        target=proposal,
        agent=proposal.document.agent.slug,
        document=proposal.document.slug,
        proposal=proposal.pk,
        before={"status": proposal.status},
        after={
            "status": after,
            "revision": decision.revision.number,
            "digest": decision.digest,
            "reason": decision.reason,
            "note": decision.note,
            "single_operator": decision.single_operator,
            **({"answers": decision.answers} if decision.answers else {}),
            **decision.attention,
            **(more or {}),
        },
    )
