"""Races over one rollout, with real concurrent transactions: one outcome each, and nothing is half-done."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Event, Thread
from time import sleep

import pytest
from django.db import connection, transaction
from django.utils import timezone

from agents.models import Document, Release, Split, Version
from audit.models import AuditEntry
from audit.verify import verify
from feedback.actions import fences
from feedback.actions.fences import SETTLED
from feedback.models import Feedback, Run
from people.models import User
from proposals.actions import feeding, rollbacks, steering, watching
from proposals.actions.decisions import approve
from proposals.actions.feeding import feed
from proposals.actions.rollouts import State
from proposals.actions.watching import decide, watch
from proposals.judging import Batch, Judge, Observed
from proposals.models import JudgedRun, JudgedUnit, JudgeMemory, Proposal, Rollout
from tests.cast import digest_of, propose
from tests.proposals.test_races import at_once, pool, refusals
from tests.rollouts import QUICKLY, canary, report_runs, share_of

__all__ = ["pool"]
pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 10


@pytest.fixture
def rollout(prompt: Document, aiko: User, mara: User) -> Rollout:
    return canary(prompt, aiko, mara)


def fresh(rollout: Rollout) -> Rollout:
    return Rollout.objects.for_page().get(pk=rollout.pk)


def _again(prompt: Document, author: User, approver: User, number: int) -> Rollout:
    current = Document.objects.select_related("current").get(pk=prompt.pk).current
    assert current
    line = next(line for line in current.text.splitlines() if line.startswith("You answer"))
    return canary(prompt, author, approver, old=line, new=f"You answer questions about orders, round {number}.")


def one_outcome(rollout: Rollout, current_before: Version) -> None:
    """Whatever won: pointer, split, releases and log agree with the state, and nothing is left over."""
    now = fresh(rollout)
    ends = AuditEntry.objects.filter(
        target_kind="rollout",
        target_id=str(rollout.pk),
        verb__in=[f"rollout.{state}" for state in ("promoted", "stopped", "rolled_back", "given_up")],
    )
    assert [entry.verb for entry in ends] == ([] if now.is_live else [f"rollout.{now.state}"])
    assert Split.objects.live().filter(pk=rollout.pk).exists() == now.is_live
    assert Release.objects.filter(version=rollout.candidate).exists() == (now.state == State.PROMOTED)
    document = Document.objects.select_related("current").get(pk=rollout.document.pk)
    if now.state == State.PROMOTED:
        assert now.ended_by
        restored = document.current and document.current.origin == Version.Origin.ROLLBACK
        assert restored or document.current == rollout.candidate
    else:
        restored = document.current and document.current.restores_id is not None
        assert restored or document.current == current_before


def test_step_promote_stop_and_rollback_at_the_same_instant_have_one_outcome(
    prompt: Document, aiko: User, mara: User, jonas: User, pool: ThreadPoolExecutor
) -> None:
    outcomes = set()
    for number in range(ROUNDS):
        rollout = _again(prompt, aiko, mara, number)
        candidate, current = share_of(900, 0.1)
        report_runs(rollout, candidate=candidate, current=current, prefix=f"{number}-")
        feed(rollout.pk)
        deeds: list[Callable[[], object]] = [
            lambda: decide(rollout.pk),  # noqa: B023
            lambda: steering.promote(rollout.pk, user=mara, epoch=0),  # noqa: B023
            lambda: steering.stop(rollout.pk, user=jonas, reason="Enough."),  # noqa: B023
            lambda: steering.roll_back(rollout.pk, user=aiko, reason="Worse."),  # noqa: B023
        ]
        results = at_once(pool, *deeds)
        assert len(refusals(results[1:])) == 2
        assert not fresh(rollout).is_live
        one_outcome(rollout, rollout.baseline)
        outcomes.add(fresh(rollout).state)
    assert outcomes <= {"promoted", "stopped", "rolled_back"}
    assert verify().fault is None


def test_worse_promote_a_rollback_of_the_document_and_a_new_approval_have_one_outcome(
    prompt: Document, aiko: User, mara: User, jonas: User, pool: ThreadPoolExecutor
) -> None:
    first = _again(prompt, aiko, mara, 999)
    steering.promote(first.pk, user=mara, epoch=0)
    for number in range(ROUNDS):
        prompt.refresh_from_db()
        before = Document.objects.select_related("current").get(pk=prompt.pk).current
        assert before
        rollout = _again(prompt, aiko, mara, number)
        other = propose(prompt, aiko, before.text.splitlines()[-1], f"- Never ask for passwords, round {number}.")
        report_runs(rollout, candidate=[False] * 60, current=[True] * 540, prefix=f"{number}-")
        feed(rollout.pk)
        shown = digest_of(other)
        results = at_once(
            pool,
            lambda: decide(rollout.pk),  # noqa: B023
            lambda: steering.promote(rollout.pk, user=mara, epoch=0),  # noqa: B023
            lambda: approve(other.pk, user=jonas, digest=shown, start="canary"),  # noqa: B023
            partial(
                rollbacks.roll_back, prompt.pk, user=mara, to_number=1, current_number=before.number, reason="Back."
            ),
        )
        assert not fresh(rollout).is_live, results
        one_outcome(rollout, before)
        assert Split.objects.live().filter(document=prompt).count() <= 1
        for live in Rollout.objects.live():
            assert live.proposal_id == other.pk
            steering.stop(live.pk, user=jonas, reason="Next round.")
        Proposal.objects.filter(pk=other.pk, status="pending").update(status="withdrawn")
    assert verify().fault is None


def test_two_approvals_at_the_same_instant_start_one_rollout(
    prompt: Document, aiko: User, mara: User, jonas: User, pool: ThreadPoolExecutor
) -> None:
    for number in range(ROUNDS):
        one = propose(prompt, aiko, "30 days", f"{number} days")
        two = propose(prompt, aiko, "Never ask", f"Never, {number}, ask")
        digests = digest_of(one), digest_of(two)
        results = at_once(
            pool,
            lambda: approve(one.pk, user=mara, digest=digests[0], start="canary"),  # noqa: B023
            lambda: approve(two.pk, user=jonas, digest=digests[1], start="canary"),  # noqa: B023
        )
        (refused,) = refusals(results)
        assert "is running" in str(refused)
        live = Rollout.objects.live().get()
        steering.stop(live.pk, user=mara, reason="Next round.")
        Proposal.objects.filter(status="pending").update(status="withdrawn")


def test_workers_at_the_same_rollout_tell_each_run_once(rollout: Rollout, pool: ThreadPoolExecutor) -> None:
    candidate, current = share_of(1200, 0.1)
    report_runs(rollout, candidate=candidate, current=current)
    at_once(pool, *[lambda: watch(rollout.pk)] * 4)
    watch(rollout.pk)
    runs = Judge.from_json(JudgeMemory.objects.get(rollout=rollout).judge).verdict().runs
    assert runs == {"candidate": 120, "current": 1080}
    assert JudgedRun.objects.filter(rollout=rollout).count() == 1200


def test_runs_that_commit_late_are_told_of_once_and_by_all_passes_together(rollout: Rollout) -> None:
    inserted, commit = Event(), Event()

    def slow() -> None:
        with transaction.atomic():
            report_runs(rollout, candidate=[True] * 5, current=[True] * 45, prefix="slow")
            inserted.set()
            commit.wait(timeout=10)
        connection.close()

    thread = Thread(target=slow)
    thread.start()
    assert inserted.wait(timeout=10)
    report_runs(rollout, candidate=[True] * 10, current=[True] * 90, prefix="quick")
    assert feed(rollout.pk) == 100
    commit.set()
    thread.join()
    assert feed(rollout.pk) == 50
    assert feed(rollout.pk) == 0
    memory = JudgeMemory.objects.get(rollout=rollout)
    assert Judge.from_json(memory.judge).verdict().runs == {"candidate": 15, "current": 135}


def test_runs_of_a_transaction_that_stays_open_for_long_are_heard_all_the_same(
    rollout: Rollout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fences, "SETTLED", timedelta(0))
    inserted, commit = Event(), Event()

    def slow() -> None:
        with transaction.atomic():
            report_runs(rollout, candidate=[True] * 5, current=[True] * 45, prefix="slow")
            inserted.set()
            commit.wait(timeout=10)
        connection.close()

    thread = Thread(target=slow)
    thread.start()
    assert inserted.wait(timeout=10)
    report_runs(rollout, candidate=[True] * 10, current=[True] * 90, prefix="quick")
    long_ago = timezone.now() - timedelta(hours=2)
    Run.objects.update(received_at=long_ago)
    assert [feed(rollout.pk) for _ in range(4)] == [100, 0, 0, 0]
    memory = JudgeMemory.objects.get(rollout=rollout)
    assert memory.upto < Run.objects.earliest("pk").pk
    commit.set()
    thread.join()
    assert [feed(rollout.pk) for _ in range(3)] == [50, 0, 0]
    memory.refresh_from_db()
    assert Judge.from_json(memory.judge).verdict().runs == {"candidate": 15, "current": 135}


def test_batches_leave_nothing_out(rollout: Rollout, monkeypatch: pytest.MonkeyPatch) -> None:
    report_runs(rollout, candidate=[True] * 20, current=[True] * 180)
    Run.objects.update(received_at=timezone.now() - SETTLED - timedelta(minutes=1))
    monkeypatch.setattr(feeding, "BATCH", 7)
    assert feed(rollout.pk) == 200
    assert feed(rollout.pk) == 0
    assert Judge.from_json(JudgeMemory.objects.get(rollout=rollout).judge).verdict().runs["candidate"] == 20


def test_a_worker_killed_in_the_middle_of_a_batch_leaves_nothing_of_it(
    rollout: Rollout, monkeypatch: pytest.MonkeyPatch
) -> None:
    report_runs(rollout, candidate=[True] * 10, current=[True] * 90)

    def killed(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(feeding, "_tell_complaints", killed)
        with pytest.raises(KeyboardInterrupt):
            feed(rollout.pk)
    assert not JudgedRun.objects.exists()
    assert not JudgedUnit.objects.exists()
    assert feed(rollout.pk) == 100


def test_a_worker_killed_between_hearing_and_acting_is_made_good_by_the_next(rollout: Rollout) -> None:
    report_runs(rollout, candidate=[False] * 60, current=[True] * 540)
    feed(rollout.pk)  # and dies
    assert fresh(rollout).state == State.RUNNING
    watch(rollout.pk)
    assert fresh(rollout).state == State.ROLLED_BACK


def test_a_worker_killed_while_acting_leaves_the_rollout_as_it_was(
    rollout: Rollout, monkeypatch: pytest.MonkeyPatch
) -> None:
    report_runs(rollout, candidate=[False] * 60, current=[True] * 540)
    feed(rollout.pk)
    with monkeypatch.context() as patched:

        def killed(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        patched.setattr("proposals.actions.rollouts.record_on", killed)
        with pytest.raises(KeyboardInterrupt):
            decide(rollout.pk)
    assert fresh(rollout).state == State.RUNNING
    assert Split.objects.live().exists()
    watching.watch(rollout.pk)
    assert fresh(rollout).state == State.ROLLED_BACK


def test_the_judge_hears_what_it_would_hear_of_all_runs_at_once(
    rollout: Rollout, aiko: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "GRACE", timedelta(0))
    first = report_runs(rollout, candidate=[True] * 20, current=[True, False] * 90, each=3, prefix="a")
    feed(rollout.pk)
    steering.set_share(rollout.pk, user=aiko, epoch=0, share=30)
    second = report_runs(rollout, candidate=[True, False] * 30, current=[True] * 140, each=3, prefix="b")
    feed(rollout.pk)
    seen: dict[bytes, int] = {}
    expected = Judge(QUICKLY.judge)
    told = []
    for share, runs in ((0.1, first), (0.3, second)):
        for run in runs:
            unit = bytes(run.unit_hash or b"")
            seen[unit] = seen.get(unit, 0) + 1
            arm = "candidate" if run.version == 2 else "current"
            told.append(Observed(arm, share, run.success, run.latency_ms, nth=seen[unit]))  # type: ignore[arg-type]
    expected.observe(Batch.of(told))
    assert JudgeMemory.objects.get(rollout=rollout).judge == json.loads(json.dumps(expected.to_json()))


def test_complaints_are_told_after_the_same_time_for_both_arms(rollout: Rollout) -> None:
    runs = report_runs(rollout, candidate=[True] * 20, current=[True] * 180)
    for run in runs[::2]:
        _complain(rollout, run)
    feed(rollout.pk)
    negative = Judge.from_json(JudgeMemory.objects.get(rollout=rollout).judge).strands["negative"]
    assert negative.counts == [0, 0]
    long_ago = timezone.now() - timedelta(hours=2)
    JudgedRun.objects.update(received_at=long_ago)
    Run.objects.update(received_at=long_ago)
    Feedback.objects.update(received_at=long_ago + timedelta(minutes=30))
    late = runs[1]
    Feedback.objects.filter(pk=_complain(rollout, late).pk).update(received_at=long_ago + timedelta(minutes=61))
    feed(rollout.pk)
    negative = Judge.from_json(JudgeMemory.objects.get(rollout=rollout).judge).strands["negative"]
    assert negative.counts == [180, 20]
    assert sum(negative.sums) == 100
    assert not JudgedRun.objects.filter(is_told=False).exists()


def test_told_runs_are_forgotten_once_they_can_come_up_no_more(
    rollout: Rollout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fences, "SETTLED", timedelta(0))
    report_runs(rollout, candidate=[True] * 2, current=[True] * 18)
    Run.objects.update(received_at=timezone.now() - timedelta(hours=2))
    for _ in range(4_000):  # until other writers of the same server have ended, too
        feed(rollout.pk)
        if not JudgedRun.objects.exists():
            break
        sleep(0.05)
    memory = JudgeMemory.objects.get(rollout=rollout)
    assert memory.upto == Run.objects.latest("pk").pk
    assert not JudgedRun.objects.exists()
    assert Judge.from_json(memory.judge).strands["negative"].counts == [18, 2]


def _complain(rollout: Rollout, run: Run) -> Feedback:
    return Feedback.objects.create(
        agent=rollout.document.agent,
        external_id=f"no-{run.external_id}",
        digest=run.digest,
        source=run.source,
        at=run.at,
        run_id=run.external_id,
        rating=Feedback.Rating.NEGATIVE,
    )


def test_runs_that_are_none_of_its_business_are_left_out(rollout: Rollout) -> None:
    one, other, early, unitless, elsewhere, away = report_runs(rollout, candidate=[True] * 3, current=[True] * 3)
    Run.objects.filter(pk=other.pk).update(version=7)
    Run.objects.filter(pk=early.pk).update(at=rollout.split.started_at - timedelta(hours=1))
    Run.objects.filter(pk=unitless.pk).update(unit_hash=None)
    Run.objects.filter(pk=elsewhere.pk).update(document="another")
    Run.objects.filter(pk=away.pk).update(excluded_at=timezone.now())
    assert feed(rollout.pk) == 1
    assert JudgedRun.objects.get().run == one.pk


def test_what_an_ended_rollout_needs_no_more_is_forgotten(rollout: Rollout, mara: User) -> None:
    report_runs(rollout, candidate=[True] * 10, current=[True] * 90)
    feed(rollout.pk)
    steering.stop(rollout.pk, user=mara, reason="Enough.")
    feeding.tidy()
    assert not JudgedRun.objects.exists()
    assert not JudgedUnit.objects.exists()
    assert feed(rollout.pk) == 0
