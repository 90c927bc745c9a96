"""The demo agent, speaking REST to the board in this process: three rollouts from proposal to end."""

import json
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents import keys
from agents.models import ApiKey
from audit.record import SYSTEM
from feedback.models import Feedback, Run
from notices.models import Notice
from people.models import User
from people.signin import first_admin
from proposals.actions.decisions import approve
from proposals.actions.watching import watch
from proposals.models import JudgedRun, Proposal, Rollout, RolloutPlan
from proposals.rules.plans import Plan, Step
from reviewapp.demo import setting
from reviewapp.demo.agent import DemoAgent
from reviewapp.demo.behaviour import SCENARIOS
from tests.cast import digest_of
from tests.rollouts import age, fresh

pytestmark = pytest.mark.django_db
AT_ONCE = Plan(steps=(Step(25, 20, 0), Step(50, 20, 0)), start="canary", margin=20, patience_days=1)
PATIENCE = timedelta(days=1)


def started(behaviour: str, reviewer: User) -> DemoAgent:
    """At work on a change that was approved."""
    admin = first_admin()
    document = setting.prepare(behaviour, user=admin)
    RolloutPlan.objects.filter(document=document).update(plan=AT_ONCE.to_json())
    client = Client()
    scopes = [ApiKey.Scope.INGEST, ApiKey.Scope.READ, ApiKey.Scope.PROPOSE]
    _, key = keys.create(document.agent, scopes, owner=admin, actor=SYSTEM)
    token = {"Authorization": f"Bearer {key}"}

    def call(method: str, path: str, body: Any) -> tuple[int, Any]:
        raw = b"" if body is None else json.dumps(body).encode()
        answer: Any = client.generic(method, f"/api/v1{path}", raw, "application/json", headers=token)
        return answer.status_code, json.loads(answer.content)

    demo = DemoAgent(setting.SLUG, behaviour, SCENARIOS[behaviour], call, print, Random(3))
    demo.propose()
    demo.propose()
    proposal = Proposal.objects.get()
    assert demo.proposal == proposal.pk
    assert demo.look()
    approve(proposal.pk, user=reviewer, digest=digest_of(proposal))
    assert demo.look()
    return demo


def work(demo: DemoAgent, runs: int, until: str) -> Rollout:
    for _ in range(15):
        demo.work(runs)
        rollout = Rollout.objects.get()
        watch(rollout.pk)
        if until in (fresh(rollout).state, fresh(rollout).asks):
            return fresh(rollout)
    raise AssertionError(demo.in_words())


def test_a_good_change_climbs_waits_and_is_promoted_by_a_click(client: Client, mara: User) -> None:
    demo = started("better", mara)
    rollout = work(demo, 150, "waiting")
    assert demo.look()
    assert Notice.objects.get().kind == Notice.Kind.GATE
    client.force_login(mara)
    client.post(reverse("act_on_rollout", args=[rollout.pk]), {"act": "promote", "epoch": rollout.epoch})
    assert not demo.look()
    assert fresh(rollout).state == "promoted"
    demo.work(3)
    assert demo.done[2].runs > 20


def test_a_bad_one_is_gone_before_it_hurt(mara: User) -> None:
    demo = started("worse", mara)
    rollout = work(demo, 60, "rolled_back")
    assert not demo.look()
    assert rollout.ended_by is None
    assert demo.done[2].runs < 150
    assert Notice.objects.get().kind == Notice.Kind.TAKEN_BACK
    assert setting.PROMPT in str(demo.call("GET", "/agents/demo/instructions/worse", None)[1]["content"])


def test_one_that_is_called_unsafe_is_taken_back_for_that(mara: User) -> None:
    demo = started("unsafe", mara)
    often = replace(demo.scenario.candidate, unsafe=0.2)  # so that few runs are enough, whoever draws the candidate
    demo.scenario = replace(demo.scenario, candidate=often)
    demo.work(800)
    for _ in range(2):  # what people said is heard once its time is over
        watch(Rollout.objects.get().pk)
        for rows in (JudgedRun, Run, Feedback):
            rows.objects.update(received_at=timezone.now() - PATIENCE)
    rollout = fresh(Rollout.objects.get())
    assert not demo.look()
    assert (rollout.state, rollout.reason.startswith("Worse: unsafe reports ")) == ("rolled_back", True)


def test_a_quiet_one_stays_inconclusive_and_asks(mara: User) -> None:
    demo = started("quiet", mara)
    demo.work(12)
    age(Rollout.objects.for_page().get(), PATIENCE)
    rollout = work(demo, 2, "unclear")
    assert (rollout.state, rollout.share) == ("running", 25)
    assert demo.look()
    assert Notice.objects.get().kind == Notice.Kind.ASKS
