"""The board tells how it is."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from audit.models import Verification
from people.models import User
from reviewapp import health
from reviewapp.models import Heartbeat
from reviewapp.tasks import heartbeat, tick_was_sent, worker_is_ready

pytestmark = pytest.mark.django_db


def everything_beats() -> None:
    heartbeat()
    Heartbeat.beat(Heartbeat.Process.SCHEDULER)


def silent_for(process: Heartbeat.Process, silence: timedelta) -> None:
    Heartbeat.objects.filter(process=process).update(at=F("at") - silence)


def test_healthz_answers_anybody_without_the_database(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


def test_readyz_is_ready_when_everything_beats(client: Client) -> None:
    everything_beats()
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["ready"] is True
    assert answer.json()["degraded"] == []
    assert 0 <= answer.json()["worker_silent_s"] < 60


def test_a_silent_worker_degrades_the_board_but_keeps_it_serving(client: Client) -> None:
    everything_beats()
    silent_for(Heartbeat.Process.WORKER, timedelta(minutes=5))
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["degraded"] == [
        "The worker has been silent for 5 min: mining, drafting and rollouts are paused; serving and reporting go on."
    ]


def test_processes_that_never_ran_are_told_of() -> None:
    assert [sentence.split(":")[0] for sentence in health.degraded()] == [
        "The worker has never run",
        "The scheduler has never run",
    ]


def test_degraded_costs_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    everything_beats()
    with django_assert_num_queries(1):
        assert health.degraded() == []


def test_a_log_found_damaged_is_told_of_everywhere_until_it_is_found_sound(client: Client, mara: User) -> None:
    everything_beats()
    found = {"asked_by": "the nightly check", "entries": 16, "checkpoints": 0}
    Verification.objects.create(**found, fault_at=17, fault="it was changed")
    client.force_login(mara)
    damage = "The audit log is damaged: entry 17 is bad: it was changed."
    assert client.get("/readyz").json()["degraded"] == [damage]
    assert "countersign_audit_sound 0.0" in client.get("/metrics").text
    page = client.get(reverse("agents")).text
    assert f'role="alert"><b>{damage}</b>' in page
    assert damage not in client.get(reverse("audit_log")).text  # which says it in its own words
    Verification.objects.create(**found)
    assert health.degraded() == []
    assert "countersign_audit_sound 1.0" in client.get("/metrics").text
    assert damage not in client.get(reverse("agents")).text


def test_an_unapplied_migration_is_not_ready(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'reviewapp' AND name LIKE '0001%%'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "reason": "not all migrations are applied: 1 missing"}


def test_metrics_are_prometheus_text(client: Client) -> None:
    everything_beats()
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "countersign_database_up 1.0" in answer.content.decode()
    assert 'countersign_seconds_since_heartbeat{process="worker"}' in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_worker_and_scheduler_give_their_first_sign_of_life_before_the_first_tick() -> None:
    worker_is_ready()
    tick_was_sent()
    assert set(Heartbeat.objects.values_list("process", flat=True)) == {"worker", "scheduler"}


@pytest.mark.django_db(transaction=True)
def test_transactional_tests_start_with_empty_tables() -> None:
    assert not Heartbeat.objects.exists()
