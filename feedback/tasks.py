"""Doorbells for the miner. A tick may come twice, late or not at all: the waiting rows say what is to be done."""

from celery import shared_task


@shared_task
def mine_pending() -> None:
    """Mine for every agent with reports waiting."""
    from feedback.actions.mining import mine, waiting_agents

    for agent in waiting_agents():
        mine(agent)


@shared_task
def resolve_quiet() -> None:
    """Resolve the watched patterns that nothing new came to."""
    from feedback.actions.lifecycle import resolve_quiet

    resolve_quiet()


@shared_task
def count_runs() -> None:
    """Bring the runs of each day, and each agent's runs a day, up to date."""
    from feedback.actions.rollups import count_runs

    count_runs()
