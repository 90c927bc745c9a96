"""Proposals follow their document: what applies cleanly is moved onto the version that became current, unasked."""

from functools import partial
from time import monotonic

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef

from proposals.actions.drafting import carry_over
from proposals.exceptions import ReviewError, StaleProposal
from proposals.models import Decision, Misfit, Proposal

log = structlog.get_logger(__name__)
AT_ONCE_S = 0.5
SWEEP_S = 5.0


def follow_soon(document_id: int) -> None:
    """Move what waits behind this document as soon as the transaction has committed; a failure there undoes nothing."""
    transaction.on_commit(partial(follow, document_id, within=AT_ONCE_S), robust=True)


def follow(document_id: int | None = None, *, within: float = SWEEP_S) -> int:
    """Move proposals of one document, or of all, onto its current version; how many moved, in about `within` seconds.

    What somebody approved stays: a move would outdate the approval without a word, so a person is asked to do it. What
    does not apply cleanly stays, too, unless every word of it is Countersign's own; it is tried once on each version.
    The order is any, so that what stays keeps nothing else waiting for good.
    """
    until, moved = monotonic() + within, 0
    for proposal_id, revision_id, version_id in _behind(document_id):
        if monotonic() > until:
            log.info("proposals_left_behind", document=document_id)
            break
        moved += _moved(proposal_id, revision_id, version_id)
    return moved


def _behind(document_id: int | None) -> list[tuple[int, int, int]]:
    """Keys of proposals, of their newest revisions, and of the versions these are to be moved onto."""
    approved = Decision.objects.filter(revision=OuterRef("revision"), verdict=Decision.Verdict.APPROVE)
    stale = Proposal.objects.filter(~Exists(approved), status=Proposal.Status.PENDING)
    stale = stale.exclude(base_version=F("document__current"))
    if document_id is not None:
        stale = stale.filter(document=document_id)
    tried = Misfit.objects.filter(revision=OuterRef("revision"), version=OuterRef("document__current"))
    untried = stale.filter(~Exists(tried), document__current__isnull=False)
    return list(untried.order_by("?").values_list("pk", "revision", "document__current"))


def _moved(proposal_id: int, revision_id: int, version_id: int) -> bool:
    """Whether it could be moved. Where another version or revision came meanwhile, that is tried the next time."""
    try:
        carry_over(proposal_id)
    except ReviewError as refused:
        if isinstance(refused, StaleProposal):
            Misfit.objects.update_or_create(revision_id=revision_id, defaults={"version_id": version_id})
        log.info("proposal_not_moved", proposal=proposal_id, why=str(refused))
        return False
    return True
