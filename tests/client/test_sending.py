"""What the Python client has to send: kept, sent once, bounded; also on disks that will not have anything."""

import json
import os
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from countersign import Countersign, NeverServed, Refused, copies, spool
from tests.stand_in import TEXT, Answer, Fake, accept_all, client, say, served


@pytest.mark.parametrize("content", [b"[]", b"{}", b'{"accepted": 0, "duplicates": 0, "rejected": []}',
                                     b'{"accepted": 0, "duplicates": 0, "rejected": [{"index": 9, "errors": []}]}',
                                     b'{"accepted": "1", "duplicates": 0, "rejected": 7}'])  # fmt: skip
def test_a_list_that_is_not_answered_for_goes_on_waiting(fake: Fake, tmp_path: Path, content: bytes) -> None:
    say(fake, 503)
    agent = client(fake, tmp_path)
    agent.report("support", reason="Wrong")
    say(fake, 207, content)
    time.sleep(1.05)
    assert not agent.flush()
    assert not agent.refusals


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 302, 404, 200])
def test_what_the_board_did_not_take_waits_and_is_sent_with_the_same_id(
    fake: Fake, tmp_path: Path, status: int
) -> None:
    say(fake, status, b"<html>not the board</html>", Retry_After="0")
    agent = client(fake, tmp_path)
    sent = agent.report("support", reason="Wrong")
    assert sent.state == "waiting"
    say(fake, 207, b'{"accepted": 1, "duplicates": 0, "rejected": []}')
    time.sleep(1.05)
    assert agent.flush()
    first, second = (json.loads(body) for body in (fake.bodies[0], fake.bodies[-1]))
    assert second == [first]
    assert first["id"] == sent.id
    assert [path for _, path, _ in fake.asked] == ["/api/v1/feedback"] * 2


def test_retry_after_is_heeded(fake: Fake, tmp_path: Path) -> None:
    fake.answer = lambda *_: (429, {"Retry-After": "30"}, b"{}")
    agent = client(fake, tmp_path)
    for number in range(5):
        agent.run("support", success=True, id=f"r{number}")
    assert len(fake.asked) == 1
    assert not agent.flush()
    assert len(fake.asked) == 1


def test_a_list_that_is_refused_as_a_whole_is_halved_until_the_culprit_is_found(fake: Fake, tmp_path: Path) -> None:
    say(fake, 503)
    agent = client(fake, tmp_path)
    for number in range(8):
        agent.report("support", id=f"f{number}", reason="Wrong")

    def judge(_: BaseHTTPRequestHandler, body: bytes) -> Answer:
        told = json.loads(body)
        if any(one["id"] == "f5" for one in told):
            return 400, {}, b'{"type": "/problems/bad-json", "detail": "No."}'
        return 207, {}, json.dumps({"accepted": len(told), "duplicates": 0, "rejected": []}).encode()

    fake.answer = judge
    time.sleep(1.05)
    assert agent.flush()
    assert [str(one) for one in agent.refusals] == ["400: No."]


def test_what_waits_is_bounded_and_what_is_dropped_is_counted(
    fake: Fake, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    say(fake, 503)
    agent = client(fake, tmp_path, most_waiting_bytes=2_000)
    states = [agent.report("support", reason="x" * 100).state for _ in range(30)]
    assert states == sorted(states, reverse=True)
    assert agent.dropped == states.count("dropped") > 10
    assert "1 were dropped so far" in caplog.text
    (path,) = tmp_path.glob("*.jsonl")
    assert path.stat().st_size <= 2_000
    with pytest.raises(Refused, match="too large"):
        agent.report("support", reason="x" * 1_000_000)


def test_half_a_line_of_a_crash_costs_only_itself(fake: Fake, tmp_path: Path) -> None:
    say(fake, 503)
    agent = client(fake, tmp_path)
    agent.report("support", id="whole-1", reason="Ärger 😠")
    (path,) = tmp_path.glob("*.jsonl")
    with path.open("ab") as file:
        file.write(b'{"kind": "feedback", "bo')
    agent.report("support", id="whole-2", reason="Wrong")
    fake.answer = accept_all
    time.sleep(1.05)
    assert agent.flush()
    told = json.loads(fake.bodies[-1])
    assert [(one["id"], one["reason"]) for one in told] == [("whole-1", "Ärger 😠"), ("whole-2", "Wrong")]
    assert agent.dropped == 1


def unwritable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return folder / "not a folder" / "below a file"


def full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(copies.files, "replace", no_space)
    monkeypatch.setattr(spool.os, "fsync", no_space)
    return folder


@pytest.mark.parametrize("disk", [unwritable, full])
def test_without_a_disk_it_serves_and_keeps_in_memory(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: Callable[..., Path]
) -> None:
    (tmp_path / "not a folder").write_text("a file")
    agent = client(fake, disk(tmp_path, monkeypatch))
    assert agent.instructions("support", "prompt").text == TEXT
    say(fake, 503)
    assert agent.instructions("support", "prompt", unit="new").text == TEXT
    assert [agent.report("support", id=f"m{n}", reason="Wrong").state for n in range(3)] == ["waiting"] * 3
    fake.answer = accept_all
    time.sleep(1.05)
    assert agent.flush()
    assert [one["id"] for one in json.loads(fake.bodies[-1])] == ["m0", "m1", "m2"]
    assert agent.dropped == 0


def test_many_threads_send_what_waits_in_memory_once(fake: Fake, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    agent = client(fake, tmp_path / "file" / "folder")
    say(fake, 503)
    for number in range(30):
        agent.report("support", id=f"m{number}", reason="Wrong")

    def slowly(handler: BaseHTTPRequestHandler, body: bytes) -> Answer:
        time.sleep(0.05)
        return accept_all(handler, body)

    fake.answer = slowly
    time.sleep(1.05)
    threads = [threading.Thread(target=agent.flush) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert agent.flush()
    assert [len(json.loads(body)) for body in fake.bodies[1:]] == [30]


def test_somebody_who_holds_the_lock_and_hangs_holds_up_nobody(fake: Fake, tmp_path: Path) -> None:
    agent = client(fake, tmp_path)
    agent.instructions("support", "prompt")
    say(fake, 503)
    agent.report("support", reason="Wrong")
    (spooled,) = tmp_path.glob("*.jsonl")
    (copied,) = tmp_path.glob("*.json")
    with copies.files.locked(spooled.with_suffix(".lock")), copies.files.locked(copied.with_suffix(".lock")):
        say(fake, 200, served("Newer.\n", 2), ETag='"2"')
        time.sleep(1.05)
        began = time.monotonic()
        assert agent.instructions("support", "prompt").version == 2
        say(fake, 503)
        assert agent.report("support", reason="Wrong").state == "waiting"
        assert time.monotonic() - began < 2.5


def test_a_tracked_run_says_how_it_went_and_never_fails_the_agent(
    fake: Fake, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    agent = client(fake, tmp_path)
    served_now = agent.instructions("support", "prompt", unit="s1")
    fake.answer = lambda _, body: (201, {}, json.dumps({"id": json.loads(body)["id"]}).encode())
    with agent.tracked("support", served_now, task="refund") as run:
        run.fields["quality"] = 4
    told = json.loads(fake.bodies[-1])
    assert told.pop("latency_ms") >= 0
    assert told.pop("at").endswith("Z")
    about = {"agent": "support", "document": "prompt", "version": 1, "unit": "s1"}
    assert told == about | {"id": run.id, "success": True, "task": "refund", "quality": 4}
    with pytest.raises(ZeroDivisionError), agent.tracked("support"):
        _ = 1 // 0
    failed = json.loads(fake.bodies[-1])
    assert (failed["success"], failed["error_type"]) == (False, "ZeroDivisionError")
    say(fake, 422, b'{"type": "/problems/invalid-body", "detail": "task: too long", "errors": []}')
    with agent.tracked("support"):
        pass
    assert "task: too long" in caplog.text


def test_the_key_goes_nowhere_else_and_into_no_file(fake: Fake, tmp_path: Path) -> None:
    fake.answer = lambda *_: (302, {"Location": fake.url + "/elsewhere"}, b"")
    agent = Countersign(fake.url, "cs_secret", folder=tmp_path)
    with pytest.raises(NeverServed):
        agent.instructions("support", "prompt")
    agent.report("support", reason="Wrong")
    assert {path for _, path, _ in fake.asked} == {"/api/v1/agents/support/instructions/prompt", "/api/v1/feedback"}
    for path in tmp_path.iterdir():
        assert b"cs_secret" not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
    assert os.stat(tmp_path).st_uid == os.getuid()
    with pytest.raises(ValueError, match="https://"):
        Countersign("board.example.org", "key", folder=tmp_path)
