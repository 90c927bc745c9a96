"""End proposals because another one for the same pattern was chosen or approved."""

from collections.abc import Iterable

from django.utils import timezone

from audit.record import Actor
from proposals.actions.proposals import record_on
from proposals.actions.revisions import update_unmoved
from proposals.models import Proposal, Revision

Status = Proposal.Status


def end_drafts_beside(chosen: Proposal, actor: Actor) -> None:
    """End what Countersign alone drafted for the pattern of a proposal just approved; what people wrote stays open.

    The caller has locked them all, see `lock_with_rivals`.
    """
    if chosen.pattern_id is None:
        return
    beside = Proposal.objects.for_page().beside(chosen).filter(origin=Proposal.Origin.DRAFTER)
    by_people = Revision.objects.filter(author__isnull=False, proposal__in=beside.values("pk")).values("proposal")
    waiting = beside.exclude(status=Status.IN_EFFECT).exclude(pk__in=by_people)
    supersede(waiting.order_by("pk"), chosen, actor)


def supersede(ended: Iterable[Proposal], chosen: Proposal, actor: Actor, reason: str = "") -> None:
    """Withdraw each in favour of the chosen one, each with an entry. The caller has locked them all."""
    for proposal in ended:
        status = proposal.status
        update_unmoved(proposal, status=Status.WITHDRAWN, superseded_by=chosen, decided_at=timezone.now())
        after = {"status": proposal.status, "superseded_by": chosen.pk, "reason": reason}
        record_on(proposal, "proposal.superseded", actor, before={"status": status}, after=after)
