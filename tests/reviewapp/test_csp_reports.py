"""What browsers report of pages: kept short, without what addresses carry, and not for ever."""

import json
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.django_db


def send(body: str, client: Client | None = None) -> int:
    return (client or Client()).post("/csp/", body, content_type="application/csp-report").status_code


@pytest.fixture
def said(settings: Settings, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The log, with no report counted yet."""
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": str(uuid4())}}
    return caplog


def told(said: pytest.LogCaptureFixture) -> list[dict[str, str]]:
    return [json.loads(line.getMessage()) for line in said.records if line.name == "reviewapp.csp_reports"]


def test_every_page_says_where_to_report(client: Client) -> None:
    assert "report-uri /csp/" in client.get("/account/login/").headers["Content-Security-Policy"]


def test_a_report_names_page_rule_and_what_was_kept_out(said: pytest.LogCaptureFixture) -> None:
    report = {
        "document-uri": "https://board.example/sign-in/?sesame=a-secret",
        "effective-directive": "script-src-elem",
        "blocked-uri": "https://evil.example/x.js?y=1",
    }
    assert send(json.dumps({"csp-report": report}), Client(enforce_csrf_checks=True)) == 204
    (one,) = told(said)
    assert (one["event"], one["page"], one["rule"]) == ("csp_violation", "/sign-in/", "script-src-elem")
    assert one["blocked"] == "https://evil.example"
    assert "a-secret" not in said.text


@pytest.mark.parametrize("body", ["", "x", "[]", '{"csp-report": 1}', "[" * 9000, '{"csp-report": {}}'])
def test_what_is_no_report_is_let_go(said: pytest.LogCaptureFixture, body: str) -> None:
    assert send(body) == 204
    assert told(said) == []


def test_a_report_may_not_be_long_and_there_are_not_many(said: pytest.LogCaptureFixture) -> None:
    assert send("x" * 20_000) == 413
    for _ in range(12):
        send('{"csp-report": {"document-uri": "http://[", "blocked-uri": "inline"}}')
    assert len(told(said)) == 10
