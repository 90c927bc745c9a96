"""The same report from many hands at once, on real connections."""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from agents import keys
from agents.models import Agent
from agents.wire import Answer, answer
from audit.record import SYSTEM
from feedback.api.lean import post_feedback
from feedback.models import Feedback
from people.signin import first_admin

pytestmark = pytest.mark.django_db(transaction=True)


def post(token: str, body: Any) -> Answer:
    raw = json.dumps(body).encode()
    environ = {
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(raw)),
        "wsgi.input": BytesIO(raw),
    }
    return answer(post_feedback, environ)


def at_once(count: int, call: Callable[[int], Answer]) -> list[Answer]:
    """Run `call(0…count-1)` in as many threads, all let go at the same moment, each on a connection of its own."""
    barrier = Barrier(count)

    def one(number: int) -> Answer:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            return call(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@pytest.fixture
def token(support: Agent) -> str:
    return keys.create(support, ["ingest"], owner=first_admin(), actor=SYSTEM)[1]


def test_fifty_times_the_same_id_makes_one_row(token: str) -> None:
    body = {"id": "same", "rating": "negative", "reason": "Wrong"}
    statuses = Counter(found.status for found in at_once(50, lambda _: post(token, body)))
    assert statuses == {201: 1, 200: 49}
    assert Feedback.objects.count() == 1


def test_of_different_bodies_under_one_id_exactly_one_is_kept(token: str) -> None:
    found = at_once(20, lambda number: post(token, {"id": "same", "reason": f"Reason {number}"}))
    assert Counter(one.status for one in found) == {201: 1, 409: 19}
    winner = [one.status for one in found].index(201)
    assert Feedback.objects.get().reason == f"Reason {winner}"


def test_different_ids_at_once_are_all_stored(token: str) -> None:
    found = at_once(40, lambda number: post(token, {"id": f"f{number}", "rating": "positive"}))
    assert {one.status for one in found} == {201}
    assert Feedback.objects.count() == 40


def test_overlapping_lists_in_opposite_order_count_each_report_once(token: str) -> None:
    reports = [{"id": f"f{number}", "rating": "positive"} for number in range(300)]
    found = at_once(8, lambda number: post(token, reports if number % 2 else reports[::-1]))
    answers = [json.loads(one.body) for one in found]
    assert sum(one["accepted"] for one in answers) == 300
    assert sum(one["duplicates"] for one in answers) == 7 * 300
    assert Feedback.objects.count() == 300


def test_a_report_whose_agent_vanished_does_not_take_its_neighbours_with_it(token: str, support: Agent) -> None:
    caller = keys.authenticate(token)
    _, ghost_token = keys.create(None, ["ingest"], owner=first_admin(), actor=SYSTEM)
    keys.authenticate(ghost_token).agent_ids["ghost"] = support.pk + 1000
    assert caller.agent_id == support.pk

    def one(number: int) -> Answer:
        if number == 3:
            with pytest.raises(Exception, match="foreign key"):
                post(ghost_token, {"agent": "ghost", "rating": "positive"})
            return Answer(0, b"")
        return post(token, {"rating": "positive"})

    statuses = Counter(found.status for found in at_once(12, one))
    assert (statuses[201], Feedback.objects.count()) == (11, 11)
