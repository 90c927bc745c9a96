"""Through the real web server, and with everything else dead. One board serves the whole module."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.board import Board

pytestmark = pytest.mark.process

API = "/api/v1"
INSTRUCTIONS = f"{API}/agents/support/instructions/system-prompt"
PROBLEM = "application/problem+json"

GOOD: dict[str, dict[str, Any]] = {
    "/feedback": {"agent": "support", "reason": "Wrong", "user": "u", "version": 1, "metadata": {"a": "b"}},
    "/runs": {"agent": "support", "success": False, "error": "timeout", "version": 1, "metadata": {"a": "b"}},
    "/agents": {"slug": "another", "name": "Another", "documents": {"prompt": "# Role\n"}},
    "/proposals": {
        "agent": "support",
        "document": "system-prompt",
        "base_version": 1,
        "content": "# Role\n",
        "title": "Shorter",
        "rationale": "Too long",
        "evidence": ["f-1"],
    },
}
BAD_VALUES = {
    "half a surrogate pair": r'"a\ud800"',
    "NUL": r'"a\u0000b"',
    "no number": "NaN",
    "no end": "1e999",
    "a huge number": "9" * 5000,
    "depth": "[" * 200 + "]" * 200,
    "half a pair far down": r'{"x":["\udfff"]}',
}
ANYWHERE = [(route, field) for route, body in GOOD.items() for field in body]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """Without worker and scheduler; the drill that kills them starts them."""
    made = Board(tmp_path_factory.mktemp("served"))
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("COUNTERSIGN_LOCK_TIMEOUT_S", "1")
            made.start()
        yield made
    finally:
        made.stop()


def pieces(size: int) -> Iterator[bytes]:
    """A report of `size` bytes and a few, in chunks."""
    yield b'{"agent":"support","output":"'
    for _ in range(size // 10_000):
        yield b"x" * 10_000
    yield b'","reason":"long"}'


def test_a_chunked_body_is_taken_up_to_the_cap_and_refused_beyond(board: Board) -> None:
    assert board.call("POST", f"{API}/feedback", pieces(20_000)).status == 201
    for path in ("/feedback", "/proposals"):
        refused = board.call("POST", f"{API}{path}", pieces(1_100_000))
        assert (refused.status, refused.headers["content-type"]) == (413, PROBLEM), path
    proposal = json.dumps(GOOD["/proposals"]).encode()
    assert board.call("POST", f"{API}/proposals", iter([proposal])).fields() == {"evidence.0"}  # read to the end
    assert board.call("GET", INSTRUCTIONS).status == 200


@pytest.mark.parametrize(("route", "field"), ANYWHERE)
def test_hostile_values_are_refused_by_field(board: Board, route: str, field: str) -> None:
    rest = {name: value for name, value in GOOD[route].items() if name != field}
    start = json.dumps(rest)[:-1]
    for what, value in BAD_VALUES.items():
        refused = board.call("POST", f"{API}{route}", f'{start},"{field}":{value}}}'.encode())
        assert (refused.status, refused.headers["content-type"]) == (422, PROBLEM), (what, refused)
        assert any(name.split(".")[0] == field for name in refused.fields()), (what, refused)
    twice = f'{start},"{field}":{json.dumps(GOOD[route][field])},"{field}":null}}'
    assert field in board.call("POST", f"{API}{route}", twice.encode()).fields()


@pytest.mark.parametrize("bytes_", ["%ED%A0%80", "%00", "%FF", "%C0%AF", "%25", "%F0%9F%98%80", "'", "%2F"])
def test_hostile_addresses_are_refused(board: Board, bytes_: str) -> None:
    for path in (
        f"/agents/{bytes_}/instructions/x",
        f"/agents/support/instructions/{bytes_}",
        f"/agents/support/documents/{bytes_}/versions",
        f"/feedback/{bytes_}",
    ):
        for method in ("GET", "DELETE", "POST"):
            assert board.call(method, API + path, b"{}" if method == "POST" else None).status in (404, 405), path
    for query in (f"unit={bytes_}", f"at={bytes_}", f"version={bytes_}", f"{bytes_}=1"):
        assert board.call("GET", f"{INSTRUCTIONS}?{query}").status in (200, 404, 422), query
    for path in (f"/patterns?agent={bytes_}", f"/proposals?document={bytes_}", f"/audit?agent={bytes_}"):
        for charset in ("utf-8", "utf-7", "unicode_escape"):
            found = board.call("GET", API + path, Content_Type=f"text/plain; charset={charset}")
            assert found.status in (200, 404, 422), path


@pytest.mark.parametrize("path", [INSTRUCTIONS, f"{API}/agents", f"{API}/nothing", "/healthz"])
def test_every_answer_has_a_request_id(board: Board, path: str) -> None:
    first, second = (board.call("GET", path).headers["x-request-id"] for _ in range(2))
    assert first != second
    assert len(first) == 32
    assert board.call("GET", path, X_Request_Id="run-7.a_B").headers["x-request-id"] == "run-7.a_B"
    for bad in ("", "x" * 65, "a b", "a\tb", '"', "é"):
        assert len(board.call("GET", path, X_Request_Id=bad).headers["x-request-id"]) == 32


def test_what_waits_for_a_lock_is_answered_in_time_by_the_web_server_alone(board: Board) -> None:
    board.call("GET", INSTRUCTIONS)
    with psycopg.connect(board.postgres.url) as other:
        other.execute("LOCK TABLE agents_version, feedback_feedback IN ACCESS EXCLUSIVE MODE")
        for method, path, body in (
            ("GET", INSTRUCTIONS, None),
            ("POST", f"{API}/feedback", GOOD["/feedback"]),
            ("GET", f"{API}/agents/support/documents/system-prompt/versions", None),
        ):
            refused = board.call(method, path, body)
            assert (refused.status, refused.headers["retry-after"]) == (503, "10"), path
            assert refused.json()["type"] == "/problems/took-too-long"
    assert board.call("GET", INSTRUCTIONS).status == 200
    shown = (
        "from django.db import connection as c; k = c.cursor(); k.execute('SHOW lock_timeout'); print(k.fetchone()[0])"
    )
    assert board.manage("shell", "--no-imports", "--command", shown) == "0"


def test_instructions_and_reports_go_on_after_the_database_was_restarted(board: Board) -> None:
    assert board.call("GET", INSTRUCTIONS).status == 200
    board.kill("postgres")
    for method, path, body in (
        ("GET", INSTRUCTIONS, None),
        ("POST", f"{API}/runs", {"agent": "support", "success": True}),
        ("GET", f"{API}/agents", None),
    ):
        refused = board.call(method, path, body, X_Request_Id="while-it-was-down")
        assert (refused.status, refused.headers["content-type"]) == (503, PROBLEM), path
        assert refused.json()["type"] == "/problems/unavailable"
        assert refused.headers["retry-after"] == "1"
        assert refused.headers["x-request-id"] == "while-it-was-down"
    assert "while-it-was-down" in (board.folder / "log" / "web.log").read_text()
    board.postgres.create()
    board.run(board.postgres.child(board.env))
    board.postgres.wait(board.children["postgres"])
    board.call("GET", INSTRUCTIONS)
    for number in range(20):  # every thread of every process finds its connection dead, and mends it
        assert board.call("GET", INSTRUCTIONS).status == 200
        assert (
            board.call("POST", f"{API}/runs", {"id": f"r{number}", "agent": "support", "success": True}).status == 201
        )
        assert board.call("GET", f"{API}/agents").status == 200


def test_serving_and_reporting_go_on_with_worker_scheduler_and_broker_dead(board: Board) -> None:
    board.start_celery()
    before = board.call("GET", INSTRUCTIONS)
    for name in ("valkey", "worker", "scheduler"):
        board.kill(name)
    served = board.call("GET", INSTRUCTIONS)
    assert (served.status, served.body) == (200, before.body)
    assert board.call("GET", INSTRUCTIONS, If_None_Match=served.headers["etag"]).status == 304
    report = {"id": "all-dead", "agent": "support", "rating": "negative", "reason": "Still wrong"}
    assert board.call("POST", f"{API}/feedback", report).status == 201
    assert board.call("POST", f"{API}/feedback", report).status == 200
    assert board.call("POST", f"{API}/runs", [{"agent": "support", "success": False}]).json()["accepted"] == 1
    assert board.call("GET", "/healthz").status == 200
