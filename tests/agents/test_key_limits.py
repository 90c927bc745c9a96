"""API keys held to so many calls a minute and a day."""

import json
import threading
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from agents import keys, limits, spending
from agents.limits import Call
from agents.models import Agent
from agents.spending import Spent, Window
from people.models import User
from reviewapp import health
from tests.agents.test_key_rules import ask, made, send


def look(token: str) -> Any:
    """A call that is neither about instructions nor a report."""
    return Client().get("/api/v1/agents", headers={"Authorization": f"Bearer {token}"})


def test_calls_beyond_the_limit_are_refused_and_headers_say_when_to_come_back(support: Agent, ada: User) -> None:
    _, token = made(support, ada, calls_a_minute=2, calls_a_day=100)
    first = ask(token)
    assert first["RateLimit-Policy"] == '"minute";q=2;w=60'
    assert first["RateLimit"].startswith('"minute";r=1;t=')
    ask(token)
    refused = ask(token)
    assert refused.status_code == 429
    assert refused.json()["type"] == "/problems/quota-exceeded"
    assert 0 < int(refused["Retry-After"]) <= 60
    assert refused["RateLimit"].startswith('"minute";r=0;t=')
    other = look(token)
    assert (other.status_code, other.json()["type"]) == (429, "/problems/quota-exceeded")
    assert other["RateLimit-Policy"] == '"minute";q=2;w=60, "day";q=100;w=86400'
    assert '"day";r=100' in other["RateLimit"]


def test_other_calls_than_those_of_agents_at_work_have_a_limit_of_their_own(
    support: Agent, ada: User, settings: Settings
) -> None:
    settings.COUNTERSIGN_KEY_OTHER_CALLS_A_MINUTE = 2
    _, token = made(support, ada, calls_a_minute=5)
    assert [look(token).status_code for _ in range(3)] == [200, 200, 429]
    assert look(token).json()["detail"].startswith("This API key may make 2 calls a minute that neither fetch")
    assert look(token)["RateLimit-Policy"].startswith('"minute";q=5;w=60, "other";q=2;w=60')
    assert [ask(token).status_code, send(token, '{"rating": "negative"}').status] == [200, 201]
    _, free = made(support, ada, calls_a_minute=0)
    assert [look(free).status_code for _ in range(3)] == [200] * 3


def test_a_key_that_nobody_gave_limits_has_the_boards_and_instructions_take_none_of_the_day(
    client: Client, support: Agent, ada: User
) -> None:
    key, token = made(support, ada)
    assert ask(token)["RateLimit-Policy"] == '"minute";q=30000;w=60'
    assert '"day";r=999999;t=' in look(token)["RateLimit"]
    client.force_login(ada)
    page = client.get(reverse("key", args=[key.prefix])).text
    assert "600 a minute that neither fetch instructions nor report" in page
    told = Client().get(
        f"/api/v1/keys/{key.prefix}", headers={"Authorization": f"Bearer {made(support, ada, 'admin')[1]}"}
    )
    assert told.json()["other_calls_a_minute"] == 600


def test_each_report_of_a_list_counts_as_a_call_of_the_day(support: Agent, ada: User) -> None:
    _, token = made(support, ada, calls_a_day=5)
    some = '[{"rating": "negative"}, {"rating": "negative"}, {"rating": "negative"}]'
    taken = send(token, some)
    assert (taken.status, json.loads(taken.body)["accepted"]) == (207, 3)
    refused = send(token, some)
    assert refused.status == 429
    assert '"day";r=2;t=' in dict(refused.headers)["RateLimit"]
    assert "This list has 3 reports, and 2 more fit into today." in json.loads(refused.body)["detail"]
    assert support.feedback_set.count() == 3
    assert send(token, '{"rating": "negative"}').status == 201
    assert send(token, "[{]").status == 400
    assert send(token, '{"rating": "negative"}').status == 429


def test_a_key_follows_the_board_unless_it_has_limits_of_its_own(support: Agent, ada: User, settings: Settings) -> None:
    settings.COUNTERSIGN_KEY_CALLS_A_MINUTE = 1
    settings.COUNTERSIGN_KEY_CALLS_A_DAY = 0
    _, bound = made(support, ada)
    _, free = made(support, ada, calls_a_minute=0)
    assert [ask(bound).status_code for _ in range(2)] == [200, 429]
    answers = [ask(free) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert "RateLimit" not in answers[0]


@pytest.mark.django_db(transaction=True)
def test_at_once_never_more_pass_than_the_limit_allows(support: Agent, ada: User) -> None:
    _, token = made(support, ada, calls_a_day=7)
    caller, passed = keys.authenticate(token), []

    def call() -> None:
        for _ in range(4):
            try:
                limits.spend({}, caller, Call.REPORT)
                passed.append(1)
            except keys.Problem:
                continue

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 7


def test_without_valkey_each_process_counts_alone_and_every_page_says_so(
    support: Agent, ada: User, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    there, settings.CELERY_BROKER_URL = settings.CELERY_BROKER_URL, "redis://127.0.0.1:1/0"
    _, token = made(support, ada, calls_a_minute=1)
    assert spending.missing() == ""
    answers = [ask(token) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[0]["RateLimit"].startswith('"minute";r=0;t=')
    assert send(made(support, ada)[1], '{"rating": "negative"}').status == 201
    said = "Valkey does not answer: each web process counts the calls of API keys alone; serving and reporting go on."
    assert said in health.degraded()
    settings.CELERY_BROKER_URL = there
    spending._Valkey.asked_from = 0.0
    assert said not in health.degraded()
    assert [ask(token).status_code for _ in range(2)] == [200, 429]


def test_a_valkey_that_was_started_anew_is_asked_again_at_once(support: Agent, ada: User, settings: Settings) -> None:
    _, token = made(support, ada, calls_a_minute=2)
    ask(token)
    client = redis.Redis.from_url(settings.CELERY_BROKER_URL)
    client.client_kill_filter(_id=str(spending._ask("CLIENT", "ID")))
    client.script_flush()
    assert [ask(token).status_code for _ in range(2)] == [200, 429]


def test_counts_go_by_themselves(support: Agent, ada: User, settings: Settings) -> None:
    key, token = made(support, ada, calls_a_minute=5, calls_a_day=5)
    send(token, '{"rating": "negative"}')
    client = redis.Redis.from_url(settings.CELERY_BROKER_URL)
    lives = sorted(client.ttl(name) for name in client.scan_iter(f"countersign:calls:{key.prefix}:*"))
    assert lives[0] <= 120
    assert 120 < lives[1] <= 86_460


def window(most: int, name: str = "day") -> Window:
    return Window(name, most, 60, f"test {uuid4()}")


def spent(*windows: Window, weight: int = 1) -> Spent:
    return spending.spend("holder", windows, [weight] * len(windows))


def test_a_process_that_is_asked_again_and_again_takes_places_in_advance(monkeypatch: pytest.MonkeyPatch) -> None:
    there, asked = window(10_000), list[object]()
    ask = spending._ask

    def noted(*command: str | int) -> Any:
        asked.append(command)
        return ask(*command)

    monkeypatch.setattr(spending, "_ask", noted)
    found = [spent(there) for _ in range(500)]
    assert [one.used for one in found] == [(number,) for number in range(1, 501)]
    assert len(asked) < 20


def test_close_to_the_limit_each_call_is_counted_for_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    there = window(1_000)
    processes: list[dict[str, Any]] = [{}, {}, {}]
    passed = 0
    for number in range(1_500):
        monkeypatch.setattr(spending, "_ahead", processes[number % 3])
        passed += not spent(there).full
    assert passed == 1_000


def test_what_was_taken_in_advance_is_given_back_when_the_minute_is_over() -> None:
    day, minutes = window(1_000_000), [window(1_000_000, "minute") for _ in range(2)]
    for _ in range(300):
        spent(minutes[0], day)
    assert spent(minutes[1], day).used == (1, 301)
    link = redis.Redis.from_url(str(django_settings.CELERY_BROKER_URL))
    assert int(link.get(day.key) or 0) == 301 + spending._ahead["holder"].left


def test_a_list_that_does_not_fit_is_refused_whole_and_takes_nothing() -> None:
    there = window(10)
    assert spent(there, weight=8) == Spent(0, (8,))
    assert spent(there, weight=3) == Spent(1, (8,))
    assert spent(there, weight=2) == Spent(0, (10,))
