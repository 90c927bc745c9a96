"""Have the drafter write its draft again, as a reviewer asks.

An ask is a row that is due (see `Redraft`), written with the request for changes; the worker's tick carries it out. It
is bound to the revision it was about: what was amended meanwhile is left alone, and the row says so.
"""

import structlog
from django.db import transaction
from django.utils import timezone

from agents.models import Document
from audit.record import SYSTEM, Actor
from people.models import User
from proposals.actions import drafting
from proposals.actions.decisions import request_changes
from proposals.actions.locking import lock, lock_with_rivals, newest, require_newest
from proposals.actions.proposals import record_on
from proposals.actions.revisions import Author, add_revision, clean_text, update_unmoved
from proposals.authority import policies
from proposals.diffs import Diff
from proposals.drafting import Declined, DocumentText
from proposals.drafting.redrafting import Ask, Brought, brought, headings, mergeable, rework
from proposals.exceptions import Invalid, NotAllowed, NotPending, ReviewError, StaleProposal
from proposals.models import Proposal, Redraft, Revision

log = structlog.get_logger(__name__)
Status = Proposal.Status
MAX_WORDING = 1_000
NOBODY_READS = (
    "Countersign drafts by fixed rules and cannot read notes: somebody has to amend it, or ask for a redraft."
)


def why_not(proposal: Proposal) -> str:
    """Why the drafter cannot write this again, in a sentence; empty if it can. No query where revisions are loaded."""
    if proposal.origin != Proposal.Origin.DRAFTER or proposal.pattern_id is None:
        return "Countersign did not draft this from a pattern, so it cannot draft it again."
    if proposal.document.kind != Document.Kind.PROMPT:
        return "Countersign drafts changes of prompts only."
    worded = [one for one in proposal.revisions.all() if one.author_id or one.author_key_id]
    return (
        f"{worded[-1].author_label} worded it meanwhile, and Countersign leaves people’s words alone." if worded else ""
    )


def _as_document(proposal: Proposal) -> DocumentText:
    current = proposal.document.current
    if current is None:
        raise StaleProposal("The document has no current version.")
    return drafting.document_text(proposal.document, current)


def rule_of(revision: Revision) -> Brought | Declined:
    """The one rule a draft's revision brings."""
    return brought(Diff.from_json(revision.diff).rows)


def offered(proposal: Proposal, revision: Revision) -> tuple[list[str], list[str]]:
    """The sections it could move to, and the rules it could be merged with; none for what cannot be moved."""
    rule, document = rule_of(revision), _as_document(proposal)
    if isinstance(rule, Declined) or rule.replaced:
        return [], []
    return [one for one in headings(document) if one != rule.section], mergeable(document, rule.rule)


@transaction.atomic
def ask(proposal_id: int, *, user: User, digest: str, kind: str, about: str = "", note: str = "") -> Redraft:
    """Request changes that the drafter makes itself. `kind` is a `Redraft.Ask`; whoever asks cannot approve the result.

    Where changes were requested already, the ask is added to that.
    Raises NotAllowed, NotPending, Outdated, Invalid (field ask, section, rule or wording).
    """
    proposal = lock_with_rivals(proposal_id, by=user)  # as the request for changes below does
    policies.require_may_decide(user, proposal)
    if reason := why_not(proposal):
        raise NotPending(reason)
    if proposal.status not in (Status.PENDING, Status.CHANGES_REQUESTED):
        raise NotPending(f"This proposal is {proposal.get_status_display().lower()}; it cannot be changed any more.")
    seen = require_newest(proposal, digest)
    about = _clean(proposal, seen, kind, about)
    if proposal.redrafts.due().exists():
        raise NotPending("Countersign redrafts this already; wait for it, it takes less than a minute.")
    wish = Redraft(proposal=proposal, revision=seen, ask=kind, about=about, note=note.strip(), asked_by=user)
    if proposal.status == Status.PENDING:
        said = f"Redraft it {wish.in_words}." + (f" {wish.note}" if wish.note else "")
        request_changes(proposal_id, user=user, digest=digest, note=said)
    wish.save()
    facts = {"revision": seen.number, "ask": wish.in_words, "note": wish.note}
    record_on(proposal, "proposal.redraft_asked", Actor.person(user), after=facts)
    return wish


def _clean(proposal: Proposal, seen: Revision, kind: str, about: str) -> str:
    """What the ask is about, as it is kept. Raises Invalid."""
    if kind not in (Redraft.Ask.SHORTER, Redraft.Ask.MOVE, Redraft.Ask.MERGE, Redraft.Ask.WORDING):
        raise Invalid("ask", "Choose what should be different.")
    if kind == Redraft.Ask.SHORTER:
        return ""
    if kind == Redraft.Ask.WORDING:
        return _clean_wording(about)
    sections, rules = offered(proposal, seen)
    if kind == Redraft.Ask.MOVE and about not in sections:
        raise Invalid("section", "Choose the section it belongs to.")
    if kind == Redraft.Ask.MERGE and about not in rules:
        raise Invalid("rule", "Choose the rule to merge it with.")
    return about


def _clean_wording(words: str) -> str:
    words = " ".join(words.split())
    if not words:
        raise Invalid("wording", "Write the rule as you would have it.")
    if len(words) > MAX_WORDING:
        raise Invalid("wording", f"The wording has {len(words)} characters; at most {MAX_WORDING} go here. Amend it.")
    try:
        return clean_text(words).strip()
    except Invalid as bad:
        raise Invalid("wording", str(bad)) from None


def carry_out_all() -> int:
    """Carry out every ask that is due; how many revisions came of it."""
    return sum(carry_out(pk) is not None for pk in list(Redraft.objects.due().values_list("pk", flat=True)))


@transaction.atomic
def carry_out(redraft_id: int) -> Revision | None:
    """Write the draft again as one ask says, or keep why not. Again, or by two workers at once, it does nothing."""
    proposal = lock(Redraft.objects.values_list("proposal_id", flat=True).get(pk=redraft_id), by=None)
    wish = Redraft.objects.due().select_related("asked_by", "revision").filter(pk=redraft_id).first()
    if wish is None:
        return None
    try:
        with transaction.atomic():
            made = _made(proposal, wish)
    except ReviewError as refused:
        _decline(proposal, wish, str(refused))
        return None
    _finish(wish, made=made)
    return made


def _made(proposal: Proposal, wish: Redraft) -> Revision:
    """The new revision. Raises ReviewError with the reason where there can be none."""
    if proposal.status != Status.CHANGES_REQUESTED or proposal.revision_id != wish.revision_id:
        raise NotPending("Somebody amended or ended it before Countersign came to it.")
    if reason := why_not(proposal):
        raise NotPending(reason)
    text = clean_text(_reworked(proposal, wish))
    seen = newest(proposal)
    _refuse_same(proposal, seen, text)
    current = proposal.document.current
    if current is None:
        raise StaleProposal("The document has no current version.")
    before = {"revision": seen.number, "digest": seen.digest}
    note = f"Drafted again {wish.in_words}, as {wish.asked_by} asked."
    made = add_revision(proposal, text, base=current, author=Author(), note=note)
    update_unmoved(proposal, status=Status.PENDING, decided_at=None)
    after = {"revision": made.number, "digest": made.digest, "asked_by": str(wish.asked_by), "note": note}
    record_on(proposal, "proposal.redrafted", SYSTEM, before=before, after=after)
    return made


def _reworked(proposal: Proposal, wish: Redraft) -> str:
    rule = rule_of(wish.revision)
    found = rule if isinstance(rule, Declined) else rework(Ask(wish.ask, wish.about), rule, _as_document(proposal))
    if isinstance(found, Declined):
        raise NotPending(f"{found.reason[:1].upper()}{found.reason[1:]}.")
    return found


def _refuse_same(proposal: Proposal, seen: Revision, text: str) -> None:
    current = proposal.document.current
    if text == seen.text or (current and text == current.text):
        raise NotPending("That would change nothing.")
    others = proposal.document.proposals.open().exclude(pk=proposal.pk)
    same = others.filter(revision__text=text).first()
    if same:
        raise NotPending(f"Proposal {same.pk}, “{same.title}”, proposes the same text and is open.")


@transaction.atomic
def on_current(proposal_id: int, *, user: User) -> Revision:
    """Draft a conflicted draft anew from what is reported today, on the current version. The asker cannot approve it.

    Raises NotAllowed, NotPending, and StaleProposal when nothing can be drafted there.
    """
    if not user.has_perm("feedback.curate_pattern"):
        raise NotAllowed("Asking for a draft needs the role reviewer or admin.")
    proposal = lock(proposal_id, by=user)
    if reason := why_not(proposal):
        raise NotPending(reason)
    seen = newest(proposal)
    made = drafting.draft_anew(proposal, user=user)
    Redraft.objects.create(
        proposal=proposal,
        revision=seen,
        ask=Redraft.Ask.CURRENT,
        asked_by=user,
        done_at=timezone.now(),
        made=made,
    )
    return made


def _decline(proposal: Proposal, wish: Redraft, why: str) -> None:
    _finish(wish, why_not=why)
    facts = {"revision": wish.revision.number, "ask": wish.in_words, "note": why, "asked_by": str(wish.asked_by)}
    record_on(proposal, "proposal.redraft_declined", SYSTEM, after=facts)
    log.info("redraft_declined", proposal=proposal.pk, why=why)


def _finish(wish: Redraft, *, made: Revision | None = None, why_not: str = "") -> None:
    Redraft.objects.filter(pk=wish.pk, done_at=None).update(done_at=timezone.now(), made=made, why_not=why_not)
