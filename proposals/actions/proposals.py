"""Open, amend, move and withdraw proposals."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from agents.exceptions import BadName
from agents.keys import require_live
from agents.models import ApiKey, Document, Version
from agents.names import clean_name
from agents.reach import require_act
from agents.versions import lock_document, sha256
from audit.record import SYSTEM, Actor, record
from feedback.actions.patterns import change_status
from feedback.models import Evidence, Feedback, Pattern, Run
from people.models import User
from proposals.actions.locking import lock, newest, require_newest
from proposals.actions.revisions import Author, add_revision, clean_text, update_unmoved
from proposals.actions.wishes import (
    Wish,
    not_current,
    refuse_duplicate,
    refuse_moved,
    refuse_open_twin,
    refuse_protected,
    refuse_wordless,
    said_again,
    why_again,
)
from proposals.authority import policies
from proposals.diffs.merging import Merged, merge
from proposals.exceptions import Duplicate, Invalid, NotAllowed, NotPending, StaleProposal
from proposals.grounds import sourcing
from proposals.models import Decision, Proposal, ProposalEvidence, Revision
from proposals.models.keyshare import note_key_shares
from proposals.models.proposal import MOVED
from proposals.status.undone import TakenBack, taken_back

EVIDENCE_KEPT = 1000
MAX_TITLE = 200
MOST_CANDIDATES = 6
"""Open proposals for one pattern: as many as can be looked at side by side."""


def submit(
    *,
    document: Document,
    base_number: int,
    text: str,
    title: str,
    rationale: str,
    user: User | None = None,
    key: ApiKey | None = None,
    evidence: Sequence[Feedback] = (),
    pattern_id: int | None = None,
    again: str = "",
) -> Proposal:
    """Open a proposal written by a person or sent by an agent.

    With `pattern_id`, the change answers that pattern, and its evidence is attached. `again` says why, where the very
    text was rolled back before.
    Raises NotAllowed, Invalid (field), StaleProposal when `base_number` is not current, Duplicate, RolledBackBefore.
    """
    if (user is None) == (key is None):
        raise NotAllowed("A proposal has one author: a person or an API key.")
    if user and not user.has_perm("proposals.propose_change"):
        raise NotAllowed("Proposing needs the role reviewer, operator or admin.")
    base = document.current
    if base is None or base.number != base_number:
        raise not_current(base_number, base)
    origin = Proposal.Origin.PERSON if user else Proposal.Origin.AGENT
    words = clean_text(text), _clean_title(title), rationale.strip()
    wish = Wish(document, base, *words, origin, Author(user, key), again=again)
    refuse_wordless(wish)
    return _open_for(pattern_id, wish) if pattern_id else open_proposal(wish, feedback=evidence)


@transaction.atomic
def _open_for(pattern_id: int, wish: Wish) -> Proposal:
    """Open a proposal that answers a pattern, beside others that do. Raises what open_proposal raises."""
    lock_document(wish.document.pk)  # before the pattern, as everywhere
    rows = Pattern.objects.select_for_update(no_key=True).filter(agent=wish.document.agent_id)
    pattern = rows.filter(pk=pattern_id).first()
    if pattern is None or pattern.status in (Pattern.Status.MERGED, Pattern.Status.DISMISSED):
        raise NotAllowed("The pattern was dismissed or merged meanwhile; look at it again.")
    others = pattern.proposals.open().count()
    if others >= MOST_CANDIDATES:
        raise Duplicate(f"{others} proposals for this pattern are open already; choose one of them first.")
    evidence = list(pattern.evidence.order_by("-at", "-pk")[:EVIDENCE_KEPT])
    proposal = open_proposal(replace(wish, pattern=pattern, is_alternative=others > 0), evidence=evidence)
    Pattern.objects.filter(pk=pattern.pk).update(draft_due_at=None)
    change_status([pattern.pk], Pattern.Status.PROPOSED, actor=actor_of(wish.author), proposal=proposal.pk)
    return proposal


def _clean_title(title: str) -> str:
    """One line, short enough for a list. Raises Invalid."""
    try:
        title = clean_name(title, what="title")
    except BadName as bad:
        raise Invalid("title", str(bad)) from None
    if len(title) > MAX_TITLE:
        raise Invalid("title", f"The title has {len(title)} characters; at most {MAX_TITLE} are allowed.")
    return title


@transaction.atomic
def open_proposal(wish: Wish, *, feedback: Sequence[Feedback] = (), evidence: Sequence[Evidence] = ()) -> Proposal:
    """Write the proposal, its first revision, checks and evidence.

    Raises BadKey, Duplicate, Invalid, NotAllowed, OutOfReach, RolledBackBefore, StaleProposal.
    """
    lock_document(wish.document.pk)  # so that of two wishes of one text the second sees the first
    if wish.author.key:
        require_live(wish.author.key.pk)
    for person in (wish.author.user, wish.requested_by):
        if person:
            require_act(person, wish.document.agent_id)
    refuse_moved(wish)
    refuse_protected(wish)
    refuse_duplicate(wish)
    wish, before = said_again(wish)
    try:
        with transaction.atomic():
            proposal = _create(wish, feedback)
    except IntegrityError:
        raise Duplicate("A proposal of the same change, or for the same pattern, is open already.") from None
    _link(proposal, feedback, evidence)
    revision = add_revision(proposal, wish.text, base=wish.base, author=wish.author)
    record_on(proposal, "proposal.opened", actor_of(wish.author), after=_facts(revision) | _of_earlier(before))
    return proposal


def _create(wish: Wish, feedback: Sequence[Feedback]) -> Proposal:
    counted = [report for report in feedback if not report.withdrawn_at and not report.excluded_at]
    return Proposal.objects.create(
        document=wish.document,
        base_version=wish.base,
        title=wish.title,
        rationale=wish.rationale,
        origin=wish.origin,
        pattern=wish.pattern,
        author=wish.author.user,
        author_key=wish.author.key,
        requested_by=wish.requested_by,
        fingerprint=wish.fingerprint,
        is_alternative=wish.is_alternative,
        again=wish.again,
        evidence_items=wish.pattern.support if wish.pattern else len(counted),
        evidence_sources=wish.pattern.sources if wish.pattern else len({bytes(report.source) for report in counted}),
    )


def _link(proposal: Proposal, feedback: Sequence[Feedback], evidence: Sequence[Evidence]) -> None:
    said = {item.pk for item in feedback} | {one.feedback_id for one in evidence if one.feedback_id}
    orders = sourcing.commanding(Feedback.objects.filter(pk__in=said).only("reason", "correction", "edited_output"))
    failed = {one.run_id for one in evidence if one.run_id}
    strange = sourcing.commanding(Run.objects.filter(pk__in=failed).only("error")) if failed else set()
    rows = [ProposalEvidence(proposal=proposal, feedback=item, commands=item.pk in orders) for item in feedback]
    rows += [
        ProposalEvidence(
            proposal=proposal,
            feedback_id=one.feedback_id,
            run_id=one.run_id,
            commands=one.feedback_id in orders or one.run_id in strange,
        )
        for one in evidence
    ]
    ProposalEvidence.objects.bulk_create(rows[:EVIDENCE_KEPT])
    if rows:
        note_key_shares(proposal.pk)


@transaction.atomic
def amend(
    proposal_id: int,
    *,
    user: User,
    text: str,
    note: str,
    digest: str,
    base: int | None = None,
    title: str = "",
    again: str = "",
) -> Revision:
    """Append a person's revision; earlier approvals are outdated by it.

    `digest` is that of the revision the person started from, `base` the number of the version that the text was written
    on, without one that of the revision. An empty `title` leaves the proposal's as it is.
    Raises NotAllowed, NotPending, Outdated, Invalid, Duplicate, RolledBackBefore, and StaleProposal where `base` is not
    current any more.
    """
    if not user.has_perm("proposals.propose_change"):
        raise NotAllowed("Amending needs the role reviewer, operator or admin.")
    proposal = lock(proposal_id, by=user)
    _require_amendable(proposal)
    seen = require_newest(proposal, digest)
    current = _locked_current(proposal)
    if current.number != (base or seen.base_version.number):
        raise StaleProposal(f"Version {current.number} became current meanwhile. Nothing was saved.")
    text = clean_text(text)
    if text == seen.text and current == seen.base_version:
        raise Invalid("text", "The text is the same as before.")
    if text == current.text:
        raise Invalid("text", "The text is the same as the current version's. Withdraw the proposal instead.")
    refuse_open_twin(proposal.document, text, but=proposal.pk)
    earlier = taken_back(proposal.document, sha256(text))
    reason = why_again(earlier, again) if earlier else ""
    before = _facts(seen) | {"title": proposal.title}
    title = _clean_title(title) or proposal.title
    revision = add_revision(proposal, text, base=current, author=Author(user), note=note.strip())
    update_unmoved(proposal, status=Proposal.Status.PENDING, decided_at=None, title=title, again=reason)
    after = _facts(revision) | {"title": proposal.title} | _of_earlier(earlier)
    record_on(proposal, "proposal.amended", Actor.person(user), before=before, after=after)
    return revision


@transaction.atomic
def rebase(proposal_id: int, *, user: User | None = None) -> Revision:
    """Move the change onto the version that is current now, word for word. Without a user, Countersign moves it, if
    nobody approved it yet.

    The text is nobody's new wording, so the mover does not become an author, and requested changes stay requested:
    a moved text answers nobody. It is checked against the sections protected now, so where only the protection
    changed, the same text on the same version becomes a new revision.
    Raises NotAllowed, NotPending, and StaleProposal when the change no longer applies cleanly.
    """
    if user and not user.has_perm("proposals.propose_change"):
        raise NotAllowed("Bringing a proposal up to date needs the role reviewer, operator or admin.")
    proposal = lock(proposal_id, by=user)
    _require_amendable(proposal)
    seen, base = newest(proposal), _current(proposal)
    if not proposal.is_stale and not policies.protection_changed(proposal, seen):
        raise NotPending("The proposal is up to date already.")
    if user is None and seen.decisions.filter(verdict=Decision.Verdict.APPROVE).exists():
        raise NotPending("Somebody approved this; a person brings it up to date.")
    merged = merged_onto_current(proposal)
    text = merged.text
    if not merged.is_clean or text == base.text:
        raise StaleProposal(f"The change does not apply cleanly to version {base.number}; amend it by hand.")
    revision = add_revision(proposal, text, base=base, author=Author(), note=_moved_note(proposal, base))
    actor = Actor.person(user) if user else SYSTEM
    record_on(proposal, "proposal.rebased", actor, before=_facts(seen), after=_facts(revision))
    return revision


def redraft(proposal: Proposal, text: str, *, user: User | None) -> Revision:
    """Put Countersign's own new wording for the current version in place of its last. The caller holds the lock."""
    _require_amendable(proposal)
    seen, base = newest(proposal), _current(proposal)
    note = f"Drafted anew on version {base.number}."
    revision = add_revision(proposal, text, base=base, author=Author(), note=note)
    actor = Actor.person(user) if user else SYSTEM
    record_on(proposal, "proposal.rebased", actor, before=_facts(seen), after=_facts(revision))
    return revision


def _moved_note(proposal: Proposal, base: Version) -> str:
    moved = f"{MOVED} version {base.number}." if proposal.is_stale else "Checked against the sections protected now."
    asked = proposal.status == Proposal.Status.CHANGES_REQUESTED
    return f"{moved} Changes are still requested." if asked else moved


def merged_onto_current(proposal: Proposal) -> Merged:
    """The proposed change applied to the current version's text, with the places both changed."""
    revision = newest(proposal)
    return merge(base=revision.base_version.text, ours=_current(proposal).text, theirs=revision.text)


@transaction.atomic
def withdraw(proposal_id: int, *, user: User) -> None:
    """Take a proposal back. Raises NotAllowed, NotPending."""
    proposal = lock(proposal_id, by=user)
    leave = policies.may_withdraw(user, proposal)
    if not leave.allowed:
        raise NotAllowed(leave.why)
    _require_amendable(proposal)
    actor, status = Actor.person(user), proposal.status
    update_unmoved(proposal, status=Proposal.Status.WITHDRAWN, decided_at=timezone.now())
    free_pattern(proposal, actor, was=[Pattern.Status.PROPOSED])
    record_on(proposal, "proposal.withdrawn", actor, before={"status": status}, after={"status": proposal.status})


def free_pattern(
    proposal: Proposal, actor: Actor, *, was: Collection[Pattern.Status], answered_by: Version | None = None
) -> None:
    """Open the pattern of a proposal that has just ended, unless another proposal for it is open.

    With `answered_by`, only if this version and no other is to end what it tells of.

    The pattern is locked before the others are looked for, so that of two that end at once the second frees it.
    """
    if proposal.pattern_id is None:
        return
    Pattern.objects.select_for_update(no_key=True).only("pk").get(pk=proposal.pattern_id)
    if not Proposal.objects.beside(proposal).exists():
        answers = None if answered_by is None else [answered_by.pk]
        change_status(
            [proposal.pattern_id],
            Pattern.Status.OPEN,
            actor=actor,
            proposal=proposal.pk,
            expected=was,
            answered_by=answers,
        )


def _current(proposal: Proposal) -> Version:
    current = proposal.document.current
    if current is None:
        raise StaleProposal("The document has no current version.")
    return current


def _locked_current(proposal: Proposal) -> Version:
    """The current version, which stays so until the transaction ends."""
    lock_document(proposal.document_id)
    return Version.objects.get(document=proposal.document_id, pk=F("document__current"))


def _require_amendable(proposal: Proposal) -> None:
    if proposal.status not in (Proposal.Status.PENDING, Proposal.Status.CHANGES_REQUESTED):
        raise NotPending(f"This proposal is {proposal.get_status_display().lower()}; it cannot be changed any more.")


def actor_of(author: Author) -> Actor:
    """The author as the log names it."""
    if author.user:
        return Actor.person(author.user)
    return Actor.key(author.key.prefix, author.key.label) if author.key else SYSTEM


def _facts(revision: Revision) -> dict[str, object]:
    return {
        "revision": revision.number,
        "digest": revision.digest,
        "base_version": revision.base_version.number,
        "note": revision.note,
    }


def _of_earlier(before: TakenBack | None) -> dict[str, object]:
    return {"rolled_back_before": before.number} if before else {}


def record_on(
    proposal: Proposal,
    verb: str,
    actor: Actor,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    """One entry of the log about a proposal. The caller holds the transaction."""
    record(
        verb,
        actor=actor,
        target=proposal,
        agent=proposal.document.agent.slug,
        document=proposal.document.slug,
        proposal=proposal.pk,
        before=before,
        after=after,
    )
