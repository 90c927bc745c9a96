"""What takes the database too long is stopped, and said in words: never a 500, nothing half done."""

import time
from typing import Any

import psutil
import psycopg
import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.test import Client
from pytest_django import Settings

from agents.statements import took_too_long
from people.models import User
from reviewapp.patience import limit_questions
from reviewapp.settings import database_settings
from tests.patience import held, impatient

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
PAGE = "The database took too long"


@pytest.fixture
def signed_in(client: Client, ada: User) -> Client:
    client.force_login(ada)
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("limit", ["statement_timeout", "lock_timeout"])
def test_a_page_that_waits_for_a_lock_is_told_so(signed_in: Client, limit: str) -> None:
    with held("proposals_proposal"), impatient(**{limit: "300ms"}):
        answer = signed_in.get("/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert PAGE in answer.text
    assert "Nothing was changed" in answer.text
    assert answer["X-Request-Id"] in answer.text
    assert signed_in.get("/").status_code == 200


def test_a_form_that_waits_for_a_lock_changes_nothing_and_says_to_look(signed_in: Client, ada: User) -> None:
    with held("audit_auditentry"), impatient(lock_timeout="300ms"):
        answer = signed_in.post("/settings/freeze/", {"reason": "Looking into it", "do": "freeze"})
    assert answer.status_code == 503
    assert "kept whole or not at all" in answer.text
    assert "Frozen" not in signed_in.get("/settings/freeze/").text


def test_an_error_that_is_ours_stays_one(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proposals.queue.counts", None)
    assert signed_in.get("/").status_code == 500


def test_a_question_that_takes_too_long_is_known() -> None:
    connection.ensure_connection()
    with pytest.raises(DatabaseError) as ended, impatient(statement_timeout="100ms"), transaction.atomic():
        _ask("SELECT pg_sleep(5)")
    connection.close()
    assert took_too_long(ended.value)


def test_a_transaction_that_idles_too_long_is_known() -> None:
    connection.ensure_connection()
    limit = impatient(idle_in_transaction_session_timeout="100ms")
    with pytest.raises(DatabaseError) as ended, limit, transaction.atomic():
        _ask_again_when_it_is_gone()
    connection.close()
    assert took_too_long(ended.value)


def _ask_again_when_it_is_gone() -> None:
    """What reaches a server process on its way out has the system throw away the reason that it gave."""
    (server_process,) = _ask("SELECT pg_backend_pid()")
    until = time.monotonic() + 20
    while psutil.pid_exists(server_process) and time.monotonic() < until:
        time.sleep(0.05)
    _ask("SELECT 1")


def _ask(question: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()


def test_limits_go_with_a_connections_start_and_the_address_has_the_last_word(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}
    given = database_settings("postgresql:///x?options=-c%20lock_timeout%3D3s")["OPTIONS"]
    monkeypatch.setitem(connections.settings["default"], "OPTIONS", given)
    settings.COUNTERSIGN_STATEMENT_TIMEOUT_S, settings.COUNTERSIGN_IDLE_TRANSACTION_TIMEOUT_S = 7, 0
    limit_questions()
    with psycopg.connect(**parameters | {"options": given["options"]}) as opened:
        found = [opened.execute(f"SHOW {name}".encode()).fetchone() for name in NAMES]
    assert found == [("7s",), ("3s",), ("0",)]


def test_without_limits_nothing_is_said_to_the_server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {}
    monkeypatch.setitem(connections.settings["default"], "OPTIONS", options)
    for name in ("STATEMENT", "LOCK", "IDLE_TRANSACTION"):
        setattr(settings, f"COUNTERSIGN_{name}_TIMEOUT_S", 0)
    limit_questions()
    assert options == {}
