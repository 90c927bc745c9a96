"""What somebody wrote for a text that moved on meanwhile, carried over to what stands there now."""

from dataclasses import dataclass

from agents.models import Document
from proposals.actions.proposals import merged_onto_current
from proposals.actions.revisions import clean_text
from proposals.diffs.merging import Conflict, merge
from proposals.exceptions import StaleProposal
from proposals.models import Proposal
from proposals.reviewing import review


@dataclass(frozen=True, slots=True)
class Carried:
    """The text with both changes, for the version and the revision it can be saved on now.

    `sides` name the three texts that were merged: the one both started from, the one that stands, and the writer's.
    """

    text: str
    conflicts: tuple[Conflict, ...]
    base: int
    digest: str
    sides: tuple[str, str, str]


def change_onto_current(proposal: Proposal) -> Carried | None:
    """The proposed change on the version that is current now; None where it stands on that already."""
    newest, current = review.newest(proposal), proposal.document.current
    if not proposal.is_stale or current is None:
        return None
    merged, sides = merged_onto_current(proposal), (str(newest.base_version), str(current), str(newest))
    return Carried(merged.text, merged.conflicts, current.number, newest.digest, sides)


def typed_onto_newest(proposal: Proposal, text: str, *, digest: str, base: int | None) -> Carried:
    """What was typed over the revision with this digest, on the newest one; else, on the current version.

    Raises StaleProposal where it is not known what it was typed over, and Invalid.
    """
    newest = review.newest(proposal)
    seen = proposal.revisions.filter(digest=digest).order_by("-number").first()
    if seen is None or seen.number == newest.number:
        return typed_onto_current(
            proposal.document, text, base=base or newest.base_version.number, digest=newest.digest
        )
    merged = merge(base=seen.text, ours=newest.text, theirs=clean_text(text))
    sides = (str(seen), str(newest), "what you typed")
    return Carried(merged.text, merged.conflicts, newest.base_version.number, newest.digest, sides)


def typed_onto_current(document: Document, text: str, *, base: int, digest: str = "") -> Carried:
    """What was typed over this version, on the current one. Raises StaleProposal where there is none, and Invalid."""
    before, current = document.versions.filter(number=base).first(), document.current
    if before is None or current is None:
        raise StaleProposal(f"There is no version {base} to compare with. Nothing was saved.")
    merged = merge(base=before.text, ours=current.text, theirs=clean_text(text))
    sides = (str(before), str(current), "what you typed")
    return Carried(merged.text, merged.conflicts, current.number, digest, sides)
