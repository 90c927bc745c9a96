"""Doorbells for the miner. A tick may come twice, late or not at all: the waiting rows say what is to be done."""

from typing import Any

from celery import shared_task

TRY_AGAIN_S = 30


@shared_task
def mine_pending() -> None:
    """Mine for every agent with reports waiting, unless that is going on already."""
    from agents.freezing import is_frozen
    from feedback.actions.locks import one_long_task
    from feedback.actions.mining import mine, waiting_agents

    with one_long_task() as alone:
        for agent in waiting_agents() if alone and not is_frozen() else []:
            mine(agent)


@shared_task(bind=True, soft_time_limit=3500, time_limit=3600, max_retries=None)
def consolidate(task: Any) -> None:
    """Put right, for every agent with texts, what was grouped wrongly when they came; find what agents share."""
    from agents.freezing import is_frozen
    from feedback.actions.across import link_across
    from feedback.actions.consolidation import consolidate
    from feedback.actions.locks import one_long_task
    from feedback.actions.meaning import agents_with_texts

    if is_frozen():
        return
    with one_long_task() as alone:
        if not alone:
            raise task.retry(countdown=TRY_AGAIN_S)
        for agent in agents_with_texts():
            consolidate(agent)
        link_across()


@shared_task
def resolve_quiet() -> None:
    """Resolve the watched patterns that nothing new came to, and open what waited for room in the list.

    While nothing is mined, the one would not be known.
    """
    from agents.freezing import is_frozen
    from feedback.actions.lifecycle import open_held_back, resolve_quiet

    if not is_frozen():
        resolve_quiet()
        open_held_back()


@shared_task
def erase_asked() -> None:
    """Erase what was asked to be."""
    from feedback.actions.erasure import carry_out

    carry_out()


@shared_task
def settle_quarantines() -> None:
    """Hold out what came in with keys in quarantine, and give back what was held where that was lifted."""
    from feedback.actions.locks import one_long_task
    from feedback.actions.quarantine import settle_all

    with one_long_task() as alone:
        if alone:
            settle_all()


@shared_task
def end_probations() -> None:
    """Let the reports of keys that were on probation for long enough count like any."""
    from feedback.actions.probation import end_due

    end_due()


@shared_task
def note_rising() -> None:
    """Say of every pattern whether more and more reports come."""
    from feedback.actions.weighing import note_rising

    note_rising()


@shared_task
def count_runs() -> None:
    """Bring the runs of each day, and each agent's runs a day, up to date."""
    from feedback.actions.rollups import count_runs

    count_runs()
