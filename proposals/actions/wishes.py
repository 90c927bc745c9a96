"""What somebody wants changed before it is a proposal, and why it cannot become one."""

from dataclasses import dataclass, replace

from django.conf import settings
from django.db.models import F

from agents.models import Document, Version
from agents.sections import protected_changed
from agents.versions import sha256
from feedback.models import Pattern
from people.models import User
from proposals.actions.revisions import Author
from proposals.exceptions import Duplicate, Invalid, NotAllowed, RolledBackBefore, StaleProposal
from proposals.models import Proposal
from proposals.status.undone import TakenBack, taken_back

MAX_AGAIN = 1000


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants changed; `again` says why, where the very text was rolled back before."""

    document: Document
    base: Version
    text: str
    title: str
    rationale: str
    origin: Proposal.Origin
    author: Author
    pattern: Pattern | None = None
    requested_by: User | None = None
    fingerprint: str = ""
    is_alternative: bool = False
    again: str = ""


def refuse_wordless(wish: Wish) -> None:
    """Raises Invalid where the title or the reason is missing."""
    if not wish.title:
        raise Invalid("title", "Give the change a title.")
    if not wish.rationale:
        raise Invalid("rationale", "Say why the change is needed.")


def refuse_moved(wish: Wish) -> None:
    """Raises StaleProposal where the text was made from what is not current any more."""
    current = Version.objects.only("number").filter(document=wish.document, pk=F("document__current")).first()
    if current != wish.base:
        raise not_current(wish.base.number, current)


def not_current(number: int, current: Version | None) -> StaleProposal:
    """The refusal of a text made from version `number`."""
    now = current.number if current else "none"
    return StaleProposal(f"Version {number} is not current any more; version {now} is. Start from that.")


def refuse_protected(wish: Wish) -> None:
    """Machines never touch protected sections; people may, under the stricter policy. Raises NotAllowed."""
    if wish.author.is_person:
        return
    protected = wish.document.sections.filter(is_protected=True).values_list("heading", flat=True)
    touched = protected_changed(wish.base.text, wish.text, list(protected))
    if touched:
        raise NotAllowed(f"Only people may change protected sections: {', '.join(touched)}.")


def refuse_duplicate(wish: Wish) -> None:
    """Raises Invalid, Duplicate where the text is current, or another open proposal's."""
    if wish.text == wish.base.text:
        raise Invalid("content", "The text is the same as the current version's.")
    refuse_open_twin(wish.document, wish.text)


def refuse_open_twin(document: Document, text: str, *, but: int = 0) -> None:
    """The caller has locked the document. Raises Duplicate where another open proposal has the same text."""
    same = document.proposals.open().filter(revision__sha256=sha256(text)).exclude(pk=but).first()
    if same:
        raise Duplicate(f"Proposal {same.pk}, “{same.title}”, proposes the same text and is open.")


def said_again(wish: Wish) -> tuple[Wish, TakenBack | None]:
    """The wish with why its text should be tried again, and what of it was rolled back before, if any was.

    Whoever proposes gives a reason. A draft gives one where enough sources reported it since, as after a rejection.
    Raises RolledBackBefore.
    """
    before = taken_back(wish.document, sha256(wish.text))
    if before is None:
        return replace(wish, again=""), None
    if wish.origin == Proposal.Origin.DRAFTER:
        return replace(wish, again=_reported_since(wish, before)), before
    return replace(wish, again=why_again(before, wish.again)), before


def why_again(before: TakenBack, reason: str) -> str:
    """The reason, cleaned. Raises RolledBackBefore where there is none, or too much."""
    reason = reason.strip()
    if not reason:
        raise RolledBackBefore("again", f"{before} Say why it should be tried again, or propose another text.")
    if len(reason) > MAX_AGAIN:
        raise Invalid("again", f"This has {len(reason)} characters; at most {MAX_AGAIN} are allowed.")
    return reason


def _reported_since(wish: Wish, before: TakenBack) -> str:
    least = settings.COUNTERSIGN_MIN_SOURCES
    since = wish.pattern.evidence.filter(at__gt=before.at) if wish.pattern else None
    new = since.values("source").distinct().count() if since is not None else 0
    if new < least:
        raise RolledBackBefore("again", f"{before} {new} of {least} new sources since.")
    return f"{new} sources reported what it answers after that."
