"""Several proposals for one pattern, side by side: draft all the ways there are, and choose one of them."""

from collections.abc import Mapping, Sequence
from itertools import starmap

import structlog
from django.db import transaction

from agents.reach import require_act
from agents.versions import lock_documents
from audit.record import Actor
from feedback.actions import naming
from feedback.models import Evidence, Pattern
from people.models import User
from proposals.actions import drafting
from proposals.actions.locking import lock_with_rivals
from proposals.actions.proposals import MAX_TITLE, MOST_CANDIDATES, open_proposal, record_on
from proposals.actions.revisions import Author, clean_text
from proposals.actions.superseding import supersede
from proposals.actions.wishes import Wish
from proposals.authority import policies
from proposals.drafting import Draft, fingerprint
from proposals.drafting.alternatives import alternatives
from proposals.exceptions import Invalid, NotAllowed, NotPending, Outdated, ReviewError
from proposals.grounds import sourcing
from proposals.models import Proposal

log = structlog.get_logger(__name__)


@transaction.atomic
def draft_alternatives(pattern_id: int, *, user: User) -> list[Proposal]:
    """Open a proposal for every other way the drafter knows to answer a pattern that one is open for already.

    Whoever asks cannot approve them. Raises NotAllowed, NotPending.
    """
    if not user.has_perm("feedback.curate_pattern"):
        raise NotAllowed("Asking for a draft needs the role reviewer or admin.")
    agent_id = Pattern.objects.values_list("agent_id", flat=True).get(pk=pattern_id)
    lock_documents(agent_id)
    require_act(user, agent_id)
    pattern = Pattern.objects.select_for_update(no_key=True).get(pk=pattern_id)
    standing = pattern.proposals.open().count()
    if not standing:
        raise NotPending("No proposal for this pattern is open; draft one first.")
    live, evidence = drafting.live_documents(pattern.agent_id), naming.newest_evidence(pattern)
    brief = drafting.brief_of(pattern, sourcing.heard(evidence))
    ways = alternatives(brief, list(starmap(drafting.document_text, live.values())))
    made: list[Proposal] = []
    for way in ways:
        if standing + len(made) < MOST_CANDIDATES and (opened := _open(pattern, way, live, evidence, user)):
            made.append(opened)
    return made


def _open(
    pattern: Pattern, way: Draft, live: drafting.Live, evidence: Sequence[Evidence], user: User
) -> Proposal | None:
    """One more proposal for the pattern; None where it says what another does."""
    document, current = live[way.document]
    mark, text = fingerprint(way), clean_text(way.text)
    same = document.proposals.filter(pattern=pattern, revisions__text=text).exists()
    if same or drafting.known_already(pattern, document, mark):
        return None
    wish = Wish(
        document=document,
        base=current,
        text=text,
        title=way.title[:MAX_TITLE],
        rationale=way.rationale,
        origin=Proposal.Origin.DRAFTER,
        author=Author(),
        pattern=pattern,
        requested_by=user,
        fingerprint=mark,
        is_alternative=True,
    )
    try:
        with transaction.atomic():
            return open_proposal(wish, evidence=evidence)
    except ReviewError as refused:
        log.info("alternative_not_opened", pattern=pattern.pk, why=str(refused))
        return None


@transaction.atomic
def choose(proposal_id: int, *, user: User, reason: str, seen: Mapping[int, str]) -> list[Proposal]:
    """Keep this one of several proposals for a pattern, and withdraw the others; returns those.

    It is no approval: the chosen one is decided like any other. `seen` are the digests of all that were shown, the
    chosen one's too. Who chooses could decide the chosen one, and decide or withdraw each of the others.
    Raises NotAllowed, NotPending, Outdated, Invalid("reason").
    """
    if not reason.strip():
        raise Invalid("reason", "Say in a sentence why this one and not the others.")
    chosen = lock_with_rivals(proposal_id, by=user)
    policies.require_may_decide(user, chosen)
    others = list(Proposal.objects.for_page().beside(chosen).order_by("pk"))
    _refuse_bad_choice(chosen, others, user, seen)
    actor, reason = Actor.person(user), reason.strip()
    supersede(others, chosen, actor, reason)
    facts: dict[str, object] = {"over": [other.pk for other in others], "reason": reason}
    record_on(chosen, "proposal.chosen", actor, after=facts)
    return others


def _refuse_bad_choice(chosen: Proposal, others: Sequence[Proposal], user: User, seen: Mapping[int, str]) -> None:
    if not chosen.is_open or not others:
        raise NotPending("There is nothing to choose from any more. Nothing was changed.")
    there = {one.pk: one.revision.digest for one in (chosen, *others) if one.revision}
    if there != dict(seen):
        raise Outdated("The candidates changed meanwhile. Nothing was changed; look at them again.")
    for other in others:
        if other.status == Proposal.Status.IN_EFFECT:
            raise NotPending(f"Proposal {other.pk} is in effect already; decide on that one first.")
        leave = policies.may_decide(user, other)
        if not (leave.allowed or policies.may_withdraw(user, other).allowed):
            raise NotAllowed(f"You cannot end proposal {other.pk}: {leave.why}")
