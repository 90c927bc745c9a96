"""A rollout from the approval to its end: what is served, what the judge does, and what people do."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from agents import freezing, serving
from agents.models import Agent, Document, Release, Split
from agents.versions import create_document
from audit.record import SYSTEM
from feedback.actions.mining import mine
from feedback.models import Feedback, Pattern, Run
from people.models import User
from proposals.actions import steering, watching
from proposals.actions.bypass import bypass
from proposals.actions.decisions import approve
from proposals.actions.drafting import draft, known_already
from proposals.actions.feeding import GRACE
from proposals.actions.rollbacks import roll_back
from proposals.actions.rollouts import BY_ITSELF, State, end, lock
from proposals.actions.watching import watch
from proposals.exceptions import Blocked, NotAllowed
from proposals.models import Proposal, Rollout, RolloutVerdict
from proposals.rules.plans import BUILT_IN, Plan, Step
from proposals.status.undone import undone
from tests.cast import digest_of, propose
from tests.rollouts import QUICKLY, age, canary, fresh, good, report_runs, share_of, start, to_the_gate, verbs

pytestmark = pytest.mark.django_db


@pytest.fixture
def rollout(prompt: Document, aiko: User, mara: User) -> Rollout:
    return canary(prompt, aiko, mara)


def test_without_a_plan_approving_releases_at_once(pending: Proposal, mara: User) -> None:
    assert BUILT_IN.start == "at_once"
    approve(pending.pk, user=mara, digest=digest_of(pending))
    pending.refresh_from_db()
    assert pending.document.current == pending.published
    assert not Rollout.objects.exists()


def test_a_canary_serves_the_candidate_to_some_and_leaves_the_current_version_current(
    rollout: Rollout, prompt: Document
) -> None:
    prompt.refresh_from_db()
    assert (prompt.current, rollout.candidate.number, rollout.share) == (rollout.baseline, 2, 10)
    assert Release.objects.filter(version=rollout.candidate).count() == 0
    served = [serving.serve(prompt.agent_id, prompt.slug, f"unit {n}") for n in range(300)]
    versions = {one.version_id for one in served if one and one.arm and one.arm.is_candidate}
    assert versions == {rollout.candidate.pk}
    assert 10 < sum(one is not None and one.version_id == rollout.candidate.pk for one in served) < 60
    assert verbs(rollout) == ["started"]


def test_without_a_unit_everybody_gets_the_current_version(rollout: Rollout, prompt: Document) -> None:
    for unit in (None, ""):
        served = serving.serve(prompt.agent_id, prompt.slug, unit)
        assert served
        assert (served.version_id, str(served.arm)) == (rollout.baseline.pk, "current")


def test_a_good_candidate_climbs_to_the_gate_and_no_further(rollout: Rollout, mara: User) -> None:
    waiting = to_the_gate(rollout)
    assert (waiting.share, waiting.step_index) == (50, 2)
    assert verbs(rollout) == ["started", "stepped", "stepped", "gate_reached"]
    for _ in range(3):
        good(rollout)
        watch(rollout.pk)
    assert fresh(rollout).state == State.WAITING
    assert fresh(rollout).document.current_id == rollout.baseline.pk


def test_a_person_promotes_it(rollout: Rollout, mara: User, prompt: Document) -> None:
    waiting = to_the_gate(rollout)
    steering.promote(rollout.pk, user=mara, epoch=waiting.epoch)
    prompt.refresh_from_db()
    assert prompt.current == rollout.candidate
    assert fresh(rollout).state == State.PROMOTED
    assert fresh(rollout).ended_by == mara
    assert Release.objects.filter(version=rollout.candidate).count() == 1
    assert not Split.objects.live().exists()
    served = serving.serve(prompt.agent_id, prompt.slug, "anybody")
    assert served
    assert (served.version_id, served.arm) == (rollout.candidate.pk, None)


def test_the_automatic_actor_cannot_promote(rollout: Rollout) -> None:
    with transaction.atomic(), pytest.raises(NotAllowed, match="Only a person"):
        end(lock(rollout.pk, by=None), State.PROMOTED, BY_ITSELF, "")
    with transaction.atomic(), pytest.raises(IntegrityError, match="rollout_promoted_by_a_person"):
        Rollout.objects.filter(pk=rollout.pk).update(state=State.PROMOTED, epoch=9, ended_at=timezone.now())
    with transaction.atomic(), pytest.raises(IntegrityError, match="split_share_below_majority"):
        Split.objects.update(share=51)
    assert fresh(rollout).state == State.RUNNING


def test_a_worse_candidate_is_taken_back_and_never_was_current(rollout: Rollout, prompt: Document) -> None:
    report_runs(rollout, candidate=[False] * 60, current=[True] * 540)
    watch(rollout.pk)
    gone = fresh(rollout)
    assert (gone.state, gone.ended_by) == (State.ROLLED_BACK, None)
    assert gone.reason.startswith("Worse: success rate 0.0")
    assert verbs(rollout) == ["started", "rolled_back"]
    assert RolloutVerdict.objects.filter(rollout=rollout, kind="worse", rule="evidence").count() == 1
    assert [one.number for one in prompt.versions.order_by("number")] == [1, 2]
    assert Release.objects.filter(document=prompt).count() == 1
    served = serving.serve(prompt.agent_id, prompt.slug, "anybody")
    assert served
    assert (served.version_id, served.arm) == (rollout.baseline.pk, None)


def test_it_is_taken_back_at_the_gate_too(rollout: Rollout) -> None:
    to_the_gate(rollout)
    report_runs(rollout, candidate=[False] * 300, current=[True] * 300, prefix="bad")
    watch(rollout.pk)
    assert fresh(rollout).state == State.ROLLED_BACK


def test_the_share_grows_no_sooner_than_the_plan_says(prompt: Document, aiko: User, mara: User) -> None:
    slow = Plan(steps=(Step(10, 50, 2.0), Step(30, 1, 0)), start="canary", margin=20)
    rollout = canary(prompt, aiko, mara, plan=slow)
    good(rollout, 450)
    watch(rollout.pk)
    age(rollout, timedelta(hours=3))
    watch(rollout.pk)
    assert fresh(rollout).share == 10
    good(rollout, 900)
    watch(rollout.pk)
    assert fresh(rollout).share == 30


def test_the_next_step_counts_anew(prompt: Document, aiko: User, mara: User) -> None:
    rollout = canary(prompt, aiko, mara, plan=Plan(steps=(Step(10, 40, 0), Step(30, 40, 0)), margin=20))
    good(rollout, 1500)
    watch(rollout.pk)
    watch(rollout.pk)
    assert fresh(rollout).share == 30
    assert fresh(rollout).state == State.RUNNING
    good(rollout, 200)
    watch(rollout.pk)
    assert fresh(rollout).state == State.WAITING


@pytest.mark.parametrize(
    ("policy", "state", "asks"),
    [("hold", "running", ""), ("warn", "running", "slow"), ("ask", "running", "unclear"), ("give_up", "given_up", "")],
)
def test_without_a_clear_verdict_the_plan_says_what_to_do(
    prompt: Document, aiko: User, mara: User, policy: str, state: str, asks: str
) -> None:
    plan = Plan.from_json({**QUICKLY.to_json(), "inconclusive": policy, "patience_days": 2})
    rollout = canary(prompt, aiko, mara, plan=plan)
    report_runs(rollout, candidate=[True] * 3, current=[True] * 27)
    watch(rollout.pk)
    assert (fresh(rollout).state, fresh(rollout).asks) == ("running", "")
    age(rollout, timedelta(days=3))
    watch(rollout.pk)
    assert (fresh(rollout).state, fresh(rollout).asks) == (state, asks)
    assert fresh(rollout).is_waiting == (policy == "ask")
    steps = len(verbs(rollout))
    watch(rollout.pk)
    assert len(verbs(rollout)) == steps


def test_a_silent_candidate_asks_for_a_person(rollout: Rollout) -> None:
    good(rollout, 200)
    watch(rollout.pk)
    report_runs(rollout, candidate=[], current=[True] * 400, prefix="silent")
    watch(rollout.pk)
    assert fresh(rollout).asks == "silence"
    assert fresh(rollout).is_waiting
    assert Rollout.objects.waiting().count() == 1


def test_units_in_wrong_proportions_ask_for_a_person(rollout: Rollout) -> None:
    report_runs(rollout, candidate=[True] * 120, current=[True] * 180)
    Run.objects.update(received_at=timezone.now() + GRACE)
    watch(rollout.pk)
    assert fresh(rollout).asks == "mismatch"
    assert fresh(rollout).share == 10


def test_units_served_before_a_change_of_the_share_and_heard_of_after_it_are_no_mismatch(
    rollout: Rollout, aiko: User
) -> None:
    report_runs(rollout, candidate=[], current=[True] * 300, prefix="before the start")
    watch(rollout.pk)
    steering.set_share(rollout.pk, user=aiko, epoch=fresh(rollout).epoch, share=30)
    candidate, current = share_of(120, 0.1)
    report_runs(rollout, candidate=candidate, current=current, prefix="before the change")
    watch(rollout.pk)
    candidate, current = share_of(300, 0.3)
    Run.objects.filter(pk__in=[run.pk for run in report_runs(rollout, candidate=candidate, current=current)]).update(
        received_at=timezone.now() + GRACE
    )
    watch(rollout.pk)
    assert not fresh(rollout).asks


def test_only_one_change_of_a_document_is_rolled_out_at_a_time(rollout: Rollout, prompt: Document, mara: User,
                                                               aiko: User, ada: User) -> None:  # fmt: skip
    other = propose(prompt, aiko, old="Never", new="Do not ever")
    for how in ("canary", "at_once"):
        with pytest.raises(Blocked, match="A rollout of version 2 is running, at 10\u00a0%"):
            approve(other.pk, user=mara, digest=digest_of(other), start=how)
    with pytest.raises(Blocked, match="A rollout of version 2"):
        bypass(other.pk, user=ada, digest=digest_of(other), reason="It cannot wait any longer.", number=other.pk)
    other.refresh_from_db()
    assert other.status == Proposal.Status.PENDING
    steering.stop(rollout.pk, user=aiko, reason="The other one first.")
    assert start(other, mara).candidate.number == 3


def test_what_waits_behind_follows_a_promotion(
    rollout: Rollout, prompt: Document, mara: User, aiko: User, django_capture_on_commit_callbacks: object
) -> None:
    other = propose(prompt, aiko, old="Never", new="Do not ever")
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        steering.promote(rollout.pk, user=mara, epoch=0)
    other.refresh_from_db()
    assert other.base_version == rollout.candidate


def test_the_pattern_is_watched_and_opens_again_when_its_candidate_fails(
    complaints: list[Feedback], mara: User, support: Agent
) -> None:
    mine(complaints[0].agent)
    pattern = Pattern.objects.shown().get()
    proposal = draft(pattern.pk)
    assert isinstance(proposal, Proposal)
    rollout = start(proposal, mara)
    pattern.refresh_from_db()
    assert pattern.status == Pattern.Status.WATCHING
    steering.roll_back(rollout.pk, user=mara, reason="Worse.")
    pattern.refresh_from_db()
    assert (pattern.status, pattern.answered_by) == (Pattern.Status.OPEN, None)
    proposal.refresh_from_db()
    assert proposal.status == Proposal.Status.APPROVED
    assert undone([proposal]) == {}


def test_what_failed_as_a_canary_is_not_drafted_again_from_what_was_reported_meanwhile(
    complaints: list[Feedback], mara: User
) -> None:
    mine(complaints[0].agent)
    pattern = Pattern.objects.shown().get()
    proposal = draft(pattern.pk)
    assert isinstance(proposal, Proposal)
    rollout = start(proposal, mara)
    pattern.evidence.update(at=timezone.now())
    steering.roll_back(rollout.pk, user=mara, reason="Worse.")
    said = draft(pattern.pk)
    assert isinstance(said, str)
    assert said.startswith(f"Proposal {proposal.pk} failed as a canary (rolled back); 0 of ")
    mark = Document.objects.get(pk=proposal.document_id)
    other = Pattern.objects.create(agent=pattern.agent, kind=pattern.kind, label="The same")
    assert "said the same and failed as a canary" in known_already(other, mark, proposal.fingerprint)
    pattern.evidence.update(at=timezone.now())
    assert isinstance(draft(pattern.pk), Proposal)


def test_what_another_version_answers_stays_answered(
    rollout: Rollout, prompt: Document, support: Agent, aiko: User, mara: User
) -> None:
    pattern = Pattern.objects.create(agent=support, kind="complaint", label="Refunds")
    tone = create_document(support, "tone", text="# Tone\n\nBe short within 30 days.\n", actor=SYSTEM)
    Proposal.objects.filter(pk=rollout.proposal_id).update(pattern=pattern)
    other = propose(tone, aiko)
    Proposal.objects.filter(pk=other.pk).update(pattern=pattern)
    approve(other.pk, user=mara, digest=digest_of(other), start="at_once")
    steering.stop(rollout.pk, user=mara, reason="Not today.")
    pattern.refresh_from_db()
    assert pattern.status == Pattern.Status.WATCHING
    later = propose(prompt, aiko)
    approve(later.pk, user=mara, digest=digest_of(later), start="at_once")
    roll_back(prompt.pk, user=mara, to_number=1, current_number=3, reason="All of it was wrong.")
    pattern.refresh_from_db()
    assert pattern.status == Pattern.Status.WATCHING
    roll_back(tone.pk, user=mara, to_number=1, current_number=2, reason="This too.")
    pattern.refresh_from_db()
    assert pattern.status == Pattern.Status.OPEN


def test_frozen_nothing_steps_and_what_is_worse_is_still_taken_back(rollout: Rollout, aiko: User) -> None:
    freezing.freeze(user=aiko, reason="Strange numbers everywhere.")
    good(rollout, 900)
    watch(rollout.pk)
    assert fresh(rollout).share == 10
    freezing.thaw(user=aiko)
    watch(rollout.pk)
    assert fresh(rollout).share == 30
    freezing.freeze(user=aiko, reason="Again.")
    report_runs(rollout, candidate=[False] * 150, current=[True] * 300, prefix="bad")
    watch(rollout.pk)
    assert fresh(rollout).state == State.ROLLED_BACK


def test_quick_rules_can_be_chosen(prompt: Document, aiko: User, mara: User) -> None:
    plan = Plan.from_json({**QUICKLY.to_json(), "rules": "quick"})
    rollout = canary(prompt, aiko, mara, plan=plan)
    report_runs(rollout, candidate=[True] * 12 + [False] * 5, current=[True] * 150)
    watching.watch(rollout.pk)
    assert fresh(rollout).state == State.ROLLED_BACK
    assert "quick rule" in fresh(rollout).reason


def test_what_has_ended_stays_as_it_ended(rollout: Rollout, mara: User) -> None:
    steering.stop(rollout.pk, user=mara, reason="Not today.")
    with transaction.atomic(), pytest.raises(IntegrityError, match="has ended"):
        Rollout.objects.filter(pk=rollout.pk).update(state=State.RUNNING, ended_at=None)
