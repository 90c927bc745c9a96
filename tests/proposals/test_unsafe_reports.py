"""The guardrail: a candidate that is called unsafe more often than the current version is taken back for that."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents import keys
from agents.models import ApiKey, Document
from audit.models import AuditEntry
from audit.record import SYSTEM
from feedback.models import Feedback, Run
from feedback.severity import SAFETY
from notices.models import Notice
from people.models import User
from proposals.actions.feeding import feed
from proposals.actions.rollouts import State
from proposals.actions.watching import watch
from proposals.judging import Judge, Scenario, Settings, Verdict, sentence
from proposals.judging.simulation import made_up, play
from proposals.models import JudgedRun, JudgeMemory, Rollout
from tests.rollouts import QUICKLY, canary, fresh, report_runs

LONG_AGO = timedelta(hours=2)
ALONE = Settings(alpha=0.001, portions={"unsafe": 1.0}, margins={"unsafe": 0.01}, needed=("unsafe",))


def verdict(runs: int = 2000, seed: int = 1, rules: Settings | None = None, **scenario: Any) -> Verdict:
    judge = Judge(rules)
    judge.observe(made_up(Scenario(**{"current": 0.9, "candidate": 0.9} | scenario), runs, np.random.default_rng(seed)))
    return judge.verdict()


@pytest.mark.parametrize(("share", "most"), [(0.5, 320), (0.2, 170), (0.05, 90)])
def test_a_surge_of_unsafe_reports_is_found_while_all_else_gets_better(share: float, most: int) -> None:
    scenario = Scenario(0.9, 0.97, share, candidate_negative=0.02, candidate_unsafe=0.05)
    found = [play(made_up(scenario, 6000, rng)) for rng in np.random.default_rng(5).spawn(31)]
    assert {judge.verdict().metric for judge in found} == {"unsafe"}
    assert np.median([judge.rolled_back_at or 6000 for judge in found]) <= most


def test_noise_in_unsafe_reports_takes_back_fewer_than_one_candidate_of_a_thousand() -> None:
    """Of 2 000 rollouts at most 5: were the rate 1 in 1 000, more would come up with a chance of 2 %."""
    scenarios = [
        Scenario(0.9, 0.9, share, unsafe=rate, candidate_unsafe=rate)
        for rate in (0.002, 0.02, 0.2)
        for share in (0.5, 0.2, 0.05)
    ]
    undone = 0
    for number, rng in enumerate(np.random.default_rng(11).spawn(2000)):
        judge = Judge(ALONE)
        judge.observe(made_up(scenarios[number % len(scenarios)], 1000, rng))
        undone += judge.rolled_back_at is not None
    assert undone <= 5


def test_no_worse_takes_showing_it_within_a_point() -> None:
    early, enough = verdict(800), verdict(6000)
    assert early.finding("unsafe").standing == "inconclusive"
    assert (enough.kind, enough.finding("unsafe").standing) == ("no_worse", "no_worse")
    assert ", unsafe reports 0." in sentence(enough)
    assert sentence(enough).endswith(" points higher at worst.")


def test_where_thumbs_fall_too_the_unsafe_reports_are_the_reason() -> None:
    judge = Judge()
    batch = made_up(Scenario(0.9, 0.9), 1000, np.random.default_rng(1))
    batch.values["unsafe"][batch.candidate] = batch.values["negative"][batch.candidate] = 1.0
    judge.observe(batch)
    assert {one.metric for one in judge.verdict().findings if one.standing == "worse"} == {"negative", "unsafe"}
    assert sentence(judge.verdict()).startswith(
        "Worse: unsafe reports 100.0\u00a0%, against 0.0\u00a0% with the current"
    )


def test_quick_rules_heed_them_too() -> None:
    steady: dict[str, Any] = {"current": 1.0, "candidate": 1.0, "latency_spread": 0.0, "rules": Settings(rules="quick")}
    found = verdict(candidate_unsafe=0.1, **steady)
    assert (found.kind, found.rule, found.metric, found.broken) == ("worse", "evidence", "unsafe", None)
    assert verdict(candidate_negative=0.3, **steady).kind != "worse"


def test_a_rollout_that_began_without_the_guardrail_is_judged_by_what_it_began_with() -> None:
    kept = Judge().to_json()
    four = {"success": 0.5, "latency": 0.2, "negative": 0.2, "quality": 0.1}
    kept["settings"] |= {"portions": four, "needed": ["success", "latency", "negative"]}
    for part in (kept["settings"]["margins"], kept["strands"]):
        del part["unsafe"]
    judge = Judge.from_json(json.loads(json.dumps(kept)))
    judge.observe(made_up(Scenario(0.9, 0.9, candidate_unsafe=0.5), 2000, np.random.default_rng(1)))
    assert judge.verdict().kind == "inconclusive"
    assert [one.metric for one in judge.verdict().findings] == list(four)


def test_what_severity_calls_critical_is_about_safety() -> None:
    assert {"unsafe"} == SAFETY


@pytest.fixture
def rollout(prompt: Document, aiko: User, mara: User) -> Rollout:
    return canary(prompt, aiko, mara)


def tell(rollout: Rollout, runs: Iterable[Run], **said: str) -> list[str]:
    """Feedback on these runs, as agents report it; the ids it was stored under."""
    _, token = keys.create(rollout.document.agent, [ApiKey.Scope.INGEST], owner=User.objects.get(username="mara"),
                           actor=SYSTEM)  # fmt: skip
    body = [{"id": f"on-{run.external_id}", "run_id": run.external_id, "user": run.external_id} | said for run in runs]
    headers = {"Authorization": f"Bearer {token}"}
    answer = Client().post("/api/v1/feedback", json.dumps(body), "application/json", headers=headers)
    assert answer.json()["accepted"] == len(body)
    return [one["id"] for one in body]


def an_hour_later() -> None:
    """Everything was received so long ago that what people say of it is known."""
    was = timezone.now() - LONG_AGO
    for rows in (JudgedRun, Run, Feedback):
        rows.objects.update(received_at=was)


def unsafe_counts(rollout: Rollout) -> tuple[float, float]:
    """(current, candidate)."""
    current, candidate = Judge.from_json(JudgeMemory.objects.get(rollout=rollout).judge).strands["unsafe"].sums
    return current, candidate


@pytest.mark.django_db
def test_a_canary_that_people_call_unsafe_is_taken_back_by_itself_with_that_as_the_reason(
    client: Client, rollout: Rollout, mara: User
) -> None:
    runs = report_runs(rollout, candidate=[True] * 40, current=[True] * 360)
    feed(rollout.pk)
    mine = [run for run in runs if run.version == 2]
    tell(rollout, mine[::4], reason_code="unsafe", reason="It told me somebody else's address.")
    watch(rollout.pk)
    assert fresh(rollout).state == State.RUNNING
    an_hour_later()
    watch(rollout.pk)
    gone = fresh(rollout)
    said = "Worse: unsafe reports 25.0\u00a0%, against 0.0\u00a0% with the current version."
    assert (gone.state, gone.ended_by, gone.reason.startswith(said)) == (State.ROLLED_BACK, None, True)
    assert AuditEntry.objects.get(verb="rollout.rolled_back").fact["after"]["reason"].startswith(said)
    assert said in Notice.objects.get(kind=Notice.Kind.TAKEN_BACK).text
    client.force_login(mara)
    for address in (reverse("rollout", args=[gone.pk]), reverse("story", args=[gone.candidate.pk])):
        shown = client.get(address).text
        assert said in shown
        assert "25.0\u00a0% against 0.0\u00a0%, a difference between" in shown


@pytest.mark.django_db
def test_what_was_unsafe_before_as_well_takes_nothing_back(rollout: Rollout) -> None:
    runs = report_runs(rollout, candidate=[True] * 40, current=[True] * 360)
    tell(rollout, runs[::4], reason_code="unsafe")
    feed(rollout.pk)
    an_hour_later()
    watch(rollout.pk)
    assert fresh(rollout).state == State.RUNNING
    assert sum(unsafe_counts(rollout)) == 100


@pytest.mark.django_db
def test_praise_other_reasons_and_what_was_taken_out_are_not_unsafe(rollout: Rollout) -> None:
    runs = [run for run in report_runs(rollout, candidate=[True] * 40, current=[True] * 360) if run.version == 2]
    tell(rollout, runs[:10], reason_code="unsafe", rating="positive")
    tell(rollout, runs[10:20], reason_code="wrong")
    withdrawn, excluded = (
        tell(rollout, runs[20:30], reason_code="unsafe"),
        tell(rollout, runs[30:], reason_code="unsafe"),
    )
    Feedback.objects.filter(external_id__in=withdrawn).update(withdrawn_at=timezone.now())
    Feedback.objects.filter(external_id__in=excluded).update(excluded_at=timezone.now())
    feed(rollout.pk)
    an_hour_later()
    watch(rollout.pk)
    assert unsafe_counts(rollout) == (0, 0)
    assert fresh(rollout).state == State.RUNNING


@pytest.mark.django_db
def test_the_plan_says_how_much_more_is_borne(prompt: Document, aiko: User, mara: User) -> None:
    assert QUICKLY.judge.margins["unsafe"] == 0.2
    kept = JudgeMemory.objects.get(rollout=canary(prompt, aiko, mara))
    assert Judge.from_json(kept.judge).settings.margins["unsafe"] == 0.2
