"""Doorbells for the drafter. A tick may come twice, late or not at all: the due rows say what is to be done."""

from celery import shared_task


@shared_task
def draft_due() -> None:
    """Redraft what people asked for, draft from every pattern that is due, then move onto versions that became current
    what applies there."""
    from proposals.actions import drafting, following, redrafts

    redrafts.carry_out_all()
    drafting.draft_all_due()
    following.follow()


@shared_task
def expire_stale() -> None:
    """End machine drafts that nobody took up."""
    from proposals.actions import expiry

    expiry.expire_stale()


def propose_removals() -> None:
    """Propose to take out what nothing supports any more."""
    from proposals.actions import removals

    removals.propose_all()
