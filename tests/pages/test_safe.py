"""What starts by itself: its rules on a page, and the marks it carries wherever it is shown."""

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Agent, Document
from audit.models import AuditEntry
from people import fresh
from people.models import User
from proposals.actions import steering
from proposals.actions.self_starts import Started, settle_all_undone, start_by_itself
from proposals.models import Proposal, SafeRules
from proposals.safe import Bounds, Category, Rules
from tests.cast import digest_of
from tests.rollouts import report_runs, watch
from tests.safe import RULES, draft, rollout_of, settings_of, status_of

pytestmark = pytest.mark.django_db
MARK = "Started by itself</span>"
ADDRESS = "/agents/support/settings/by-itself/"
TYPED = {
    "retry": "on",
    "retry_factor": "2",
    "retry_lowest": "1",
    "retry_highest": "60",
    "retry_keys": "timeout_s, retries",
    "threshold_factor": "1.25",
    "routing": "on",
    "routing_names": "fast, careful",
    "per_day": "1",
    "rest_h": "24",
}


@pytest.fixture
def config(support: Agent, ada: User) -> Document:
    return settings_of(support, ada)


@pytest.fixture
def started(config: Document) -> Proposal:
    made = draft(config)
    assert isinstance(start_by_itself(made.pk), Started)
    return made


def test_an_admin_turns_it_on_within_bounds_and_off_again(
    client: Client, config: Document, ada: User, luis: User, aiko: User
) -> None:
    client.force_login(ada)
    assert client.post(ADDRESS, TYPED).status_code == 303
    assert SafeRules.objects.get().rules == Rules(
        {
            Category.RETRY: Bounds(lowest=1, highest=60, keys=("timeout_s", "retries")),
            Category.ROUTING: Bounds(names=("fast", "careful")),
        }
    )
    shown = client.get(ADDRESS).text
    said = "etry (at most ×2, from 1, up to 60, only timeout_s, retries), routing (one of fast, careful); 1 a day"
    assert shown.count(said) == 2, "in the message, and in force"
    assert 'value="timeout_s, retries"' in shown
    assert client.post(ADDRESS, {"act": "remove"}).status_code == 303
    assert not SafeRules.objects.exists()
    assert "Nothing. Every change waits for a person." in client.get(ADDRESS).text
    for person in (luis, aiko):
        client.force_login(person)
        assert "Save the rules" not in client.get(ADDRESS).text
        assert client.post(ADDRESS, TYPED).status_code == 403
        assert client.post(ADDRESS, {"act": "remove"}).status_code == 403


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("retry_factor", "", "Give a number above 1"),
        ("retry_factor", "100", "at most 4"),
        ("retry_factor", "nan", "number"),
        ("retry_highest", "0.5", "above the lowest"),
        ("retry_keys", "timeout s!", "Write a key"),
        ("routing_names", "fast", "at least two names"),
        ("routing_names", "fast, say:anything", "letters, digits"),
        ("per_day", "0", "1 to 20"),
        ("rest_h", "0", "1 to"),
        ("rest_h", "", "required"),
    ],
)
def test_bounds_that_make_no_sense_are_refused_at_their_field(
    client: Client, config: Document, ada: User, field: str, value: str, says: str
) -> None:
    client.force_login(ada)
    answer = client.post(ADDRESS, TYPED | {field: value})
    assert (answer.status_code, says in answer.text) == (422, True)
    assert f'href="#id_{field}"' in answer.text
    assert SafeRules.objects.get().rules == RULES


def test_nothing_ticked_is_told(client: Client, config: Document, ada: User) -> None:
    client.force_login(ada)
    answer = client.post(ADDRESS, {"per_day": "1", "rest_h": "24"})
    assert (answer.status_code, "Choose at least one kind" in answer.text) == (422, True)


def test_it_takes_a_fresh_proof_and_keeps_what_was_typed(
    client: Client, config: Document, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(ada)
    monkeypatch.setattr(fresh, "WITHIN_S", 0)
    answer = client.post(ADDRESS, TYPED)
    assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert SafeRules.objects.get().rules == RULES
    assert 'value="timeout_s, retries"' in client.get(ADDRESS).text
    client.post(ADDRESS, {"act": "remove"})
    assert SafeRules.objects.exists()


def test_only_settings_have_such_a_page(client: Client, prompt: Document, config: Document, ada: User) -> None:
    client.force_login(ada)
    assert client.get("/agents/support/system-prompt/by-itself/").status_code == 404
    assert "What starts by itself" in client.get("/agents/support/settings/").text
    assert "What starts by itself" not in client.get("/agents/support/system-prompt/").text


def test_it_says_what_waits_and_why(client: Client, started: Proposal, config: Document, luis: User) -> None:
    draft(config, "greeting: Hello", "greeting: Hi")
    client.force_login(luis)
    shown = client.get(ADDRESS).text
    assert "Raise greeting: Hi</a> waits for a person." in shown
    assert "1 of 1 a day started by themselves for this agent" in shown
    assert "from 30 to 45" in shown
    assert "To be confirmed" in shown


@pytest.mark.usefixtures("sealed_at_once")
def test_it_is_marked_wherever_it_is_shown(client: Client, started: Proposal, mara: User) -> None:
    rollout = rollout_of(started)
    client.force_login(mara)
    for address in (
        "/",
        "/?show=effect",
        f"/proposals/{started.pk}/",
        f"/rollouts/{rollout.pk}/",
        "/agents/support/settings/versions/2/",
        f"/story/{rollout.candidate.pk}/",
        "/audit/",
    ):
        assert MARK in client.get(address).text, address
    assert "Proposal, not approved" in client.get("/agents/support/settings/versions/2/").text
    assert "Began by itself" in client.get("/rollouts/").text
    assert "By itself</span>" in client.get("/agents/support/settings/").text
    proposal = client.get(f"/proposals/{started.pk}/").text
    assert "To be confirmed" in proposal
    assert "Confirm start" in proposal
    assert "started a canary of this by itself" in proposal
    assert "retry (at most ×2)" in proposal
    assert "Approving confirms version 2, which 10\u00a0% of the units get." in proposal
    assert "Rejecting stops the rollout at once: everybody gets version 1 again." in proposal
    page = client.get(f"/rollouts/{rollout.pk}/").text
    assert ">Promote</button>" not in page
    assert f"approve proposal {started.pk} first." in page
    assert "by itself</span>" in page


def test_it_is_confirmed_with_a_click_and_then_promoted(
    client: Client, started: Proposal, mara: User, jonas: User
) -> None:
    client.force_login(mara)
    decided = client.post(f"/proposals/{started.pk}/decide/", {"digest": digest_of(started), "verdict": "approve"})
    assert decided.status_code == 303
    assert (
        "Confirmed. Version 2 goes on by its plan, at 10\u00a0% of the units." in client.get(decided["Location"]).text
    )
    rollout = rollout_of(started)
    client.force_login(jonas)
    assert ">Promote</button>" in client.get(f"/rollouts/{rollout.pk}/").text
    press = {"act": "promote", "epoch": rollout.epoch}
    assert client.post(f"/rollouts/{rollout.pk}/act/", press).status_code == 303
    assert MARK in client.get("/agents/support/settings/versions/2/").text
    assert MARK in client.get("/agents/support/settings/").text, "in what was current when"


def test_it_is_undone_with_a_click(client: Client, started: Proposal, mara: User) -> None:
    client.force_login(mara)
    word = {"digest": digest_of(started), "verdict": "reject", "reason": "wrong_fix", "note": "It is the network."}
    answer = client.post(f"/proposals/{started.pk}/decide/", word)
    assert answer.status_code == 303
    shown = client.get(answer["Location"]).text
    assert "Rejected, and taken from everybody again." in shown
    assert '<span class="pill bad">Rejected</span>' in shown
    assert rollout_of(started).state == "stopped"


def test_what_the_judge_took_back_can_only_be_closed(client: Client, started: Proposal, mara: User) -> None:
    rollout = rollout_of(started)
    report_runs(rollout, candidate=[False] * 60, current=[True] * 540)
    watch(rollout.pk)
    client.force_login(mara)
    shown = client.get(f"/proposals/{started.pk}/").text
    assert "Its canary was rolled back. Reject it, with a reason, to close it." in shown
    assert f'href="/rollouts/{rollout.pk}/">Look at the rollout' in shown
    answer = client.post(f"/proposals/{started.pk}/decide/", {"digest": digest_of(started), "verdict": "approve"})
    assert answer.status_code == 409
    assert "nothing is left to be confirmed" in answer.text


@pytest.mark.usefixtures("sealed_at_once")
def test_what_a_person_stopped_leaves_the_queue(client: Client, started: Proposal, mara: User) -> None:
    steering.stop(rollout_of(started).pk, user=mara, reason="Too slow.")
    settle_all_undone()
    client.force_login(mara)
    assert status_of(started) == "withdrawn"
    assert "Nothing waits for you" in client.get("/").text
    shown = client.get(f"/proposals/{started.pk}/").text
    assert "took it back, which had started by itself" in shown
    assert "Too slow." in client.get(f"/audit/?proposal={started.pk}").text


@pytest.mark.usefixtures("sealed_at_once")
def test_the_log_tells_the_rules_before_and_after(client: Client, config: Document, ada: User) -> None:
    client.force_login(ada)
    plain = {"retry": "on", "retry_factor": "2", "per_day": "1", "rest_h": "24"}
    client.post(ADDRESS, plain | {"retry_factor": "3"})
    client.post(ADDRESS, plain | {"per_day": "3"})
    client.post(ADDRESS, {"act": "remove"})
    shown = client.get("/audit/?agent=support").text
    assert "3 a day, 24 h of rest after a rollback" in shown
    assert "in place of retry (at most ×3); 1 a day" in shown
    assert "it was retry (at most ×2); 3 a day" in shown
    assert AuditEntry.objects.filter(verb="safe_rules.set").count() == 3


def test_frozen_rules_say_so(client: Client, config: Document, aiko: User) -> None:
    client.force_login(aiko)
    client.post(reverse("freeze"), {"act": "freeze", "reason": "Odd numbers."})
    assert "Everything is frozen, so nothing starts now." in client.get(ADDRESS).text
