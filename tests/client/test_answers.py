"""The Python client and whatever may answer in the board's place; and disks that will not have anything."""

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from countersign import Countersign, NeverServed, Refused, copies, spool, wire

Answer = tuple[int, dict[str, str], bytes]
TEXT = "# Role\nBe kind.\n"


@dataclass
class Fake:
    """A server that answers as it is told, and what it was asked: (method, path, headers)."""

    answer: Callable[[BaseHTTPRequestHandler, bytes], Answer]
    url: str = ""
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


@pytest.fixture
def fake() -> Iterator[Fake]:
    there = Fake(lambda handler, _: (200, {"ETag": '"1"'}, served()))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            there.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
            there.bodies.append(body)
            status, headers, content = there.answer(self, body)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            with suppress(OSError):  # the client may have hung up
                self.end_headers()
                self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 (its name for it)

        def log_message(self, *args: object) -> None:
            """Quietly."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield there
    server.shutdown()
    server.server_close()


def served(text: str = TEXT, version: int = 1, rollout: dict[str, Any] | None = None, **other: object) -> bytes:
    told = {"agent": "support", "document": "prompt", "kind": "prompt", "version": version, "content": text}
    told |= {"sha256": hashlib.sha256(text.encode()).hexdigest(), "rollout": rollout}
    return json.dumps(told | other).encode()


def client(fake: Fake, folder: Path, **settings: Any) -> Countersign:
    return Countersign(fake.url, "key", folder=folder, **{"poll_s": 0.0, "timeout_s": 0.5} | settings)


def say(fake: Fake, status: int, content: bytes = b"", **headers: str) -> None:
    fake.answer = lambda *_: (status, headers, content)


RUBBISH = {
    "a page of somebody else": (200, b"<html>Sign in to the Wi-Fi</html>"),
    "nothing": (200, b""),
    "a text that is not its digest's": (200, served(sha256="0" * 64)),
    "another document": (200, served(document="other")),
    "a version that is none": (200, served(version=True)),
    "no text": (200, served(content=None)),
    "an arm that is none": (200, served(rollout={"arm": "both"})),
    "half a pair": (200, served().replace(b"kind.", rb"\ud800")),
    "depth": (200, b"[" * 100_000),
    "nothing new of what nobody has": (304, b""),
    "an error": (500, b"oops"),
    "a redirect": (302, b""),
    "gone": (404, b'{"type": "/problems/not-found", "detail": "There is no agent."}'),
}


@pytest.mark.parametrize("what", RUBBISH)
def test_rubbish_is_not_served_and_the_copy_is(fake: Fake, tmp_path: Path, what: str) -> None:
    status, content = RUBBISH[what]
    say(fake, status, content, ETag='"2"')
    with pytest.raises(NeverServed, match="no copy of any"):
        client(fake, tmp_path).instructions("support", "prompt")
    say(fake, 200, served(), ETag='"1"')
    reader = client(fake, tmp_path)
    reader.instructions("support", "prompt")
    say(fake, status, content, ETag='"2"')
    for one in (reader, client(fake, tmp_path)):
        found = one.instructions("support", "prompt")
        assert (found.text, found.version, found.stale) == (TEXT, 1, True)
        assert str(status) in found.problem


def test_the_tag_is_sent_and_304_confirms_the_copy(fake: Fake, tmp_path: Path) -> None:
    reader = client(fake, tmp_path)
    reader.instructions("support", "prompt")
    say(fake, 304, ETag='"1"')
    found = reader.instructions("support", "prompt")
    assert (found.text, found.stale) == (TEXT, False)
    assert fake.asked[-1][2]["if-none-match"] == '"1"'
    assert client(fake, tmp_path).instructions("support", "prompt", unit="u").text == TEXT


def test_it_asks_once_in_the_poll_interval_for_each_unit_also_of_many_threads(fake: Fake, tmp_path: Path) -> None:
    reader = client(fake, tmp_path, poll_s=60)
    threads = [
        threading.Thread(target=reader.instructions, args=("support", "prompt", f"unit {n % 2}")) for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(path.partition("?")[2] for _, path, _ in fake.asked) == ["unit=unit+0", "unit=unit+1"]


@pytest.mark.parametrize("how", ["header", "body"])
def test_a_server_that_drips_is_cut_off_in_time(fake: Fake, tmp_path: Path, how: str) -> None:
    reader = client(fake, tmp_path)
    reader.instructions("support", "prompt")

    def drip(handler: BaseHTTPRequestHandler, body: bytes) -> Answer:
        handler.wfile.write(b"HTTP/1.0 200 OK\r\n" + (b"\r\n" if how == "body" else b"X: "))
        for _ in range(40):
            try:
                handler.wfile.write(b"x")
            except OSError:
                break
            time.sleep(0.1)
        return 200, {}, b""

    fake.answer = drip
    began = time.monotonic()
    assert reader.instructions("support", "prompt").stale
    assert time.monotonic() - began < 1.5


def test_a_unit_that_had_the_candidate_has_it_after_a_cold_start_and_others_have_not(
    fake: Fake, tmp_path: Path
) -> None:
    def by_unit(handler: BaseHTTPRequestHandler, _: bytes) -> Answer:
        arm = "candidate" if "lucky" in handler.path else "current"
        text = "New.\n" if arm == "candidate" else TEXT
        rollout = {"id": 7, "arm": arm, "share": 0.5}
        return 200, {"ETag": f'"{arm}"'}, served(text, 2 if arm == "candidate" else 1, rollout)

    fake.answer = by_unit
    reader = client(fake, tmp_path)
    assert [reader.instructions("support", "prompt", unit).version for unit in ("lucky", "other")] == [2, 1]
    say(fake, 503)
    cold = client(fake, tmp_path)
    found = [cold.instructions("support", "prompt", unit) for unit in ("lucky", "other", "new", None)]
    assert [(one.version, one.arm, one.stale) for one in found] == [(2, "candidate", True)] + [(1, "current", True)] * 3
    assert b"lucky" not in next(tmp_path.glob("*.json")).read_bytes()
    say(fake, 200, served(version=3), ETag='"3"')
    time.sleep(1.1)
    cold.instructions("support", "prompt", "lucky")
    say(fake, 503)
    assert client(fake, tmp_path).instructions("support", "prompt", "lucky").version == 3


def test_what_another_unit_heard_later_goes_for_all_when_the_board_goes(fake: Fake, tmp_path: Path) -> None:
    reader = client(fake, tmp_path, poll_s=0.3)
    reader.instructions("support", "prompt", "early")
    say(fake, 200, served("Taken back.\n", 2), ETag='"2"')
    reader.instructions("support", "prompt", "late")
    say(fake, 503)
    time.sleep(0.35)
    found = reader.instructions("support", "prompt", "early")
    assert (found.text, found.stale) == ("Taken back.\n", True)


def test_a_clock_that_was_wrong_keeps_nothing_new_away(fake: Fake, tmp_path: Path, monkeypatch: Any) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(copies.time, "time", lambda: 4e9)
        client(fake, tmp_path).instructions("support", "prompt")
    say(fake, 200, served("Newer.\n", 2), ETag='"2"')
    found = client(fake, tmp_path).instructions("support", "prompt")
    assert (found.text, found.age < 5) == ("Newer.\n", True)
    say(fake, 503)
    assert client(fake, tmp_path).instructions("support", "prompt").version == 2


def test_pauses_grow_and_what_the_server_asks_for_is_kept(fake: Fake, tmp_path: Path, monkeypatch: Any) -> None:
    now = [100.0]
    monkeypatch.setattr(wire.time, "monotonic", lambda: now[0])
    pause, waited = wire.Pause(), []
    for _ in range(9):
        pause.failed("down")
        began = now[0]
        while not pause.may_try(3.0):
            now[0] += 0.1
        waited.append(now[0] - began)
        assert not pause.may_try(3.0)  # one at a time
    assert all(0.5 * 2**n <= seconds <= 2**n + 0.2 for n, seconds in enumerate(waited[:6]))
    assert max(waited) <= 60.2
    pause.failed("busy", retry_after=120.0)
    now[0] += 119
    assert not pause.may_try(3.0)
    now[0] += 2
    assert pause.may_try(3.0)


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
    fake.answer = lambda _, body: (
        207,
        {},
        json.dumps({"accepted": len(json.loads(body)), "duplicates": 0, "rejected": []}).encode(),
    )
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
    fake.answer = lambda _, body: (
        207,
        {},
        json.dumps({"accepted": len(json.loads(body)), "duplicates": 0, "rejected": []}).encode(),
    )
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

    def slowly(_: BaseHTTPRequestHandler, body: bytes) -> Answer:
        time.sleep(0.05)
        return 207, {}, json.dumps({"accepted": len(json.loads(body)), "duplicates": 0, "rejected": []}).encode()

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
