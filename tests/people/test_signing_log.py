"""What signing in and out, links and passwords leave on the log: who, for whom, how; never a secret."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import AuditEntry
from audit.record import COMMAND_LINE, Actor
from audit.wording import in_words
from people import accounts
from people.exceptions import Deactivated
from people.models import User
from people.signin import sign_in_link

PASSWORD = "a long and good one"


def facts(verb: str) -> list[dict[str, Any]]:
    return [entry.fact for entry in AuditEntry.objects.filter(verb=verb).order_by("pk")]


@pytest.fixture
def with_password(mara: User) -> User:
    mara.set_password(PASSWORD)
    mara.save()
    return mara


def test_a_link_is_recorded_with_its_maker_and_without_itself(ada: User, mara: User) -> None:
    link = sign_in_link(mara, "https://board.example", actor=Actor.person(ada))
    (token,) = parse_qs(urlsplit(link).query)["sesame"]
    (entry,) = AuditEntry.objects.filter(verb="person.link_made")
    assert (entry.actor_label, entry.target_label) == ("Ada Brandt", "Mara Okafor")
    assert token not in entry.body


def test_no_link_is_made_for_a_deactivated_person(ada: User, mara: User) -> None:
    accounts.deactivate(mara.pk, actor=COMMAND_LINE)
    with pytest.raises(Deactivated):
        sign_in_link(User.objects.get(pk=mara.pk), "https://board.example", actor=COMMAND_LINE)
    assert not facts("person.link_made")


def test_signing_in_by_link_is_recorded_once(client: Client, mara: User) -> None:
    link = sign_in_link(mara, "", actor=COMMAND_LINE)
    client.get(link)
    client.post(link)
    Client().post(link)
    (entry,) = facts("person.signed_in")
    assert (entry["actor_label"], entry["after"]) == ("Mara Okafor", {"by": "link"})


def test_signing_in_by_password_and_out_is_recorded(client: Client, with_password: User) -> None:
    address = reverse("account_login")
    client.post(address, {"login": "mara", "password": "wrong"})
    assert not facts("person.signed_in")
    client.post(address, {"login": "mara", "password": PASSWORD})
    (entry,) = facts("person.signed_in")
    assert (entry["actor_id"], entry["after"]) == (str(with_password.pk), {"by": "password"})
    client.post(reverse("account_logout"))
    client.post(reverse("account_logout"))
    (entry,) = facts("person.signed_out")
    assert entry["actor_label"] == "Mara Okafor"


def test_setting_and_changing_a_password_is_recorded_without_it(client: Client, mara: User) -> None:
    client.force_login(mara)
    client.post(reverse("account_set_password"), {"password1": PASSWORD, "password2": PASSWORD})
    assert [fact["after"] for fact in facts("person.password_set")] == [{"first": True}]
    client.force_login(User.objects.get(pk=mara.pk))
    other = "another long and good one"
    client.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": other, "password2": other})
    assert [fact["after"] for fact in facts("person.password_set")] == [{"first": True}, {"first": False}]
    stored = User.objects.get(pk=mara.pk)
    assert stored.check_password(other)
    for entry in AuditEntry.objects.filter(verb="person.password_set"):
        assert not any(secret in entry.body for secret in (PASSWORD, other, stored.password))


def test_setting_a_password_does_not_undo_a_deactivation(ada: User, mara: User) -> None:
    from allauth.account.adapter import get_adapter

    before = User.objects.get(pk=mara.pk)
    accounts.deactivate(mara.pk, actor=COMMAND_LINE)
    get_adapter().set_password(before, PASSWORD)
    assert not User.objects.get(pk=mara.pk).is_active


def test_deactivation_ends_a_session(client: Client, mara: User, ada: User) -> None:
    client.force_login(mara)
    accounts.deactivate(mara.pk, actor=COMMAND_LINE)
    assert client.get("/")["Location"].startswith(reverse("account_login"))


def test_signing_in_asks_a_bounded_number_of_questions(client: Client, with_password: User) -> None:
    with CaptureQueriesContext(connection) as asked:
        client.post(reverse("account_login"), {"login": "mara", "password": PASSWORD})
    assert len(asked) < 40, [query["sql"] for query in asked]


@pytest.mark.parametrize(
    ("verb", "after", "words"),
    [
        ("person.signed_in", {"by": "link"}, ("signed in as", ("by link",))),
        ("person.roles_set", {"roles": ["admin", "auditor"]}, ("set the roles of", ("as admin, auditor",))),
        ("person.roles_set", {"roles": []}, ("set the roles of", ("without any role",))),
        ("person.link_made", None, ("made a sign-in link for", ())),
    ],
)
def test_the_log_says_it_in_words(mara: User, verb: str, after: dict[str, Any] | None, words: object) -> None:
    from audit.record import record

    said = in_words(record(verb, actor=COMMAND_LINE, target=mara, after=after))
    assert (said.verb, said.details) == words
