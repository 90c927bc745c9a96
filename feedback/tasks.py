"""Doorbells for the miner. A tick may come twice, late or not at all: the waiting rows say what is to be done."""

from celery import shared_task


@shared_task
def mine_pending() -> None:
    """Mine for every agent with reports waiting."""
    from agents.freezing import is_frozen
    from feedback.actions.mining import mine, waiting_agents

    for agent in [] if is_frozen() else waiting_agents():
        mine(agent)


@shared_task(soft_time_limit=3500, time_limit=3600)
def consolidate() -> None:
    """Put right, for every agent with texts, what was grouped wrongly when they came; find what agents share."""
    from agents.freezing import is_frozen
    from feedback.actions.across import link_across
    from feedback.actions.consolidation import consolidate
    from feedback.actions.meaning import agents_with_texts

    for agent in [] if is_frozen() else agents_with_texts():
        consolidate(agent)
    if not is_frozen():
        link_across()


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
