"""Doorbells for the drafter. A tick may come twice, late or not at all: the due rows say what is to be done."""

from celery import shared_task


@shared_task
def draft_due() -> None:
    """Redraft what people asked for, draft from every pattern that is due, then move onto versions that became current
    what applies there, and find out how the rest fits them."""
    from agents.freezing import is_frozen
    from proposals.actions import drafting, fitting, following, redrafts

    redrafts.carry_out_all()
    if not is_frozen():
        drafting.draft_all_due()
    following.follow()
    fitting.fit_all()


@shared_task
def start_safe() -> None:
    """Start what may start without waiting for a person, and close the reviews that a person's stop has answered."""
    from agents.freezing import is_frozen
    from proposals.actions import self_starts

    self_starts.settle_all_undone()
    if not is_frozen():
        self_starts.start_all()


@shared_task
def expire_stale() -> None:
    """End machine drafts that nobody took up. While nothing is mined, what speaks for them would be missing."""
    from agents.freezing import is_frozen
    from proposals.actions import expiry

    if not is_frozen():
        expiry.expire_stale()


@shared_task
def watch_rollouts() -> None:
    """Ring for each live rollout by itself, so that trouble with one holds up no other."""
    from proposals.actions.watching import watched

    for rollout_id in watched():
        watch_rollout.apply_async((rollout_id,), expires=60)


@shared_task
def watch_rollout(rollout_id: int) -> None:
    """Hear what is new of a rollout, and do what follows from it."""
    from proposals.actions.watching import watch

    watch(rollout_id)


@shared_task
def tidy_rollouts() -> None:
    """Forget what is no longer needed of rollouts that have ended."""
    from proposals.actions.feeding import tidy

    tidy()


@shared_task
def propose_removals() -> None:
    """Propose to take out what nothing supports any more."""
    from agents.freezing import is_frozen
    from proposals.actions import removals

    if not is_frozen():
        removals.propose_all()


@shared_task
def tell_outcomes() -> None:
    """Say what came of the changes of the last days. While nothing is mined, reports would be missing."""
    from agents.freezing import is_frozen
    from feedback.actions.rollups import count_runs
    from proposals.actions import outcomes

    if not is_frozen():
        count_runs()
        outcomes.tell_all()


@shared_task
def watch_drift() -> None:
    """See whether small changes add up in a document."""
    from proposals.actions import drifting

    drifting.watch_all()


@shared_task
def tell_of_proposals() -> None:
    """Tell of new proposals, if any and if it is time."""
    from proposals.actions import digest

    digest.tell_due()
