"""API keys: replaced while they are used, bound to networks."""

import io
import threading
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoCaptureOnCommitCallbacks as CaptureOnCommit
from pytest_django import Settings

from agents import keys
from agents.keys import Rules
from agents.models import Agent, ApiKey
from agents.networks import allows, client_address
from agents.rotation import CannotChange, rotate, set_rules
from agents.wire import Answer, answer
from audit.models import AuditEntry
from audit.record import COMMAND_LINE, SYSTEM, Actor
from audit.wording import in_words
from feedback.api.lean import post_feedback
from people.models import User

READ = "/api/v1/agents/support/instructions/system-prompt"


def made(agent: Agent | None, ada: User, *scopes: str, **rules: Any) -> tuple[ApiKey, str]:
    return keys.create(agent, scopes or ["read", "ingest"], owner=ada, actor=SYSTEM, rules=Rules(**rules))


def ask(token: str, address: str = "127.0.0.1", **headers: str) -> Any:
    return Client(REMOTE_ADDR=address).get(READ, headers={"Authorization": f"Bearer {token}", **headers})


def send(token: str, body: str) -> Answer:
    """Hand in reports the way the server does, past Django."""
    sent = {
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body.encode()),
    }
    environ = {"HTTP_AUTHORIZATION": f"Bearer {token}", "REMOTE_ADDR": "127.0.0.1", **sent}
    return answer(post_feedback, environ)


def test_a_replaced_key_works_beside_its_successor_and_then_ends_by_itself(support: Agent, ada: User) -> None:
    key, old = made(support, ada, networks=["10.0.0.0/8", "127.0.0.0/8"], calls_a_day=9000)
    successor, new = rotate(key.prefix, actor=Actor.person(ada), by=ada, overlap_h=2)
    assert (successor.scopes, successor.owner, successor.networks) == (key.scopes, ada, key.networks)
    assert [ask(one).status_code for one in (old, new)] == [200, 200]
    key.refresh_from_db()
    assert key.successor == successor
    assert key.expires_at
    assert timedelta(hours=1.9) < key.expires_at - timezone.now() <= timedelta(hours=2)
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())
    keys._known.clear()
    assert [ask(one).status_code for one in (old, new)] == [401, 200]
    assert "has expired" in ask(old).json()["detail"]


def test_rotation_never_lengthens_a_life_and_is_on_the_log(support: Agent, ada: User) -> None:
    key, _ = keys.create(support, ["read"], owner=ada, actor=SYSTEM, days=1)
    rotate(key.prefix, actor=SYSTEM, overlap_h=24 * 30)
    before, key = key.expires_at, ApiKey.objects.get(pk=key.pk)
    assert key.expires_at == before
    assert key.successor
    assert key.successor.expires_at
    assert timedelta(hours=23) < key.successor.expires_at - timezone.now() <= timedelta(days=1)
    assert [entry.verb for entry in AuditEntry.objects.order_by("-pk")[:2]] == ["key.created", "key.rotated"]


def test_a_key_is_replaced_once_and_only_while_it_works(support: Agent, ada: User) -> None:
    key, _ = made(support, ada)
    successor, _ = rotate(key.prefix, actor=SYSTEM)
    with pytest.raises(CannotChange, match="was replaced already"):
        rotate(key.prefix, actor=SYSTEM)
    keys.revoke(successor.prefix, actor=SYSTEM)
    with pytest.raises(CannotChange, match="is revoked"):
        rotate(successor.prefix, actor=SYSTEM)
    with pytest.raises(CannotChange, match="0 to 2160 hours"):
        rotate(key.prefix, actor=SYSTEM, overlap_h=-1)


def test_nobody_sees_the_secret_of_anothers_key_that_proposes(support: Agent, ada: User, mara: User) -> None:
    key, _ = made(support, mara, "propose")
    with pytest.raises(keys.OwnerRefused, match="has to be your own"):
        rotate(key.prefix, actor=Actor.person(ada), by=ada)
    assert ApiKey.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_replace_a_key_at_once_one_is_refused(support: Agent, ada: User) -> None:
    key, _ = made(support, ada)
    gate, outcomes = threading.Barrier(2), []

    def replace() -> None:
        gate.wait()
        try:
            rotate(key.prefix, actor=SYSTEM)
            outcomes.append("replaced")
        except CannotChange:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=replace) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "replaced"]
    assert ApiKey.objects.count() == 2


def test_the_page_replaces_a_key_and_shows_when_both_were_last_used(client: Client, support: Agent, ada: User) -> None:
    key, old = made(support, ada)
    ask(old, "192.0.2.7")
    client.force_login(ada)
    made_page = client.post(reverse("rotate_key", args=[key.prefix]), {"overlap_h": "48"})
    assert made_page.status_code == 201
    assert "Copy the key now" in made_page.text
    successor = ApiKey.objects.get(predecessor=key)
    assert f"csk_{successor.prefix}_" in made_page.text
    page = client.get(reverse("key", args=[successor.prefix])).text
    assert f"csk_{key.prefix}…" in page
    assert "from 192.0.2.7" in page
    assert "Being replaced" in client.get(reverse("key", args=[key.prefix])).text
    again = client.post(reverse("rotate_key", args=[key.prefix]), {"overlap_h": "48"})
    assert again.status_code == 409
    assert "was replaced already" in again.text


def test_an_admin_key_replaces_keys_of_its_owner_only(support: Agent, ada: User, mara: User) -> None:
    own, others = made(support, ada)[0], made(support, mara)[0]
    _, token = made(support, ada, "read", "ingest", "admin")

    def post(prefix: str) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        return Client().post(f"/api/v1/keys/{prefix}/rotate", '{"overlap_h": 1}', "application/json", headers=headers)

    answer = post(own.prefix)
    assert answer.status_code == 201
    assert ask(answer.json()["key"]).status_code == 200
    assert answer.json()["replaces"] == own.prefix
    assert [post(own.prefix).status_code, post(others.prefix).status_code, post("nobody").status_code] == [
        409,
        403,
        404,
    ]
    listed = Client().get("/api/v1/keys", headers={"Authorization": f"Bearer {token}"}).json()["items"]
    assert {one["prefix"]: one["successor"] for one in listed}[own.prefix] == answer.json()["prefix"]
    assert "key" not in listed[0]


def test_the_command_replaces_a_key(support: Agent, ada: User, capsys: pytest.CaptureFixture[str]) -> None:
    key, _ = made(support, ada)
    call_command("rotate_key", key.prefix, "--overlap-hours", "1")
    said = capsys.readouterr()
    assert ask(said.out.strip()).status_code == 200
    assert f"replaces {key.prefix}, which works until" in said.err
    with pytest.raises(CommandError, match="replaced already"):
        call_command("rotate_key", key.prefix, stdout=StringIO())


def test_a_key_works_from_its_networks_alone_and_the_refusal_names_the_address(support: Agent, ada: User) -> None:
    _, token = made(support, ada, networks=["10.1.0.0/16", "2001:db8::/32"])
    assert ask(token, "10.1.2.3").status_code == 200
    assert ask(token, "2001:db8::1").status_code == 200
    refused = ask(token, "192.0.2.7")
    assert refused.status_code == 403
    assert refused.json()["type"] == "/problems/address-refused"
    assert refused.json()["detail"] == "This API key may not be used from 192.0.2.7."
    assert send(token, '{"rating": "negative"}').status == 403


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_saw(
    support: Agent, ada: User, settings: Settings
) -> None:
    _, token = made(support, ada, networks=["192.0.2.0/24"])
    said = {"X-Forwarded-For": "203.0.113.9, 192.0.2.7"}
    assert ask(token, "10.0.0.1", **said).status_code == 403
    settings.COUNTERSIGN_TRUSTED_PROXIES = ["10.0.0.0/8"]
    keys._known.clear()
    assert ask(token, "10.0.0.1", **said).status_code == 200
    assert ask(token, "198.51.100.1", **said).json()["detail"].endswith("from 198.51.100.1.")
    assert ApiKey.objects.get().last_used_from == "192.0.2.7"


@pytest.mark.parametrize(
    ("remote", "forwarded", "found"),
    [
        ("192.0.2.1", "198.51.100.1", "192.0.2.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.1", "1.1.1.1, unknown", "10.0.0.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("", "198.51.100.1", ""),
    ],
)
def test_only_what_trusted_proxies_wrote_is_believed(remote: str, forwarded: str, found: str) -> None:
    environ = {"REMOTE_ADDR": remote, "HTTP_X_FORWARDED_FOR": forwarded}
    assert client_address(environ, ["10.0.0.0/8"]) == found


@given(st.text(max_size=60), st.text(max_size=30))
def test_whatever_is_forwarded_an_address_comes_out_or_none(forwarded: str, remote: str) -> None:
    found = client_address({"REMOTE_ADDR": remote, "HTTP_X_FORWARDED_FOR": f"{forwarded},10.0.0.1"}, ["10.0.0.0/8"])
    assert not found or allows(("0.0.0.0/0", "::/0"), found)


@pytest.mark.parametrize(
    "written", ["10.0.0.1/8", "nowhere", "1.2.3", "::/129", "a" * 80, ",".join(f"10.0.0.{n}" for n in range(33))]
)
def test_what_is_no_network_is_said_at_the_field(client: Client, support: Agent, ada: User, written: str) -> None:
    key, _ = made(support, ada)
    client.force_login(ada)
    answer = client.post(reverse("set_key_rules", args=[key.prefix]), {"networks": written})
    assert answer.status_code == 422
    assert ApiKey.objects.get().networks == []


def test_rules_are_set_on_the_page_and_the_log_says_from_what_to_what(
    client: Client, support: Agent, ada: User
) -> None:
    key, token = made(support, ada)
    assert ask(token).status_code == 200
    client.force_login(ada)
    sent = {"networks": "10.0.0.0/8 192.0.2.7", "calls_a_minute": "60", "calls_a_day": ""}
    assert client.post(reverse("set_key_rules", args=[key.prefix]), sent).status_code == 303
    key.refresh_from_db()
    assert (key.networks, key.calls_a_minute, key.calls_a_day) == (["10.0.0.0/8", "192.0.2.7/32"], 60, None)
    told = in_words(AuditEntry.objects.get(verb="key.rules_set")).details
    assert told == (
        "from: 10.0.0.0/8, 192.0.2.7/32, which was anywhere",
        "calls a minute: 60, which was as the board says",
    )
    assert not set_rules(key.prefix, keys.rules_of(key), actor=SYSTEM)


def test_a_key_that_is_changed_is_looked_up_anew_at_once_here(
    support: Agent, ada: User, django_capture_on_commit_callbacks: CaptureOnCommit
) -> None:
    key, token = made(support, ada)
    assert ask(token).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        set_rules(key.prefix, Rules(["10.0.0.0/8"]), actor=COMMAND_LINE)
    assert ask(token).status_code == 403
