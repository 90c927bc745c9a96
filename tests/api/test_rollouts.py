"""Rollouts over REST: what is served to whom, what can be read, and the little that a key can do."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from agents.models import Agent, Document
from agents.serving import gets_candidate
from audit.models import AuditEntry
from people.models import User
from proposals.actions import steering
from proposals.actions.self_starts import Started, start_by_itself
from proposals.actions.watching import watch
from proposals.models import Rollout
from tests.api.conftest import Caller, MakeCaller
from tests.cast import PROMPT
from tests.rollouts import canary, report_runs
from tests.safe import draft, settings_of

INSTRUCTIONS = "/agents/support/instructions/system-prompt"
VERSIONS = "/agents/support/documents/system-prompt/versions"


@pytest.fixture
def rollout(prompt: Document, aiko: User, mara: User) -> Rollout:
    return canary(prompt, aiko, mara)


def arms(caller: Caller, count: int = 200) -> dict[str, Any]:
    return {f"u{n}": caller.get(f"{INSTRUCTIONS}?unit=u{n}").json() for n in range(count)}


def test_each_unit_keeps_its_arm_and_text(caller: Caller, rollout: Rollout) -> None:
    first, again = arms(caller, 60), arms(caller, 60)
    assert first == again
    candidates = [one for one in first.values() if one["rollout"]["arm"] == "candidate"]
    assert candidates
    for one in candidates:
        assert (one["version"], "14 days" in one["content"]) == (2, True)
        assert one["rollout"] == {"id": rollout.pk, "arm": "candidate", "share": 0.1}
    others = [one for one in first.values() if one["rollout"]["arm"] == "current"]
    assert {(one["version"], one["content"]) for one in others} == {(1, PROMPT)}
    assert caller.get(INSTRUCTIONS).json()["rollout"] == {"id": rollout.pk, "arm": "current", "share": 0.1}


def test_a_growing_share_takes_the_candidate_from_nobody(caller: Caller, rollout: Rollout, aiko: User) -> None:
    before = {unit for unit, one in arms(caller).items() if one["version"] == 2}
    steering.set_share(rollout.pk, user=aiko, epoch=0, share=35)
    after = {unit for unit, one in arms(caller).items() if one["version"] == 2}
    assert before < after


def test_the_etag_tells_arms_and_shares_apart(caller: Caller, rollout: Rollout, aiko: User) -> None:
    by_arm = {one["rollout"]["arm"]: unit for unit, one in arms(caller, 60).items()}
    tags = {arm: caller.get(f"{INSTRUCTIONS}?unit={unit}")["ETag"] for arm, unit in by_arm.items()}
    assert len(set(tags.values())) == 2
    address = f"{INSTRUCTIONS}?unit={by_arm['candidate']}"
    assert caller.get(address, **{"If-None-Match": tags["candidate"]}).status_code == 304
    steering.set_share(rollout.pk, user=aiko, epoch=0, share=20)
    moved = caller.get(address, **{"If-None-Match": tags["candidate"]})
    assert (moved.status_code, moved.json()["rollout"]["share"]) == (200, 0.2)
    steering.stop(rollout.pk, user=aiko, reason="Enough.")
    ended = caller.get(address, **{"If-None-Match": moved["ETag"]})
    assert (ended.json()["version"], ended.json()["rollout"]) == (1, None)


@pytest.mark.django_db(transaction=True)  # within a transaction nothing is prepared
def test_a_rollout_costs_a_reading_no_further_question(
    caller: Caller, prompt: Document, aiko: User, mara: User
) -> None:
    def questions() -> int:
        caller.get(f"{INSTRUCTIONS}?unit=u1")
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'countersign%%'")
            statements: int = cursor.fetchone()[0]
        with CaptureQueriesContext(connection) as asked:
            caller.get(f"{INSTRUCTIONS}?unit=u1")
        return len(asked) + statements

    before = questions()
    canary(prompt, aiko, mara)
    assert questions() == before


@given(st.text(min_size=1), st.integers(1, 50), st.integers(1, 50), st.text("0123456789abcdef", min_size=32))
def test_an_arm_depends_on_salt_unit_and_share_alone_and_grows_with_it(
    unit: str, one: int, other: int, salt: str
) -> None:
    unit = unit.encode("utf-8", "replace").decode()
    small, large = sorted((one, other))
    assert gets_candidate(salt, unit, small) <= gets_candidate(salt, unit, large)
    assert gets_candidate(salt, unit, small) == gets_candidate(salt, unit, small)


@pytest.mark.parametrize("share", [1, 5, 25, 50])
def test_units_fall_to_the_candidate_in_its_share(share: int) -> None:
    for salt in ("one", "two"):
        found = sum(gets_candidate(salt, f"unit {n}", share) for n in range(20_000))
        assert abs(found / 200 - share) < 5 * (share * (100 - share) / 20_000) ** 0.5


def test_versions_tell_their_shares(caller: Caller, rollout: Rollout, mara: User) -> None:
    found = {one["version"]: (one["current"], one["share"]) for one in caller.get(VERSIONS).json()["items"]}
    assert found == {1: (True, 0.9), 2: (False, 0.1)}
    steering.promote(rollout.pk, user=mara, epoch=0)
    found = {one["version"]: (one["current"], one["share"]) for one in caller.get(VERSIONS).json()["items"]}
    assert found == {1: (False, 0.0), 2: (True, 1.0)}


def test_a_rollout_is_read_with_its_verdicts(caller: Caller, rollout: Rollout) -> None:
    report_runs(rollout, candidate=[False] * 60, current=[True] * 540)
    watch(rollout.pk)
    found = caller.get(f"/rollouts/{rollout.pk}").json()
    assert (found["state"], found["share"], found["candidate"], found["current"]) == ("rolled_back", 0.0, 2, 1)
    assert found["verdicts"][0]["kind"] == "worse"
    assert found["verdicts"][0]["findings"][0]["metric"] == "success"
    assert found["verdict"] == found["reason"]
    (listed,) = caller.get("/agents/support/documents/system-prompt/rollouts").json()["items"]
    assert listed == {name: value for name, value in found.items() if name not in ("shares", "verdicts")}


def test_a_key_stops_and_lowers_and_never_raises(caller: Caller, rollout: Rollout) -> None:
    for share in (0.2, 0.6, 0.055, 0):
        assert caller.post(f"/rollouts/{rollout.pk}/share", {"share": share}).status_code == 422
    lowered = caller.post(f"/rollouts/{rollout.pk}/share", {"share": 0.05})
    assert (lowered.status_code, lowered.json()["share"]) == (200, 0.05)
    assert caller.post(f"/rollouts/{rollout.pk}/stop", {"reason": " "}).status_code == 422
    stopped = caller.post(f"/rollouts/{rollout.pk}/stop", {"reason": "The shop is down."}).json()
    assert (stopped["state"], stopped["share"], stopped["ended_by"]) == ("stopped", 0.0, None)
    entry = AuditEntry.objects.filter(verb="rollout.stopped").get()
    assert entry.actor_kind == "key"
    again = caller.post(f"/rollouts/{rollout.pk}/stop", {"reason": "Again."})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/rollout-moved")


def test_only_keys_with_the_scope_and_of_the_agent_reach_it(
    rollout: Rollout, support: Agent, coder: Agent, make_caller: MakeCaller
) -> None:
    reader, stranger = make_caller(support, "read"), make_caller(coder)
    address = f"/rollouts/{rollout.pk}"
    assert reader.get(address).status_code == 200
    for act, body in (("stop", {"reason": "No."}), ("share", {"share": 0.05})):
        assert reader.post(f"{address}/{act}", body).status_code == 403
        assert stranger.post(f"{address}/{act}", body).status_code == 404
    assert stranger.get(address).status_code == 404
    assert stranger.get("/rollouts/99999999999999999999").status_code in (404, 422)
    assert Rollout.objects.get().share == 10


def test_what_began_by_itself_says_so_and_under_which_rule(caller: Caller, support: Agent, ada: User) -> None:
    made = draft(settings_of(support, ada))
    assert caller.get(f"/proposals/{made.pk}").json()["started_itself"] is None
    assert isinstance(start_by_itself(made.pk), Started)
    shown = caller.get(f"/proposals/{made.pk}").json()
    assert (shown["state"], shown["published_version"]) == ("in_effect", 2)
    start = shown["started_itself"]
    assert start.pop("at").endswith("Z")
    assert start == {
        "category": "retry",
        "key": "timeout_s",
        "was": "30",
        "now": "45",
        "rule": "retry (at most ×2)",
    }
    rollout = caller.get(f"/rollouts/{Rollout.objects.get().pk}").json()
    assert (rollout["began_by_itself"], rollout["started_by"]) == (True, "Countersign")
