"""What an operator sets is read as it is meant, or refused by name."""

import pytest
from django.test import Client
from pytest_django import Settings

from reviewapp import environment
from reviewapp.lean import lean_response
from reviewapp.reach import Address
from tests.stub import stub


def test_weights_of_signals_are_read_from_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_SIGNAL_WEIGHTS", '{"regenerated": 0, "copied=false": 0.1}')
    assert environment.read().countersign_signal_weights == {"regenerated": 0, "copied=false": 0.1}


@pytest.mark.parametrize(
    "value", ["x", "[1]", '{"regenerated": 1}', '{"regenerated": -1}', '{"a b": 0.1}', '{"a": "x"}']
)
def test_weights_that_make_no_sense_end_the_start_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    monkeypatch.setenv("COUNTERSIGN_SIGNAL_WEIGHTS", value)
    with pytest.raises(SystemExit):
        environment.read()
    assert "COUNTERSIGN_SIGNAL_WEIGHTS" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("COUNTERSIGN_SECOND_FACTOR", "admin,chief", "not chief"),
        ("COUNTERSIGN_OIDC_SERVER", "http://login.example.org", "https://"),
        ("COUNTERSIGN_OIDC_SERVER", "https://login.example.org", "COUNTERSIGN_OIDC_CLIENT_ID: "),
        ("COUNTERSIGN_OIDC_GROUPS", '{"staff": "chief"}', "COUNTERSIGN_OIDC_GROUPS"),
    ],
)
def test_settings_of_signing_in_that_make_no_sense_end_the_start_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        environment.read()
    assert said in capsys.readouterr().err


def test_a_service_is_described_to_allauth_as_it_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = {"SERVER": "https://login.example.org/", "CLIENT_ID": "board", "CLIENT_SECRET": "s", "NAME": "Example Inc."}
    for name, value in sent.items():
        monkeypatch.setenv(f"COUNTERSIGN_OIDC_{name}", value)
    (app,) = environment.read().oidc_apps
    assert (app["name"], app["settings"]) == ("Example Inc.", {"server_url": "https://login.example.org"})


@pytest.mark.parametrize(("status", "answers"), [(200, True), (400, True), (503, False)])
def test_a_board_that_goes_by_another_name_than_it_listens_at_is_seen_to_answer(status: int, answers: bool) -> None:
    with stub() as web:
        web.status = status
        assert Address("127.0.0.1", web.port).answers() == answers


def test_probes_are_answered_without_tls_and_nothing_else_is(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz").status_code == 200
    assert client.get("/")["Location"] == "https://testserver/"


def test_a_program_that_calls_without_tls_is_refused(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    call = {"REQUEST_METHOD": "GET", "PATH_INFO": "/api/v1/agents/a/instructions/b", "wsgi.url_scheme": "http"}
    answered: list[str] = []
    assert lean_response(call, lambda status, _headers: answered.append(status))
    assert lean_response(call | {"PATH_INFO": "/api/v1/proposals"}, lambda status, _headers: answered.append(status))
    assert lean_response(call | {"HTTP_X_FORWARDED_PROTO": "https"}, lambda status, _headers: answered.append(status))
    assert answered == ["403 Forbidden", "403 Forbidden", "401 Unauthorized"]
