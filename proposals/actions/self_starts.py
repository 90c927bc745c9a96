"""Changes of settings that start their canary by themselves, where the rules of their document allow it.

Which are due follows from the rows alone: machine proposals that wait, of documents with rules. A pass may come twice
or late; of two at the same instant one starts it, and of a person and a pass whoever comes first counts. What started
so is in effect, to be confirmed: nobody can promote it before somebody else than its author approved it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from agents import pace
from agents.freezing import hold_switch
from agents.models import Document, Version
from agents.versions import lock_documents
from audit.record import SYSTEM, Actor
from feedback.models import Pattern
from proposals import safe
from proposals.actions import rollouts
from proposals.actions.decisions import settle_pattern
from proposals.actions.locking import lock, newest
from proposals.actions.proposals import free_pattern, record_on
from proposals.actions.publishing import refuse_unanswered, require_publishable
from proposals.actions.revisions import update_unmoved
from proposals.authority.rollout_policies import plan_for
from proposals.checking.risk import Level
from proposals.exceptions import ReviewError
from proposals.models import Decision, Proposal, Revision, Rollout, SafeRules, SelfStart, Thread
from proposals.models.proposal import ProposalQuerySet

MACHINES = (Proposal.Origin.DRAFTER, Proposal.Origin.AGENT)
DAY = timedelta(hours=24)
_UNDONE = (Proposal.Status.REJECTED, Proposal.Status.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Started:
    """A canary that began by itself, with the version it serves."""

    start: SelfStart
    candidate: Version


def eligible(document: Document | None = None) -> ProposalQuerySet:
    """Machine proposals that wait, of documents with rules, or of this one: each is looked at, the oldest first."""
    found = Proposal.objects.filter(
        status=Proposal.Status.PENDING,
        origin__in=MACHINES,
        requested_by=None,
        document__kind=Document.Kind.CONFIG,
        document__safe_rules__isnull=False,
    )
    return (found if document is None else found.filter(document=document)).order_by("pk")


def start_all() -> int:
    """Start whatever may start by itself; how many did."""
    return sum(isinstance(start_by_itself(pk), Started) for pk in eligible().values_list("pk", flat=True))


def start_by_itself(proposal_id: int) -> Started | str:
    """Start the canary of one proposal, or say in a sentence why it waits for a person."""
    proposal = Proposal.objects.for_page().get(pk=proposal_id)
    # Looked at without locks first: most that wait do so for good, and hold nobody up.
    if isinstance(looked := why_not(proposal), str):
        return looked
    try:
        return _start(proposal_id)
    except ReviewError as refused:
        return str(refused)


@transaction.atomic
def _start(proposal_id: int) -> Started | str:
    if hold_switch():
        return "Everything is frozen."
    proposal = lock(proposal_id, by=None)
    lock_documents(proposal.document.agent_id)  # two documents of one agent count together
    fits = why_not(proposal)
    if isinstance(fits, str):
        return fits
    revision, kept = newest(proposal), SafeRules.objects.get(document=proposal.document_id).kept
    require_publishable(proposal, revision)
    refuse_unanswered(revision)
    candidate = rollouts.start(proposal, revision, plan=plan_for(proposal.document), by=rollouts.BY_ITSELF)
    made = SelfStart.objects.create(
        proposal=proposal,
        revision=revision,
        category=fits.category,
        key=fits.key,
        was=fits.was,
        now=fits.now,
        rules=kept,
    )
    update_unmoved(proposal, status=Proposal.Status.IN_EFFECT, published=candidate)
    settle_pattern(proposal, Pattern.Status.WATCHING, SYSTEM, candidate)
    _record(proposal, revision, made, candidate)
    return Started(made, candidate)


def _record(proposal: Proposal, revision: Revision, made: SelfStart, candidate: Version) -> None:
    after: dict[str, object] = {
        "status": proposal.status,
        "revision": revision.number,
        "digest": revision.digest,
        "candidate": candidate.number,
        "category": made.category,
        "key": made.key,
        "was": made.was,
        "now": made.now,
        "rule": made.rule,
    }
    before: dict[str, object] = {"status": Proposal.Status.PENDING}
    record_on(proposal, "proposal.started_itself", SYSTEM, before=before, after=after)


def why_not(proposal: Proposal) -> safe.Fits | str:
    """Why it waits for a person, in a sentence; how it fits the rules where it need not. Some queries."""
    rules = SafeRules.objects.filter(document=proposal.document_id).first()
    if rules is None or proposal.document.kind != Document.Kind.CONFIG:
        return "Nothing of this document starts by itself."
    if proposal.status != Proposal.Status.PENDING:
        return f"It is {proposal.get_status_display().lower()}."
    allowed, revision = rules.rules, newest(proposal)
    why = _not_a_machines(proposal, allowed) or _people_are_at_it(proposal) or _held(proposal, allowed, timezone.now())
    why = why or _known(proposal, revision)
    if why:
        return why
    if proposal.is_stale:
        return "It is out of date."
    if proposal.risk == Level.HIGH:
        return "It is of high risk."
    fits = safe.classify(revision.base_version.text, revision.text, allowed)
    if isinstance(fits, safe.Unfit):
        return fits.why
    return _failed_before(proposal, fits) or fits


def _not_a_machines(proposal: Proposal, rules: safe.Rules) -> str:
    """Why it is not a machine's own wish, in a machine's own words; empty when it is."""
    if proposal.origin == Proposal.Origin.AGENT and not rules.agents_too:
        return "An agent proposed it; only what Countersign drafts starts by itself here."
    if proposal.origin not in MACHINES:
        return "A person proposed it."
    asked = proposal.requested_by_id or proposal.redrafts.exists()
    if asked or proposal.revisions.filter(author__isnull=False).exists():
        return "A person asked for it, or wrote in it."
    return ""


def _people_are_at_it(proposal: Proposal) -> str:
    if Decision.objects.filter(revision__proposal=proposal).exists():
        return "Somebody decided on it already."
    if Thread.objects.filter(proposal=proposal).exists() or proposal.assignments.exists():
        return "People are at it already."
    if Proposal.objects.beside(proposal).exists():
        return "Another proposal for the same pattern is open."
    return ""


def _held(proposal: Proposal, rules: safe.Rules, now: datetime) -> str:
    """Why nothing of this document, or of its agent, starts by itself at this time; empty when something may."""
    document = proposal.document
    today = SelfStart.objects.filter(proposal__document__agent=document.agent_id, at__gt=now - DAY).count()
    if today >= rules.per_day:
        return f"{today} of {rules.per_day} a day started by themselves for this agent within 24 hours."
    if full := pace.full(document.agent):
        return full
    if SelfStart.objects.filter(proposal__document=document, proposal__status=Proposal.Status.IN_EFFECT).exists():
        return "What started by itself before has not been looked at yet."
    if Rollout.objects.live().filter(split__document=document).exists():
        return "A rollout of this document is running."
    since = now - timedelta(hours=rules.rest_h)
    taken_back = Rollout.objects.never_current().filter(split__document=document, ended_at__gt=since)
    rolled_back = document.proposals.filter(origin=Proposal.Origin.ROLLBACK, created_at__gt=since)
    if taken_back.exists() or rolled_back.exists():
        return f"Something of this document was taken back within the last {rules.rest_h:g} hours."
    return ""


def _known(proposal: Proposal, revision: Revision) -> str:
    """Whether this very text was served, or refused, before; empty when it is new."""
    served = Version.objects.filter(document=proposal.document_id, sha256=revision.sha256)
    refused = Revision.objects.filter(
        proposal__document=proposal.document_id, sha256=revision.sha256, proposal__status__in=_UNDONE
    )
    if served.exists() or refused.exists():
        return "The same text was tried or refused before."
    return ""


def _failed_before(proposal: Proposal, fits: safe.Fits) -> str:
    """Whether the same value of the same key was undone before, in whatever text around it."""
    same = SelfStart.objects.filter(proposal__document=proposal.document_id, key=fits.key, now=fits.now)
    failed = Q(proposal__status__in=_UNDONE) | Q(proposal__rollout__in=Rollout.objects.never_current())
    return f"{fits.key} was {fits.now} before, and that was undone." if same.filter(failed).exists() else ""


def settle_soon(rollout: Rollout) -> None:
    """Close the review of what a person undid, once the transaction has committed; the sweep finds what is lost."""
    if rollout.began_by_itself:
        transaction.on_commit(partial(settle_undone, rollout.proposal_id), robust=True)


def settle_all_undone() -> int:
    """Close each review that a person's stop or rollback has answered; how many there were."""
    return sum(settle_undone(pk) for pk in list(_undone_by_people().values_list("pk", flat=True)))


def _undone_by_people() -> ProposalQuerySet:
    return Proposal.objects.filter(
        status=Proposal.Status.IN_EFFECT,
        self_start__isnull=False,
        rollout__in=Rollout.objects.never_current().filter(ended_by__isnull=False),
    )


@transaction.atomic
def settle_undone(proposal_id: int) -> bool:
    """Withdraw what started by itself and a person has undone; what the judge undid waits for a person's word.

    Not in the transaction that ends the rollout: that has locked the document, which comes after the proposal.
    """
    proposal = lock(proposal_id, by=None)
    if not _undone_by_people().filter(pk=proposal_id).exists():
        return False
    rollout = Rollout.objects.select_related("ended_by").get(proposal=proposal)
    actor = Actor.person(rollout.ended_by) if rollout.ended_by else SYSTEM
    update_unmoved(proposal, status=Proposal.Status.WITHDRAWN, decided_at=timezone.now())
    free_pattern(proposal, actor, was=[Pattern.Status.PROPOSED])
    after: dict[str, object] = {"status": proposal.status, "reason": rollout.reason}
    record_on(proposal, "proposal.undone", actor, before={"status": Proposal.Status.IN_EFFECT}, after=after)
    return True
