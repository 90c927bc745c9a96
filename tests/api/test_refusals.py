"""Calls turned away for their key are in the log of the server, never with the key, and never without end."""

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from agents import keys, refusals
from agents.models import Agent
from audit.record import SYSTEM
from people.models import User
from reviewapp.lean import lean_response
from tests.api.conftest import Caller

INSTRUCTIONS = "/agents/support/instructions/system-prompt"


@pytest.fixture(autouse=True)
def nothing_written_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "_minute", refusals._Minute())


def written(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    found = [json.loads(record.getMessage()) for record in caplog.records if record.name == "agents.refusals"]
    return [one | {"logged": None} for one in found]


@pytest.mark.parametrize("path", [INSTRUCTIONS, "/agents"])
def test_a_key_that_is_none_is_written_down_without_it(
    caller: Caller, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    wrong = caller.token[:-6] + "000000"
    secret = "a password typed in its place"
    for token in (wrong, secret, ""):
        assert Caller(token, Client(REMOTE_ADDR="192.0.2.7")).get(path).status_code == 401
    said = written(caplog)
    assert [(one["event"], one["level"], one["reason"], one["key"], one["address"]) for one in said] == [
        ("api_refused", "warning", "bad-key", "", "192.0.2.7")
    ] * 3
    assert {one["path"] for one in said} == {f"/api/v1{path}"}
    assert all(one["request_id"] for one in said)
    assert wrong not in caplog.text
    assert secret not in caplog.text


def test_a_good_key_without_the_right_is_written_down_by_its_prefix(
    support: Agent, ada: User, caplog: pytest.LogCaptureFixture
) -> None:
    key, token = keys.create(support, ["ingest"], owner=ada, actor=SYSTEM)
    for path in (INSTRUCTIONS, "/agents"):
        assert Caller(token, Client()).get(path).status_code == 403
    assert [(one["reason"], one["key"]) for one in written(caplog)] == [("missing-scope", key.prefix)] * 2
    assert token not in caplog.text


def test_what_is_not_about_keys_is_not_written_down(caller: Caller, caplog: pytest.LogCaptureFixture) -> None:
    caller.get("/agents/nobody")
    caller.post("/feedback", {"agent": "support"})
    caller.get(INSTRUCTIONS)
    assert written(caplog) == []


def test_no_flood_of_refusals_fills_the_log(
    keyless: Caller, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(100):
        Caller("", Client(REMOTE_ADDR=f"192.0.2.{number % 20}")).get(INSTRUCTIONS)
    assert len(written(caplog)) == refusals.IN_ALL
    for _ in range(30):
        keyless.get(INSTRUCTIONS)
    assert len(written(caplog)) == refusals.IN_ALL
    monkeypatch.setattr(refusals._minute, "began", float("-inf"))
    for _ in range(30):
        keyless.get(INSTRUCTIONS)
    said = written(caplog)[refusals.IN_ALL :]
    assert [one["event"] for one in said] == ["api_refusals_not_written"] + ["api_refused"] * refusals.OF_ONE_ADDRESS
    assert said[0]["calls"] == 70


def test_a_key_sent_in_clear_is_written_down_by_its_prefix(
    caller: Caller, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    call = {"REQUEST_METHOD": "GET", "PATH_INFO": f"/api/v1{INSTRUCTIONS}", "wsgi.url_scheme": "http"}
    sent = {"HTTP_AUTHORIZATION": f"Bearer {caller.token}", "REMOTE_ADDR": "192.0.2.9"}
    assert lean_response(call | sent, lambda status, headers: None)
    (one,) = written(caplog)
    assert (one["reason"], one["key"], one["address"]) == ("needs-tls", caller.token[4:14], "192.0.2.9")
