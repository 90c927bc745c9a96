"""Checkpoints over REST, as text that other programs for transparency logs can read."""

import pytest

from agents.models import Agent
from audit.models import AuditEntry, Checkpoint
from audit.notes import Checkpoint as Statement
from audit.notes import PublicKey, opened
from audit.wording import in_words
from tests.api.conftest import Caller
from tests.log import tamper


@pytest.mark.usefixtures("sealed_at_once")
def test_the_log_is_signed_as_it_is_now(support: Agent, caller: Caller) -> None:
    answer = caller.get("/audit/checkpoint")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain; charset=utf-8")
    keys = [PublicKey.parse(line) for line in caller.get("/audit/keys").text.splitlines()]
    text, _ = opened(answer.text, keys)
    made = Checkpoint.objects.get()
    assert Statement.parse(text).root == bytes(made.root)
    assert made.asked_by != ""


@pytest.mark.usefixtures("sealed_at_once")
def test_a_log_that_is_not_sound_is_not_signed(support: Agent, caller: Caller) -> None:
    tamper("UPDATE audit_auditentry SET actor_label = 'Nobody' WHERE sequence = 1")
    answer = caller.get("/audit/checkpoint")
    assert answer.status_code == 503
    assert "Entry 1 of the log is bad" in answer.json()["detail"]


def test_an_empty_log_is_not_signed(caller: Caller) -> None:
    assert caller.get("/audit/checkpoint").status_code == 503


def test_reading_the_log_is_on_the_log_once_an_hour(support: Agent, caller: Caller) -> None:
    for _ in range(2):
        assert caller.get("/audit").status_code == 200
    entry = AuditEntry.objects.get(verb="log.read")
    assert (entry.actor_kind, in_words(entry).verb) == ("key", "read over the API")
