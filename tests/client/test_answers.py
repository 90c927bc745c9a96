"""The Python client and whatever may answer in the board's place."""

import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from countersign import NeverServed, copies, wire
from tests.stand_in import TEXT, Answer, Fake, client, say, served

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
