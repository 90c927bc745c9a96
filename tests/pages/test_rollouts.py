"""The pages of rollouts: what each state shows, what can be pressed, and what it does."""

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse

from agents.models import Agent, Document, Freeze
from people import fresh
from people.models import User
from proposals.actions import steering
from proposals.actions.decisions import approve
from proposals.actions.watching import watch
from proposals.checking.risk import Level
from proposals.models import Proposal, Rollout, RolloutPlan
from proposals.queue import waiting_for
from proposals.rollouts import links as rollout_links
from proposals.rules.plans import Plan
from tests.cast import digest_of, propose
from tests.rollouts import QUICKLY, canary, report_runs, share_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def rollout(prompt: Document, aiko: User, mara: User) -> Rollout:
    return canary(prompt, aiko, mara)


def page(client: Client, rollout: Rollout) -> str:
    response = client.get(reverse("rollout", args=[rollout.pk]))
    assert response.status_code == 200
    return response.text


def press(client: Client, rollout: Rollout, act: str, **typed: object) -> int:
    fields = {"act": act, "epoch": Rollout.objects.get(pk=rollout.pk).epoch, **typed}
    return client.post(reverse("act_on_rollout", args=[rollout.pk]), fields).status_code


def climb(rollout: Rollout) -> None:
    for number in range(12):
        share = Rollout.objects.for_page().get(pk=rollout.pk).share
        candidate, current = share_of(400, share / 100)
        report_runs(rollout, candidate=candidate, current=current, prefix=f"{number}-")
        watch(rollout.pk)


def test_a_new_rollout_says_what_it_waits_for(client: Client, rollout: Rollout, mara: User) -> None:
    client.force_login(mara)
    shown = page(client, rollout)
    assert "Version 2 is served to 10\u00a0% of the units, version 1 to the others." in shown
    assert "The judge has not looked yet" in shown
    assert "20 more runs of the candidate and a verdict of no worse" in shown
    assert 'aria-current="step"' in shown
    assert ">Promote</button>" in shown
    assert ">Stop rollout</button>" in shown
    assert ">Roll back</button>" in shown
    assert ">Set share</button>" not in shown


def test_a_judged_one_shows_both_arms_with_intervals(client: Client, rollout: Rollout, luis: User) -> None:
    for number in range(3):
        candidate, current = share_of(300, 0.1)
        report_runs(rollout, candidate=candidate, current=current, prefix=f"{number}-")
        watch(rollout.pk)
    client.force_login(luis)
    shown = page(client, rollout)
    assert "100.0\u00a0% against 100.0\u00a0%, a difference between" in shown
    assert '<path class="band"' in shown
    assert "an identical candidate is undone in at most 1" in shown
    assert ">Stop rollout<" not in shown
    assert ">Promote<" not in shown
    assert "Promoting needs the role reviewer, operator or admin." in shown


def test_the_gate_stands_at_the_top_of_the_queue_and_in_the_bar(client: Client, rollout: Rollout, mara: User) -> None:
    climb(rollout)
    client.force_login(mara)
    queue = client.get("/").text
    assert "Rollouts that ask for a person" in queue
    assert reverse("rollout", args=[rollout.pk]) in queue
    assert '<span>1</span><span class="sr"> ask for a person</span>' in queue
    shown = page(client, rollout)
    assert "waits at the gate, at 50\u00a0%" in shown
    assert "Your decision" in shown
    assert press(client, rollout, "promote") == 303
    assert "Rollouts that ask for a person" not in client.get("/").text
    assert "Mara Okafor promoted version 2; everybody got it." in page(client, rollout)


def test_stopping_without_a_reason_is_refused_at_the_field(client: Client, rollout: Rollout, mara: User) -> None:
    client.force_login(mara)
    assert press(client, rollout, "stop") == 422
    assert press(client, rollout, "roll_back", reason="Answers too long.") == 303
    shown = page(client, rollout)
    assert "took version 2 back; it never was current." in shown
    assert "Answers too long." in shown
    assert press(client, rollout, "stop", reason="Again.") == 409


def test_only_operators_see_and_set_the_share(client: Client, rollout: Rollout, aiko: User, mara: User) -> None:
    client.force_login(mara)
    assert press(client, rollout, "share", share=5) == 403
    client.force_login(aiko)
    assert press(client, rollout, "share") == 422
    assert press(client, rollout, "share", share=60) == 422
    assert press(client, rollout, "share", share=5) == 303
    assert "Somebody else has to promote it." in page(client, rollout)


def test_an_old_page_promotes_nothing(client: Client, rollout: Rollout, mara: User, aiko: User) -> None:
    steering.set_share(rollout.pk, user=aiko, epoch=0, share=20)
    client.force_login(mara)
    answer = client.post(reverse("act_on_rollout", args=[rollout.pk]), {"act": "promote", "epoch": 0})
    assert (answer.status_code, "it is at 20\u00a0%, running" in answer.text) == (409, True)


def test_the_proposal_the_document_and_the_version_say_where_it_stands(
    client: Client, rollout: Rollout, mara: User
) -> None:
    client.force_login(mara)
    address = reverse("rollout", args=[rollout.pk])
    where = [
        reverse("proposal", args=[rollout.proposal_id]),
        reverse("document", args=["support", "system-prompt"]),
        reverse("version", args=["support", "system-prompt", 2]),
    ]
    for place in where:
        shown = client.get(place).text
        assert address in shown, place
        assert "is served to 10\u00a0% of the units" in shown, place
    assert "Canary 10\u00a0%" in client.get("/?show=decided").text
    assert "propose the reverse" not in client.get(where[0]).text
    assert "roll-back/?to=2" not in client.get(where[2]).text
    steering.stop(rollout.pk, user=mara, reason="Not today.")
    assert "it never was current" in client.get(where[0]).text
    assert "Not today." in client.get(where[0]).text


def test_the_decision_form_offers_both_ways_and_says_what_each_does(
    client: Client, pending: Proposal, mara: User
) -> None:
    client.force_login(mara)
    shown = client.get(reverse("proposal", args=[pending.pk])).text
    assert "Start a canary (5\u00a0%, 25\u00a0%, 50\u00a0%, then ask, then 100\u00a0%)" in shown
    assert "Approve and start a 5\u00a0% canary: this text becomes version 2, for 5\u00a0% of the units" in shown
    assert 'value="at_once" checked' in shown
    assert ">Approve</button>" in shown
    sent = {"verdict": "approve", "digest": digest_of(pending), "start": "canary"}
    answer = client.post(reverse("decide", args=[pending.pk]), sent, follow=True)
    assert "Version 2 is served to 5\u00a0% of the units from now on." in answer.text
    assert Rollout.objects.get().share == 5


def test_a_canary_by_other_shares_keeps_to_what_the_plan_allows(client: Client, pending: Proposal, mara: User) -> None:
    client.force_login(mara)
    address = reverse("decide", args=[pending.pk])
    sent = {"verdict": "approve", "digest": digest_of(pending), "start": "own"}
    shown = client.get(reverse("proposal", args=[pending.pk])).text
    assert "The plan allows shares from 1 to 50\u00a0%, at most 25 points at once; then a person is asked." in shown
    for shares, said in [("", "Give whole numbers"), ("5, x", "Give whole numbers"), ("40", "more than 25 points"),
                         ("10, 60", "from 1 to 50"), ("10, 10", "larger than the one before")]:  # fmt: skip
        answer = client.post(address, sent | {"shares": shares})
        assert (answer.status_code, said in answer.text) == (422, True), shares
    assert f'value="{shares}"' in answer.text
    assert client.post(address, sent | {"shares": "2 %, 20"}).status_code == 303
    plan = Rollout.objects.get().plan
    assert [(step.share, step.least_runs) for step in plan.steps] == [(2, 30), (20, 60)]
    assert Rollout.objects.get().share == 2


@pytest.mark.parametrize("page_of", ["document", "version", "proposal"])
def test_any_page_that_shows_the_version_takes_it_back_at_once(
    client: Client, rollout: Rollout, mara: User, luis: User, page_of: str
) -> None:
    slugs = ["support", "system-prompt"]
    every: dict[str, list[object]] = {
        "document": [*slugs],
        "version": [*slugs, 2],
        "proposal": [rollout.proposal_id],
    }
    arguments = every[page_of]
    act = f'action="{reverse("act_on_rollout", args=[rollout.pk])}"'
    client.force_login(luis)
    assert act not in client.get(reverse(page_of, args=arguments)).text
    client.force_login(mara)
    shown = client.get(reverse(page_of, args=arguments)).text
    form = shown[shown.index(act) :].split("</form>")[0]
    assert all(f"{name}</button>" in form for name in ("Promote", "Stop rollout", "Roll back"))
    assert press(client, rollout, "roll_back", reason="Too long.") == 303
    assert act not in client.get(reverse(page_of, args=arguments)).text


def test_the_page_of_its_agent_lists_it(client: Client, rollout: Rollout, luis: User) -> None:
    client.force_login(luis)
    assert reverse("rollout", args=[rollout.pk]) in client.get(reverse("agent", args=["support"])).text


def test_runs_without_a_unit_are_told_and_asked_about_when_they_are_most(
    client: Client, rollout: Rollout, luis: User
) -> None:
    report_runs(rollout, candidate=[True] * 4, current=[True] * 40)
    watch(rollout.pk)
    assert Rollout.objects.get().asks == ""
    for run in report_runs(rollout, candidate=[], current=[True] * 60, prefix="no unit "):
        run.unit_hash = None
        run.save()
    watch(rollout.pk)
    client.force_login(luis)
    shown = page(client, rollout)
    assert "60 of the newest 104 runs name no unit." in shown
    assert "so such runs get version 1" in shown
    assert Rollout.objects.get().asks == "unnamed"
    assert "Most runs name no unit" in client.get("/").text
    report_runs(rollout, candidate=[True] * 4, current=[True] * 40, prefix="more ")
    watch(rollout.pk)
    assert Rollout.objects.get().asks == ""
    assert "The judge misses most" not in page(client, rollout)


def test_where_the_plan_wants_a_canary_nothing_is_released_at_once(
    client: Client, pending: Proposal, mara: User
) -> None:
    strict = Plan.from_json({**QUICKLY.to_json(), "at_once_allowed": False})
    RolloutPlan.objects.create(plan=strict.to_json())
    client.force_login(mara)
    shown = client.get(reverse("proposal", args=[pending.pk])).text
    assert "Release at once" not in shown
    sent = {"verdict": "approve", "digest": digest_of(pending), "start": "at_once"}
    assert client.post(reverse("decide", args=[pending.pk]), sent).status_code == 422
    assert client.post(reverse("decide", args=[pending.pk]), sent | {"start": ""}).status_code == 303
    assert Rollout.objects.get().share == 10


@pytest.mark.parametrize("level", [Level.LOW, Level.HIGH])
def test_promoting_asks_for_the_proof_that_approving_does(
    client: Client, rollout: Rollout, mara: User, level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fresh, "WITHIN_S", 0)
    Proposal.objects.update(risk=level)
    client.force_login(mara)
    answer = client.post(reverse("act_on_rollout", args=[rollout.pk]), {"act": "promote", "epoch": 0})
    assert ("confirm" in answer["Location"]) is (level == Level.HIGH)


def test_while_one_runs_approving_another_is_greyed_with_what_to_do(
    client: Client, rollout: Rollout, prompt: Document, aiko: User, mara: User
) -> None:
    other = propose(prompt, aiko, old="Never", new="Do not ever")
    client.force_login(mara)
    shown = client.get(reverse("proposal", args=[other.pk])).text
    assert "A rollout of version 2 is running, at 10\u00a0%. Promote it or stop it first" in shown
    assert "data-default disabled>Approve" in shown
    sent = {"verdict": "approve", "digest": digest_of(other)}
    assert client.post(reverse("decide", args=[other.pk]), sent).status_code == 409


def test_a_signed_link_shows_how_it_does_and_nothing_to_press(client: Client, rollout: Rollout, mara: User) -> None:
    climb(rollout)
    path = rollout_links.gate_path(rollout.pk)
    shown = client.get(path)
    assert (shown.status_code, shown["Referrer-Policy"]) == (200, "no-referrer")
    assert "waits at the gate" in shown.text
    assert "<form" not in shown.text.split("<main")[1]
    assert client.get(path.replace(str(rollout.pk), "99", 1)).status_code == 404
    assert client.post(path).status_code == 405
    client.force_login(mara)
    assert client.get(path)["Location"] == reverse("rollout", args=[rollout.pk])


def test_an_old_link_shows_nothing(client: Client, rollout: Rollout, monkeypatch: pytest.MonkeyPatch) -> None:
    path = rollout_links.gate_path(rollout.pk)
    later = signing.time.time() + rollout_links.LINK_LIVES.total_seconds() + 1  # type: ignore[attr-defined]
    monkeypatch.setattr(signing.time, "time", lambda: later)  # type: ignore[attr-defined]
    assert client.get(path).status_code == 404


PLAN = {
    "document": "",
    "start": "canary",
    "steps": "5, 20\u00a0%, 40",
    "least_runs": "30",
    "hold_h": "1.25, 2, 4.5",
    "floor": "1",
    "ceiling": "50",
    "largest_step": "25",
    "inconclusive": "ask",
    "patience_days": "3",
    "rules": "sequential",
    "margin": "5",
    "unsafe_margin": "0.5",
    "runs_per_unit": "7",
}


def test_an_admin_sets_a_plan_and_takes_it_back(client: Client, ada: User, luis: User, prompt: Document) -> None:
    client.force_login(ada)
    address = reverse("rollout_plans")
    assert client.post(address, PLAN | {"document": prompt.pk}).status_code == 303
    kept = Plan.from_json(RolloutPlan.objects.get().plan)
    assert [(step.share, step.least_runs, step.hold_h) for step in kept.steps] == [
        (5, 30, 1.25),
        (20, 30, 2),
        (40, 30, 4.5),
    ]
    assert (kept.start, kept.at_once_allowed) == ("canary", False)
    assert (kept.judge.runs_per_unit, Plan().judge.runs_per_unit) == (7, 20)
    assert (kept.judge.margins["unsafe"], Plan().judge.margins["unsafe"]) == (0.005, 0.01)
    assert "5\u00a0%, 20\u00a0%, 40\u00a0%, then ask, then 100\u00a0%" in client.get(address).text
    edit = client.get(f"{address}?plan={RolloutPlan.objects.get().pk}").text
    assert 'value="5, 20, 40"' in edit
    assert client.post(reverse("remove_rollout_plan", args=[RolloutPlan.objects.get().pk])).status_code == 303
    assert not RolloutPlan.objects.exists()
    client.force_login(luis)
    assert client.post(address, PLAN).status_code == 403


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("steps", "5, x", "whole numbers"),
        ("steps", "25, 5", "larger than the one before"),
        ("steps", "5, 60", "from 1 to 50\u00a0%"),
        ("steps", "5, 50", "more than 25 points at once"),
        ("least_runs", "1, 2", "one for each share"),
        ("hold_h", "-1", "0 to"),
        ("hold_h", "1", "hold each share for at least 1.09 hours"),
        ("start", "at_once", "cannot be what is not allowed"),
        ("ceiling", "80", "a person promotes to more"),
        ("margin", "nan", "number"),
        ("unsafe_margin", "0", "0.1 to 50 points"),
        ("unsafe_margin", "", "unsafe reports that still count as no worse: give a number"),
        ("runs_per_unit", "0", "of each unit"),
        ("patience_days", "0", "a minute to 365"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_at_its_field(
    client: Client, ada: User, prompt: Document, field: str, value: str, says: str
) -> None:
    client.force_login(ada)
    answer = client.post(reverse("rollout_plans"), PLAN | {"hold_h": "2"} | {field: value})
    assert (answer.status_code, says in answer.text) == (422, True)
    assert not RolloutPlan.objects.exists()


def test_an_operator_freezes_everything_and_every_page_says_so(client: Client, aiko: User, mara: User) -> None:
    client.force_login(aiko)
    assert client.post(reverse("freeze"), {"act": "freeze"}).status_code == 422
    assert client.post(reverse("freeze"), {"act": "freeze", "reason": "Odd numbers."}).status_code == 303
    client.force_login(mara)
    for address in ("/", reverse("rollouts"), reverse("agents"), reverse("settings")):
        assert "<b>Frozen</b> by Aiko Tanaka: <q>Odd numbers.</q>" in client.get(address).text
    assert client.post(reverse("freeze"), {"act": "thaw"}).status_code == 403
    client.force_login(aiko)
    assert client.post(reverse("freeze"), {"act": "thaw"}).status_code == 303
    assert not Freeze.objects.filter(lifted_at=None).exists()
    assert client.post(reverse("freeze"), {"act": "thaw"}).status_code == 422


def test_the_list_shows_running_and_past_ones(client: Client, rollout: Rollout, prompt: Document, mara: User,
                                              aiko: User) -> None:  # fmt: skip
    steering.stop(rollout.pk, user=mara, reason="Not today.")
    other = propose(prompt, aiko, old="Never", new="Do not ever")
    approve(other.pk, user=mara, digest=digest_of(other), start="canary")
    client.force_login(mara)
    shown = client.get(reverse("rollouts")).text
    assert shown.index("Version 3 is served to 10\u00a0%") < shown.index("stopped the rollout of version 2")


def test_while_one_runs_other_changes_of_its_document_are_nobodys_turn(
    client: Client, rollout: Rollout, prompt: Document, aiko: User, mara: User
) -> None:
    waits = propose(prompt, aiko, "You answer", "Answer")
    assert waits.pk not in waiting_for(mara)
    client.force_login(mara)
    assert "After the rollout" in client.get(reverse("proposal", args=[waits.pk])).text
    assert "After the rollout" in client.get(reverse("queue"), {"show": "open"}).text
    steering.stop(rollout.pk, user=mara, reason="It did not help.")
    assert waits.pk in waiting_for(mara)


def test_high_risk_is_tried_first_where_runs_tell_and_nobody_made_a_plan(
    client: Client, pending: Proposal, mara: User
) -> None:
    def usual() -> str:
        page = client.get(reverse("proposal", args=[pending.pk]))
        return next(start.name for start in page.context["beside"].starts if start.is_usual)

    client.force_login(mara)
    Proposal.objects.filter(pk=pending.pk).update(risk=Level.HIGH)
    assert usual() == "at_once"
    Agent.objects.filter(pk=pending.document.agent_id).update(runs_a_day=40)
    assert usual() == "canary"
    RolloutPlan.objects.create(document=pending.document, plan=Plan(margin=4).to_json())
    assert usual() == "at_once"
    RolloutPlan.objects.all().delete()
    Proposal.objects.filter(pk=pending.pk).update(risk=Level.MEDIUM)
    assert usual() == "at_once"
