"""Races over what starts by itself, and over the freeze, with real concurrent transactions."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import Any

import pytest
from django.db import connection

from agents import freezing
from agents.models import Agent, Document, Split
from audit.models import AuditEntry
from audit.verify import verify
from people.models import User
from proposals.actions import rollouts, steering, watching
from proposals.actions.decisions import approve, reject
from proposals.actions.feeding import feed
from proposals.actions.self_starts import Started, settle_all_undone, start_by_itself
from proposals.actions.watching import decide
from proposals.models import Proposal, Rollout, SelfStart
from tests.cast import digest_of
from tests.proposals.test_races import at_once, pool, refusals
from tests.rollouts import canary, fresh, report_runs, share_of
from tests.safe import busy, draft, rollout_of, settings_of, status_of

__all__ = ["pool"]
pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 4


@pytest.fixture
def config(support: Agent, ada: User) -> Document:
    return settings_of(support, ada, rules=busy(rest_h=1))


def test_two_workers_start_one(config: Document, pool: ThreadPoolExecutor) -> None:
    made = draft(config)
    results = at_once(pool, *[partial(start_by_itself, made.pk)] * 4)
    assert [isinstance(one, Started) for one in results].count(True) == 1
    assert (Rollout.objects.count(), SelfStart.objects.count()) == (1, 1)
    assert AuditEntry.objects.filter(verb="proposal.started_itself").count() == 1


def test_two_documents_of_one_agent_share_the_days_allowance(
    support: Agent, ada: User, pool: ThreadPoolExecutor
) -> None:
    made = [draft(settings_of(support, ada, slug=f"settings-{number}")) for number in range(4)]
    results = at_once(pool, *[partial(start_by_itself, one.pk) for one in made])
    assert [isinstance(one, Started) for one in results].count(True) == 1
    assert Split.objects.live().count() == 1


@pytest.mark.parametrize("word", ["approve", "reject"])
def test_a_persons_decision_at_the_same_instant_counts_once(
    support: Agent, ada: User, mara: User, pool: ThreadPoolExecutor, word: str
) -> None:
    began = set()
    for number in range(ROUNDS):
        config = settings_of(support, ada, rules=busy(), slug=f"settings-{number}")
        made = draft(config)
        digest = digest_of(made)
        deed: Callable[[], object] = partial(approve, made.pk, user=mara, digest=digest, start="canary")
        if word == "reject":
            deed = partial(reject, made.pk, user=mara, digest=digest, reason="wrong_fix", note="No.")
        started, _ = results = at_once(pool, partial(start_by_itself, made.pk), deed)
        assert refusals(results) == []
        began.add(isinstance(started, Started))
        assert status_of(made) == ("approved" if word == "approve" else "rejected")
        found = Rollout.objects.filter(proposal=made)
        assert found.count() == (1 if word == "approve" or isinstance(started, Started) else 0)
        assert Split.objects.live().filter(document=config).count() == (1 if word == "approve" else 0)
        assert made.revisions.get().decisions.count() == 1
    assert began
    assert verify().fault is None


def test_confirm_undo_and_the_judge_at_the_same_instant_have_one_outcome(
    support: Agent, ada: User, mara: User, jonas: User, aiko: User, pool: ThreadPoolExecutor
) -> None:
    for number in range(ROUNDS):
        config = settings_of(support, ada, rules=busy(), slug=f"settings-{number}")
        made = draft(config)
        assert isinstance(start_by_itself(made.pk), Started)
        rollout, digest = rollout_of(made), digest_of(made)
        report_runs(rollout, candidate=[False] * 60, current=[True] * 540, prefix=f"{number}-")
        feed(rollout.pk)
        results = at_once(
            pool,
            partial(decide, rollout.pk),
            partial(approve, made.pk, user=mara, digest=digest),
            partial(reject, made.pk, user=jonas, digest=digest, reason="wrong_fix", note="No."),
            partial(steering.stop, rollout.pk, user=aiko, reason="Enough."),
        )
        settle_all_undone()
        assert not fresh(rollout).is_live, results
        ended_by_a_person = fresh(rollout).ended_by is not None
        allowed = {"approved", "rejected", "withdrawn"} if ended_by_a_person else {"approved", "rejected"}
        assert status_of(made) in allowed | ({"in_effect"} if not ended_by_a_person else set())
        assert not Split.objects.live().filter(document=config).exists()
        ends = AuditEntry.objects.filter(target_kind="rollout", target_id=str(rollout.pk)).exclude(
            verb__in=["rollout.started", "rollout.asked", "rollout.calmed"]
        )
        assert [entry.verb for entry in ends] == [f"rollout.{fresh(rollout).state}"]
    assert verify().fault is None


def under_way(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> tuple[Event, Event]:
    """Have a step stop at this function, in the middle of its transaction: (it is there, let it go on)."""
    there, go_on = Event(), Event()
    real = getattr(module, name)

    def waiting(*given: Any, **named: Any) -> object:
        there.set()
        assert go_on.wait(timeout=30)
        return real(*given, **named)

    monkeypatch.setattr(module, name, waiting)
    return there, go_on


def is_waiting_for_the_switch() -> bool:
    """Whether somebody waits for a lock that only the switch is behind."""
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """)
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize("what", ["step", "start"])
def test_who_freezes_waits_for_a_step_under_way(
    what: str,
    config: Document,
    prompt: Document,
    aiko: User,
    mara: User,
    pool: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if what == "step":
        rollout = canary(prompt, aiko, mara)
        candidate, current = share_of(900, 0.1)
        report_runs(rollout, candidate=candidate, current=current)
        feed(rollout.pk)
        there, go_on = under_way(monkeypatch, watching, "give_share")
        deed: Callable[[], object] = partial(decide, rollout.pk)
    else:
        made = draft(config)
        there, go_on = under_way(monkeypatch, rollouts, "start")
        deed = partial(start_by_itself, made.pk)
    step = pool.submit(deed)
    assert there.wait(timeout=30)
    freeze = pool.submit(partial(freezing.freeze, user=aiko, reason="Quiet, please."))
    while not is_waiting_for_the_switch():
        assert not freeze.done(), "it was answered while a step could still commit"
    assert not freezing.is_frozen()
    go_on.set()
    assert step.result(timeout=30)
    freeze.result(timeout=30)
    entries = list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True))
    assert entries[-1] == "board.frozen"


def test_after_a_freeze_was_answered_nothing_moves(
    support: Agent, ada: User, prompt: Document, aiko: User, mara: User, pool: ThreadPoolExecutor
) -> None:
    for number in range(ROUNDS):
        config = settings_of(support, ada, rules=busy(), slug=f"settings-{number}")
        rollout = canary(prompt, aiko, mara, new=f"{number + 40} days")
        candidate, current = share_of(400, 0.1)
        report_runs(rollout, candidate=candidate, current=current, prefix=f"{number}-")
        feed(rollout.pk)
        made = draft(config)

        def freeze_and_look(pk: int = rollout.pk, proposal: int = made.pk) -> tuple[int, str]:
            freezing.freeze(user=aiko, reason="Quiet, please.")
            return _seen(pk, proposal)

        _, _, seen = at_once(pool, partial(decide, rollout.pk), partial(start_by_itself, made.pk), freeze_and_look)
        assert _seen(rollout.pk, made.pk) == seen, "what was seen once it was frozen is how it stays"
        decide(rollout.pk)
        start_by_itself(made.pk)
        assert _seen(rollout.pk, made.pk) == seen
        freezing.thaw(user=aiko)
        steering.stop(rollout.pk, user=aiko, reason="Next round.")
        for one in Rollout.objects.live():
            steering.stop(one.pk, user=aiko, reason="Next round.")
        settle_all_undone()
    assert verify().fault is None


def _seen(rollout: int, proposal: int) -> tuple[int, str]:
    return (
        Rollout.objects.select_related("split").get(pk=rollout).share,
        Proposal.objects.values_list("status", flat=True).get(pk=proposal),
    )
