"""Go back to an older text: one act, at once, with a reason, reviewed after the fact."""

from django.db import transaction

from agents.exceptions import BaseMoved
from agents.models import Document, Version
from agents.reach import require_act
from agents.versions import restore
from audit.record import Actor, record
from feedback.actions.patterns import change_status
from feedback.models import Pattern
from people.models import User
from proposals.actions.following import follow_soon
from proposals.actions.revisions import Author, add_revision
from proposals.actions.steering import end_with_document
from proposals.exceptions import Invalid, NotAllowed, StaleProposal
from proposals.models import Proposal


@transaction.atomic
def roll_back(document_id: int, *, user: User, to_number: int, current_number: int, reason: str) -> Proposal:
    """Make the text of version `to_number` current again as a new version; returns the review that this opens.

    `current_number` is the version the person saw as current. Raises NotAllowed, OutOfReach, Invalid, StaleProposal.
    """
    if not user.has_perm("proposals.roll_back"):
        raise NotAllowed("Rolling back needs the role reviewer, operator or admin.")
    if not reason.strip():
        raise Invalid("reason", "Say why the document is rolled back.")
    document = Document.objects.select_related("agent").get(pk=document_id)
    require_act(user, document.agent_id)
    base, target = _versions(document, current_number, to_number)
    try:
        version = restore(document, target, base=base, actor=Actor.person(user), reason=reason.strip())
    except BaseMoved:
        raise StaleProposal(
            f"Version {current_number} is not current any more. Look at the history again. Nothing was changed."
        ) from None
    end_with_document(document.pk, user=user, reason=reason.strip())
    review = _open_review(document, base, version, user, reason.strip())
    _reopen_patterns(review, target, user)
    follow_soon(document.pk)
    return review


def _versions(document: Document, current_number: int, to_number: int) -> tuple[Version, Version]:
    found = {v.number: v for v in document.versions.filter(number__in=[current_number, to_number])}
    if to_number not in found or current_number not in found:
        raise Invalid("to", f"{document} has no version {to_number}.")
    if not found[to_number].releases.exists():
        # Else anybody who may roll back could give a candidate to all, past the gate.
        raise Invalid("to", f"Version {to_number} was never current, so there is nothing to go back to.")
    if found[to_number].sha256 == found[current_number].sha256:
        raise Invalid("to", f"Version {to_number} has the text that is current now; there is nothing to roll back.")
    return found[current_number], found[to_number]


def _reopen_patterns(review: Proposal, target: Version, user: User) -> None:
    """What the undone versions were to fix is a problem again; not what another version answers since.

    Candidates that never were current are not undone by this: their patterns opened when their rollouts ended.
    """
    published = review.document.proposals.filter(published__number__gt=target.number, pattern__isnull=False)
    undone = list(published.filter(published__releases__isnull=False).values_list("pattern", "published").distinct())
    change_status(
        [pattern for pattern, _ in undone],
        Pattern.Status.OPEN,
        actor=Actor.person(user),
        proposal=review.pk,
        expected=Pattern.ANSWERED,
        answered_by=[version for _, version in undone],
    )


def _open_review(document: Document, base: Version, version: Version, user: User, reason: str) -> Proposal:
    review = Proposal.objects.create(
        document=document,
        base_version=base,
        title=f"Rolled back to version {version.restores.number if version.restores else ''}",
        rationale=reason,
        origin=Proposal.Origin.ROLLBACK,
        status=Proposal.Status.IN_EFFECT,
        author=user,
        published=version,
    )
    add_revision(review, version.text, base=base, author=Author(user))
    record(
        "document.rolled_back",
        actor=Actor.person(user),
        target=document,
        agent=document.agent.slug,
        document=document.slug,
        proposal=review.pk,
        before={"version": base.number},
        after={
            "version": version.number,
            "restores": version.restores and version.restores.number,
            "reason": reason,
        },
    )
    return review
