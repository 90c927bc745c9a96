"""What ran at a time, over REST: the same answer that agents got then."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.utils import timezone

from agents.models import Agent, Document
from people.models import User
from proposals.actions import steering
from proposals.actions.rollbacks import roll_back
from tests.api.conftest import Caller, MakeCaller
from tests.rollouts import canary

INSTRUCTIONS = "/agents/support/instructions/system-prompt"
THEN = "/agents/support/then"
UNITS = [f"u{number}" for number in range(12)]

Seen = list[tuple[str, str, int, str]]


def note(caller: Caller, into: Seen) -> None:
    """What each unit is served now."""
    for unit in ["", *UNITS]:
        served = caller.get(f"{INSTRUCTIONS}?unit={unit}" if unit else INSTRUCTIONS).json()
        into.append((timezone.now().isoformat(), unit, served["version"], served["content"]))


def test_it_tells_of_every_moment_what_each_unit_was_served(
    caller: Caller, prompt: Document, aiko: User, mara: User
) -> None:
    seen: Seen = []
    note(caller, seen)
    rollout = canary(prompt, aiko, mara)
    note(caller, seen)
    steering.set_share(rollout.pk, user=aiko, epoch=0, share=30)
    note(caller, seen)
    steering.set_share(rollout.pk, user=aiko, epoch=1, share=5)
    note(caller, seen)
    steering.promote(rollout.pk, user=mara, epoch=2)
    note(caller, seen)
    roll_back(prompt.pk, user=aiko, to_number=1, current_number=2, reason="It was wrong.")
    note(caller, seen)
    assert {version for _, _, version, _ in seen} == {1, 2, 3}
    for at, unit, version, content in seen:
        (then,) = caller.get(f"{THEN}?at={quote(at)}&unit={unit}").json()["documents"]
        assert (then["version"], then["content"]) == (version, content)


def test_it_says_who_let_it_through_and_on_what(caller: Caller, prompt: Document, aiko: User, mara: User) -> None:
    rollout = canary(prompt, aiko, mara)
    at = quote(timezone.now().isoformat())
    taken = next(
        unit for unit in map(str, range(99)) if caller.get(f"{INSTRUCTIONS}?unit={unit}").json()["version"] > 1
    )
    (then,) = caller.get(f"{THEN}?at={at}&unit={taken}").json()["documents"]
    assert then["rollout"] == {"id": rollout.pk, "candidate": 2, "share": 0.1, "arm": "candidate"}
    assert (then["approved_by"], then["proposal"], then["title"]) == ([str(mara)], rollout.proposal_id, "Say 14 days")
    assert (then["current_version"], then["current_until"]) == (1, None)
    (without,) = caller.get(f"{THEN}?at={at}").json()["documents"]
    assert (without["version"], without["rollout"]["arm"], without["approved_by"]) == (1, None, [])


def test_before_the_first_text_there_was_nothing(caller: Caller, support: Agent) -> None:
    answer = caller.get(f"{THEN}?at=2020-01-01T00:00:00Z")
    assert (answer.status_code, answer.json()["documents"]) == (200, [])


@pytest.mark.parametrize("query", ["", "?at=yesterday", "?at=2026-05-03T10:42:00", "?at=1890-01-01T00:00:00Z"])
def test_a_time_that_cannot_be_read_is_refused(caller: Caller, support: Agent, query: str) -> None:
    answer = caller.get(f"{THEN}{query}")
    assert answer.status_code == 422
    assert "at" in answer.json()["errors"][0]["loc"]


def test_a_time_to_come_is_refused(caller: Caller, support: Agent) -> None:
    later = quote((timezone.now() + timedelta(hours=1)).isoformat())
    assert "not come yet" in caller.get(f"{THEN}?at={later}").json()["errors"][0]["msg"]


def test_a_key_of_another_agent_finds_nothing(make_caller: MakeCaller, support: Agent, coder: Agent) -> None:
    assert make_caller(coder, "read").get(f"{THEN}?at=2026-01-01T00:00:00Z").status_code == 404
