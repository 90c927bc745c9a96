"""When reports are turned away because more come than can be stored."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from reviewapp import lean
from reviewapp.crowding import AGAIN_S, FREE_S, REMEMBERED_S, STANDING_S, THREADS, Crowd


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def crowd(clock: Clock) -> Crowd:
    found = Crowd(clock=clock)
    clock.now += 10
    return found


def enter(crowd: Crowd, calls: int = THREADS) -> None:
    for _ in range(calls):
        crowd.enter()


def one_after_another(crowd: Crowd, clock: Clock, seconds: float, between: float = 0.0) -> None:
    """A call is answered every hundredth of a second, and the next one begins `between` later."""
    until = clock.now + seconds
    while clock.now < until:
        clock.now += 0.01
        crowd.leave()
        clock.now += between
        crowd.enter()


def test_a_queue_that_was_there_all_the_time_stands(crowd: Crowd, clock: Clock) -> None:
    enter(crowd)
    one_after_another(crowd, clock, STANDING_S * 0.9)
    assert not crowd.is_standing()
    one_after_another(crowd, clock, STANDING_S * 0.2)
    assert crowd.is_standing()


def test_as_many_calls_with_a_pause_between_them_are_no_queue(crowd: Crowd, clock: Clock) -> None:
    enter(crowd)
    one_after_another(crowd, clock, 10 * STANDING_S, between=1.1 * FREE_S)
    assert not crowd.is_standing()


def test_fewer_calls_than_threads_are_no_queue_however_long_they_last(crowd: Crowd, clock: Clock) -> None:
    enter(crowd, THREADS - 1)
    clock.now += 100 * STANDING_S
    assert not crowd.is_standing()


def test_all_are_let_in_again_once_a_thread_was_free(crowd: Crowd, clock: Clock) -> None:
    enter(crowd)
    one_after_another(crowd, clock, 2 * STANDING_S)
    crowd.leave()
    assert crowd.is_standing(), "the next call may just be on its way"
    clock.now += 1.1 * FREE_S
    assert not crowd.is_standing()
    crowd.enter()
    assert not crowd.is_standing(), "a new queue begins to be counted anew"


def test_the_next_queue_is_noticed_at_once_and_after_a_while_it_is_a_burst_again(crowd: Crowd, clock: Clock) -> None:
    enter(crowd)
    one_after_another(crowd, clock, 2 * STANDING_S)
    assert crowd.is_standing()
    one_after_another(crowd, clock, 0.1, between=2 * FREE_S)
    one_after_another(crowd, clock, 2 * AGAIN_S)
    assert crowd.is_standing()
    one_after_another(crowd, clock, 2 * REMEMBERED_S, between=2 * FREE_S)
    one_after_another(crowd, clock, 2 * AGAIN_S)
    assert not crowd.is_standing()


def test_more_threads_than_expected_count_as_a_queue_as_well(crowd: Crowd, clock: Clock) -> None:
    enter(crowd, 3 * THREADS)
    clock.now += 1.1 * STANDING_S
    assert crowd.is_standing()


def test_threads_that_come_and_go_are_counted_exactly() -> None:
    crowd = Crowd()

    def calls() -> None:
        for _ in range(5_000):
            crowd.enter()
            crowd.leave()

    threads = [threading.Thread(target=calls) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert crowd._inside == 0


@contextmanager
def standing(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[None]:
    full = Crowd(clock=clock)
    enter(full)
    clock.now += 2 * STANDING_S
    monkeypatch.setattr(lean, "crowd", full)
    yield


def call(method: str, path: str, body: bytes = b"") -> tuple[str, dict[str, str], bytes]:
    said: list[Any] = []
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": Body(body),
        "wsgi.url_scheme": "http",
    }
    found = lean.lean_response(environ, lambda status, headers: said.append((status, dict(headers))))
    assert found is not None
    assert not environ["wsgi.input"].left, "an unread body ends in a broken connection"
    return said[0][0], said[0][1], b"".join(found)


class Body:
    def __init__(self, left: bytes) -> None:
        self.left = left

    def read(self, size: int) -> bytes:
        found, self.left = self.left[:size], self.left[size:]
        return found


@pytest.mark.parametrize("path", ["/api/v1/feedback", "/api/v1/runs"])
def test_a_report_that_finds_a_standing_queue_is_told_when_to_come_again(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, path: str
) -> None:
    with standing(monkeypatch, clock):
        status, headers, body = call("POST", path, b'{"agent": "support"}')
    assert (status, headers["Retry-After"]) == ("503 Service Unavailable", "1")
    assert headers["Content-Type"] == "application/problem+json"
    assert json.loads(body)["type"] == "/problems/overloaded"


def test_instructions_are_served_however_long_the_queue_is(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    with standing(monkeypatch, clock):
        status, _, _ = call("GET", "/api/v1/agents/support/instructions/system-prompt")
    assert status == "401 Unauthorized"  # it was asked for its key, as ever
