"""GET …/instructions/…: the current text, at once, cheaply, and the past."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents import statements
from agents.models import Agent, Document
from agents.versions import publish, restore
from audit.record import SYSTEM
from tests.api.conftest import Caller
from tests.cast import PROMPT
from tests.log import tamper

PATH = "/agents/support/instructions/system-prompt"


@pytest.fixture
def prompt(support: Agent) -> Document:
    return support.documents.select_related("current").get()


def publish_next(document: Document, text: str) -> None:
    document = Document.objects.select_related("current").get(pk=document.pk)
    assert document.current
    publish(document, text, base=document.current, actor=SYSTEM, proposal=0)


def test_the_current_text_is_served_with_its_digest(caller: Caller, prompt: Document) -> None:
    response = caller.get(PATH)
    assert prompt.current
    assert response.json() == {
        "agent": "support",
        "document": "system-prompt",
        "kind": "prompt",
        "version": 1,
        "sha256": prompt.current.sha256,
        "content": PROMPT,
        "rollout": None,
    }
    assert prompt.current.sha256 in response["ETag"]
    assert response["ETag"].startswith('"')
    assert response["Cache-Control"] == "no-cache"


def test_a_new_version_is_served_at_once(caller: Caller, prompt: Document) -> None:
    first = caller.get(PATH)
    publish_next(prompt, "# New\n")
    second = caller.get(PATH, **{"If-None-Match": first["ETag"]})
    assert (second.status_code, second.json()["version"], second.json()["content"]) == (200, 2, "# New\n")


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', '"a",W/{} ,"b"', "*"])
def test_who_has_it_is_told_so(caller: Caller, prompt: Document, form: str) -> None:
    tag = caller.get(PATH)["ETag"]
    response = caller.get(PATH, **{"If-None-Match": form.format(tag)})
    assert (response.status_code, response.content, response["ETag"]) == (304, b"", tag)


@pytest.mark.parametrize("form", ['"other"', "nonsense", '""', "W/*"])
def test_who_has_another_gets_the_text(caller: Caller, prompt: Document, form: str) -> None:
    assert caller.get(PATH, **{"If-None-Match": form}).status_code == 200


def test_a_rollback_to_the_same_text_has_an_etag_of_its_own(caller: Caller, prompt: Document) -> None:
    tag = caller.get(PATH)["ETag"]
    first = prompt.current
    publish_next(prompt, "# New\n")
    moved = Document.objects.select_related("current").get(pk=prompt.pk)
    assert first
    assert moved.current
    restore(moved, first, base=moved.current, actor=SYSTEM, reason="Worse")
    response = caller.get(PATH, **{"If-None-Match": tag})
    assert (response.status_code, response.json()["version"], response.json()["content"]) == (200, 3, PROMPT)


def test_the_past_is_served_by_number_and_by_time(caller: Caller, prompt: Document) -> None:
    between = timezone.now()
    publish_next(prompt, "# New\n")
    assert caller.get(f"{PATH}?version=1").json()["content"] == PROMPT
    assert caller.get(f"{PATH}?at={between.isoformat().replace('+', '%2B')}").json()["version"] == 1
    assert caller.get(f"{PATH}?at={timezone.now():%Y-%m-%dT%H:%M:%S.%fZ}").json()["version"] == 2


def test_before_the_first_version_there_was_none(caller: Caller, prompt: Document) -> None:
    before = timezone.now() - timedelta(days=1)
    response = caller.get(f"{PATH}?at={before:%Y-%m-%dT%H:%M:%SZ}")
    assert response.status_code == 404
    assert "had no version at" in response.json()["detail"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("version=2", 404),
        ("version=0", 422),
        ("version=-1", 422),
        ("version=x", 422),
        ("version=99999999999999999999", 422),
        ("at=yesterday", 422),
        ("at=2026-01-01T00:00:00", 422),
        ("version=1&version=2", 422),
        ("version=1&at=2026-01-01T00:00:00Z", 422),
        ("at=2026-01-01T00:00:00Z&unit=u1", 422),
        ("vresion=1", 422),
        ("unit=%ff", 422),
        ("unit=session-1", 200),
        ("unit=", 200),
    ],
)
def test_odd_questions_get_clear_answers(caller: Caller, prompt: Document, query: str, status: int) -> None:
    assert caller.get(f"{PATH}?{query}").status_code == status


@pytest.mark.parametrize("path", ["/agents/support/instructions/other", "/agents/nobody/instructions/system-prompt"])
def test_unknown_documents_and_agents_are_404(caller: Caller, prompt: Document, path: str) -> None:
    response = caller.get(path)
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


def test_serving_asks_the_database_once_and_nobody_else(
    caller: Caller, prompt: Document, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    caller.get(PATH)
    asked: list[str] = []
    execute = statements.execute

    def note(sql: str, values: Sequence[bytes]) -> Any:
        asked.append(sql)
        return execute(sql, values)

    monkeypatch.setattr(statements, "execute", note)
    with CaptureQueriesContext(connection) as beside:
        assert caller.get(PATH).status_code == 200
    assert len(asked) == 1
    assert "agents_document" in asked[0]
    assert len(beside) == 0


def test_through_djangos_urlconf_other_methods_are_refused(caller: Caller, prompt: Document) -> None:
    response = caller.post(PATH, {})
    assert (response.status_code, response["Allow"], response["Content-Type"]) == (
        405,
        "GET",
        "application/problem+json",
    )


@pytest.mark.parametrize("with_digest", [False, True])
def test_a_text_that_was_altered_in_the_database_is_served_to_nobody(
    caller: Caller, prompt: Document, with_digest: bool
) -> None:
    altered = PROMPT.replace("Never ask", "Always ask")
    tamper("UPDATE agents_version SET text = %s WHERE id = %s", altered, prompt.current_id)
    if with_digest:
        tamper("UPDATE agents_version SET sha256 = encode(sha256(convert_to(text, 'UTF8')), 'hex')")
    for path in (PATH, f"{PATH}?version=1"):
        response = caller.get(path)
        assert (response.status_code, response.json()["type"]) == (503, "/problems/altered-text")
        assert "Always ask" not in response.text
