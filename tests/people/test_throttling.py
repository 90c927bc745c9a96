"""Too many tries at a password: nobody is let in for a while, and the answer says so; with Valkey and without."""

import json
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from people.models import User

PASSWORD = "a long and good one"
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def mara_with_password(mara: User) -> User:
    mara.set_password(PASSWORD)
    mara.save()
    return mara


def count_by(settings: Settings, where: str) -> None:
    """From nothing, in what listens there."""
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": where, "KEY_PREFIX": str(uuid4())}}


def attempt(password: str, address: str) -> tuple[int, str]:
    sent = {"login": "mara", "password": password}
    answer = Client(REMOTE_ADDR=address).post(reverse("account_login"), sent)
    return answer.status_code, answer.text


@pytest.mark.parametrize("valkey", [True, False])
def test_after_five_wrong_passwords_the_right_one_has_to_wait(
    mara_with_password: User, settings: Settings, valkey: bool
) -> None:
    count_by(settings, NOWHERE if not valkey else settings.CACHES["default"]["LOCATION"])
    wrong = [attempt(f"wrong {number}", f"192.0.2.{number}")[0] for number in range(5)]
    assert wrong == [200] * 5
    status, page = attempt(PASSWORD, "192.0.2.99")
    assert (status, "Too many tries. Wait five minutes" in page) == (429, True)


def test_one_address_cannot_try_name_after_name(db: None, settings: Settings) -> None:
    count_by(settings, NOWHERE)
    client = Client(REMOTE_ADDR="192.0.2.1")
    statuses = [
        client.post(reverse("account_login"), {"login": f"name{number}", "password": "wrong"}).status_code
        for number in range(11)
    ]
    assert statuses == [200] * 10 + [429]


def test_behind_a_proxy_the_address_that_counts_is_the_persons(mara_with_password: User, settings: Settings) -> None:
    count_by(settings, NOWHERE)
    settings.COUNTERSIGN_TRUSTED_PROXIES = ["127.0.0.1/32"]

    def tried(name: str, came_from: str) -> int:
        client = Client(REMOTE_ADDR="127.0.0.1", headers={"x-forwarded-for": came_from})
        return client.post(reverse("account_login"), {"login": name, "password": "wrong"}).status_code

    assert [tried(f"name{number}", "192.0.2.1") for number in range(11)][-1] == 429
    assert tried("another", "192.0.2.2") == 200


def test_a_wrong_password_is_in_the_log_of_the_server_and_what_was_typed_is_not(
    mara_with_password: User, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    count_by(settings, NOWHERE)
    attempt("not the right one", "192.0.2.7")
    Client(REMOTE_ADDR="192.0.2.8").post(reverse("account_login"), {"login": "a long secret", "password": "x"})
    client = Client(REMOTE_ADDR="192.0.2.9")
    client.force_login(mara_with_password)
    client.post(reverse("account_reauthenticate"), {"password": "not this"})
    new = {"oldpassword": "nor this", "password1": "another long one", "password2": "another long one"}
    client.post(reverse("account_change_password"), new)
    said = [json.loads(line.getMessage()) for line in caplog.records if line.name == "people.tries"]
    assert {one["event"] for one in said} == {"wrong_password"}
    found = [(one["person"], one["address"][-1]) for one in said]
    assert found == [("mara", "7"), ("", "8"), ("mara", "9"), ("mara", "9")]
    assert all(word not in caplog.text for word in ("secret", "not the right", "not this", "nor this"))


def test_a_link_that_is_used_up_is_in_the_log_of_the_server(
    db: None, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get(reverse("sign_in_by_link"), {"sesame": "a-made-up-one"}).status_code == 403
    (said,) = [line.getMessage() for line in caplog.records if line.name == "people.tries"]
    assert json.loads(said)["event"] == "wrong_link"
    assert "made-up" not in said
