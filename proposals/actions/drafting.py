"""From a pattern to a proposal, without any model: the smallest edit of the right document.

`Pattern.draft_due_at` is the outbox: it is set with the evidence that makes a draft worth trying and cleared in the
transaction that drafts or declines, so a drafter killed at any point leaves the pattern due, and never drafts twice.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import starmap
from time import monotonic
from typing import Final, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from agents.models import Document, Version
from agents.reach import require_act
from agents.versions import lock_documents
from audit.record import SYSTEM, Actor
from feedback.actions import naming
from feedback.actions.patterns import change_status
from feedback.insight import places_of
from feedback.mining import Kind
from feedback.models import Evidence, Pattern
from people.models import User
from proposals.actions import timing
from proposals.actions.locking import lock
from proposals.actions.proposals import open_proposal, rebase, redraft
from proposals.actions.revisions import Author, clean_text, quoting_for, update_unmoved
from proposals.actions.wishes import Wish
from proposals.authority import policies
from proposals.drafting import Brief, Declined, DocumentText, Draft, fingerprint, is_same, keep
from proposals.drafting import draft as plan
from proposals.drafting.placement import stems
from proposals.exceptions import NotAllowed, NotPending, ReviewError, StaleProposal
from proposals.grounds import sourcing
from proposals.models import Footing, Proposal, Revision, Rollout
from proposals.rules.backing import Backing, Rule, missing
from proposals.status.undone import undone

Live = dict[str, tuple[Document, Version]]

_BACK_BEFORE: Final = Version.objects.filter(
    document=OuterRef("document"),
    number__gt=OuterRef("published__number"),
    restores__number__lt=OuterRef("published__number"),
)
"""Rollbacks to before what a proposal brought."""
TICK_S: Final = 20.0
"""Seconds after which a tick begins no further draft, so that drafting never fills a worker for long."""


def draft_all_due(*, within: float = TICK_S) -> int:
    """Draft from due patterns, the longest waiting first, in about `within` seconds; how many proposals came of it.

    What is left is due still, and the next tick goes on with it.
    """
    until, made = monotonic() + within, 0
    for pattern_id in list(Pattern.objects.due().values_list("pk", flat=True)):
        if monotonic() > until:
            break
        made += isinstance(draft(pattern_id, only_if_due=True), Proposal)
    return made


@transaction.atomic
def draft(pattern_id: int, *, requested_by: User | None = None, only_if_due: bool = False) -> Proposal | str:
    """Draft from one pattern: the proposal, or in a sentence why there is none. Raises NotAllowed.

    With `only_if_due` it is made by itself, and waits for what `timing` asks for.
    """
    if requested_by and not requested_by.has_perm("feedback.curate_pattern"):
        raise NotAllowed("Asking for a draft needs the role reviewer or admin.")
    agent_id = Pattern.objects.values_list("agent_id", flat=True).get(pk=pattern_id)
    lock_documents(agent_id)  # before the pattern, as everywhere
    if requested_by:
        require_act(requested_by, agent_id)
    rows = Pattern.objects.select_for_update(no_key=True, of=("self",)).select_related("agent")
    pattern = rows.get(pk=pattern_id)
    if only_if_due and (pattern.draft_due_at is None or pattern.draft_due_at > timezone.now()):
        return "Another worker was first."
    rule = sourcing.rule_for(agent_id)
    refusal = _refusal(pattern) or timing.too_few_misses(pattern)
    backing = None if refusal else sourcing.backing_of(pattern, rule)
    if backing and not backing.voices:
        refusal = "All of its reports read like instructions, so none of them counts."
    held = _held(pattern, backing, rule) if only_if_due and backing and not refusal else None
    outcome = refusal or (held.why if held else _draft(pattern, requested_by, rule))
    pattern.draft_due_at = held.until if held else None
    pattern.draft_note = outcome if isinstance(outcome, str) else ""
    pattern.save(update_fields=["draft_due_at", "draft_note"])
    if isinstance(outcome, Proposal):
        if backing:
            Footing.objects.create(proposal=outcome, asked=rule.to_json(), found=backing.to_json())
        actor = Actor.person(requested_by) if requested_by else SYSTEM
        change_status([pattern.pk], Pattern.Status.PROPOSED, actor=actor, proposal=outcome.pk)
    return outcome


def _held(pattern: Pattern, backing: Backing, rule: Rule) -> timing.Held | None:
    """Why a draft is not made by itself now: too few at a time, or too few or too loud sources behind all of it."""
    held = timing.held(pattern)
    lacking = missing(backing, rule)
    return held or (timing.Held(f"Too little stands behind it: {lacking}") if lacking else None)


def _refusal(pattern: Pattern) -> str:
    """Why nothing may be drafted now; empty when something may."""
    least = settings.COUNTERSIGN_MIN_SOURCES
    if pattern.proven < least:
        unproven = f" {pattern.unproven} more on probation." if pattern.unproven else ""
        return f"{pattern.proven} of {least} sources needed.{unproven}"
    if pattern.status == Pattern.Status.DISMISSED:
        return "The pattern was dismissed as wrongly found."
    standing = pattern.proposals.open().order_by("-pk").first()
    if standing:
        return f"Proposal {standing.pk} is open."
    earlier = pattern.proposals.filter(superseded_by=None).order_by("-decided_at", "-pk").first()
    if earlier is None:
        return ""
    end = _end_of(earlier)
    if earlier.status == Proposal.Status.APPROVED and pattern.came_back_at and not end.is_out:
        return ""  # it did not help: those who report it again count, new sources or not
    new = _sources_since(pattern, end)
    return f"Proposal {earlier.pk} {end.how}; {new} of {least} new sources since." if new < least else ""


class _End(NamedTuple):
    """How and when a proposal came to its end; `is_out`: it was approved, and is not served any more."""

    how: str
    at: datetime | None
    is_out: bool


def _end_of(proposal: Proposal) -> _End:
    """One query for what was not approved, else up to five."""
    if failed := Rollout.objects.never_current().filter(proposal=proposal).first():
        how = failed.get_state_display().lower()
        said = f"failed as a canary ({how})" if failed.state in Rollout.FAILED else f"was {how} as a canary"
        return _End(said, failed.ended_at, True)
    if review := undone([proposal]).get(proposal.pk):
        return _End("was rolled back", review.created_at, True)
    return _End(f"was {proposal.get_status_display().lower()}", proposal.decided_at, False)


def _sources_since(pattern: Pattern, end: _End) -> int:
    """How many sources reported after a proposal ended: what was known by then is no new evidence.

    While a canary runs most units have the old text, so their reports say nothing new of one that never got further.
    """
    return pattern.evidence.filter(at__gt=end.at).values("source").distinct().count()


def _draft(pattern: Pattern, requested_by: User | None, rule: Rule) -> Proposal | str:
    live = live_documents(pattern.agent_id)
    evidence = naming.newest_evidence(pattern)
    # Who asks for a draft answers for who stands behind it; by itself, every word of it takes what the rule asks for.
    heard = sourcing.heard(evidence, None if requested_by else rule)
    drafted = plan(brief_of(pattern, heard), list(starmap(document_text, live.values())))
    if isinstance(drafted, Declined):
        return f"{drafted.reason[:1].upper()}{drafted.reason[1:]}."
    document, current = live[drafted.document]
    mark = fingerprint(drafted)
    known = known_already(pattern, document, mark)
    if known:
        return known
    text = clean_text(drafted.text)
    wish = Wish(
        document=document,
        base=current,
        text=text,
        title=drafted.title[:200],
        rationale=drafted.rationale,
        origin=Proposal.Origin.DRAFTER,
        author=Author(),
        pattern=pattern,
        requested_by=requested_by,
        fingerprint=mark,
    )
    try:
        return open_proposal(wish, evidence=evidence)
    except ReviewError as refused:
        return str(refused)


def live_documents(agent_id: int) -> Live:
    """The agent's documents with their current versions, by name."""
    documents = Document.objects.filter(agent=agent_id).select_related("agent", "current")
    return {document.slug: (document, document.current) for document in documents if document.current}


def known_already(pattern: Pattern, document: Document, mark: str) -> str:
    """Why another pattern's draft of the same change stands in the way; empty when none does.

    An open one always does; a rejected one, and one that failed as a canary or was rolled back, until enough sources
    reported after that.
    """
    drafts = document.proposals.exclude(pattern=pattern).exclude(fingerprint="")
    standing = Q(status__in=[*Proposal.OPEN, Proposal.Status.REJECTED]) | Q(rollout__state__in=Rollout.FAILED)
    for other in drafts.filter(standing | Exists(_BACK_BEFORE)).order_by("-pk"):
        if is_same(mark, other.fingerprint) and (why := _in_the_way(pattern, other)):
            return why
    return ""


def _in_the_way(pattern: Pattern, other: Proposal) -> str:
    named = f"Proposal {other.pk}, “{other.title}”,"
    if other.is_open:
        return f"{named} says the same and is open."
    least, end = settings.COUNTERSIGN_MIN_SOURCES, _end_of(other)
    if other.status == Proposal.Status.APPROVED and not end.is_out:
        return ""  # a later rollback brought it back
    new = _sources_since(pattern, end)
    return f"{named} said the same and {end.how}; {new} of {least} new sources since." if new < least else ""


def document_text(document: Document, current: Version) -> DocumentText:
    """A document with this text, as the drafter takes it. One query."""
    protected = frozenset(document.sections.filter(is_protected=True).values_list("heading", flat=True))
    return DocumentText(slug=document.slug, kind=document.kind, text=current.text, protected=protected)


def brief_of(pattern: Pattern, evidence: Sequence[Evidence]) -> Brief:
    """What the pattern says, in the short words and numbers that the templates take."""
    kind = Kind(pattern.kind)
    feedback = [item.feedback for item in evidence if item.feedback]
    field, place = (places_of(pattern).main or ("", "")) if kind is Kind.ERROR else ("", "")
    mislabel = feedback[0] if kind is Kind.MISLABEL and feedback else None
    compares = kind in (Kind.COMPLAINT, Kind.CORRECTION) and evidence
    quoting = quoting_for(pattern.agent_id) if kind is Kind.CORRECTION else 0
    own, others = naming.compared(pattern, evidence) if compares else ({}, {})
    return Brief(
        kind=kind,
        label=pattern.label,
        terms=naming.topics_of(kind, evidence),
        nearby=pattern.terms,
        replacement=naming.consensus_change(evidence) if kind is Kind.CORRECTION else None,
        error_class=naming.error_class_of(evidence),
        reason_code=naming.reason_of(evidence) if kind is Kind.COMPLAINT else "",
        predicted=mislabel.predicted if mislabel else "",
        expected=mislabel.expected if mislabel else "",
        tool=place if field == "tool" else "",
        asides=naming.asides_of(evidence) if compares else (),
        quotes=naming.repeated_corrections(evidence, quoting) if quoting else (),
        own=[frozenset(stems(" ".join(said))) for said in own.values()],
        others=[frozenset(stems(" ".join(said))) for said in others.values()],
        said=list(naming.texts_by_source(evidence).values()) if kind is Kind.COMPLAINT else (),
        support=pattern.support,
        sources=pattern.sources,
        days=pattern.span_days or 1,
    )


def keeping(pattern: Pattern, document: Document) -> Draft | Declined:
    """What a person could begin with, to have what people praise stay as it is; nothing is stored."""
    if document.current is None:
        return Declined("the document has no text yet")
    brief = brief_of(pattern, sourcing.heard(naming.newest_evidence(pattern)))
    return keep(brief, [document_text(document, document.current)])


def carry_over(proposal_id: int, *, user: User | None = None) -> Revision:
    """Move a proposal onto the current version: word for word, or, for what only Countersign worded, drafted anew.

    Without a user, Countersign moves it. Raises NotAllowed, NotPending, and StaleProposal when neither can be done.
    """
    try:
        return rebase(proposal_id, user=user)
    except StaleProposal as refused:
        revision = _redraft(proposal_id, user)
        if revision is None:
            raise refused from None
        return revision


@transaction.atomic
def _redraft(proposal_id: int, user: User | None) -> Revision | None:
    """The same change, placed afresh in the current text; None for another's wording and where it would be another."""
    proposal = lock(proposal_id, by=user)
    if proposal.origin != Proposal.Origin.DRAFTER or not proposal.pattern or policies.last_worded(proposal):
        return None
    if proposal.redrafts.filter(made__isnull=False).exists():  # drafting anew would forget what was asked for
        return None
    drafted = _planned(proposal.pattern)
    if isinstance(drafted, Declined) or drafted.document != proposal.document.slug:
        return None
    if not is_same(fingerprint(drafted), proposal.fingerprint):
        return None
    return redraft(proposal, clean_text(drafted.text), user=user)


def _planned(pattern: Pattern) -> Draft | Declined:
    """What would be drafted from the pattern today."""
    live = live_documents(pattern.agent_id)
    brief = brief_of(pattern, sourcing.heard(naming.newest_evidence(pattern)))
    return plan(brief, list(starmap(document_text, live.values())))


def draft_anew(proposal: Proposal, *, user: User) -> Revision:
    """Draft a stale proposal again from its pattern as it is today, on the current version, also where that reads
    otherwise. The caller holds the lock. Raises NotPending, StaleProposal.
    """
    if not proposal.is_stale or proposal.pattern is None:
        raise NotPending("The proposal is up to date already.")
    drafted = _planned(proposal.pattern)
    if isinstance(drafted, Declined):
        raise StaleProposal(f"Nothing was redrafted: {drafted.reason}. Amend it by hand, or withdraw it.")
    if drafted.document != proposal.document.slug:
        raise StaleProposal("Nothing was redrafted: it would be a change of another document now. Amend it by hand.")
    mark = fingerprint(drafted)
    if known := known_already(proposal.pattern, proposal.document, mark):
        raise StaleProposal(f"Nothing was redrafted: {known}")
    revision = redraft(proposal, clean_text(drafted.text), user=user)
    update_unmoved(proposal, title=drafted.title, rationale=drafted.rationale, fingerprint=mark)
    return revision
