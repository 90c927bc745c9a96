"""Managing people in the browser: plain forms, admins only, each act on the log."""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from agents.keys import create
from agents.models import Agent, Document
from agents.protection import protect
from audit.models import AuditEntry
from audit.record import SYSTEM
from people.models import User

PAGES: dict[str, Callable[[User], str]] = {
    "new person": lambda person: reverse("new_person"),
    "person": lambda person: reverse("person", args=[person.pk]),
}
ACTS: dict[str, Callable[[User], str]] = {
    name: lambda person, name=name: reverse(name, args=[person.pk])  # type: ignore[misc]
    for name in ("change_person", "deactivate_person", "reactivate_person", "make_link")
}
OTHERS = ["mara", "aiko", "luis", "stranger"]


@pytest.fixture
def everybody(mara: User, aiko: User, luis: User, stranger: User, ada: User) -> None:
    """One of each role, and somebody without."""


@pytest.fixture
def admin(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def state(person: User) -> tuple[str, bool, set[str]]:
    found = User.objects.get(pk=person.pk)
    return found.name, found.is_active, set(found.groups.values_list("name", flat=True))


@pytest.mark.parametrize("name", PAGES)
def test_nobody_is_sent_to_sign_in(client: Client, jonas: User, name: str) -> None:
    assert client.get(PAGES[name](jonas))["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("username", OTHERS)
@pytest.mark.usefixtures("everybody")
def test_only_an_admin_opens_the_pages(client: Client, jonas: User, username: str, name: str) -> None:
    client.force_login(User.objects.get(username=username))
    assert client.get(PAGES[name](jonas)).status_code == 403
    client.force_login(User.objects.get(username="ada"))
    assert client.get(PAGES[name](jonas)).status_code == 200


@pytest.mark.parametrize("name", [*ACTS, "new person"])
@pytest.mark.parametrize("username", OTHERS)
@pytest.mark.usefixtures("everybody")
def test_nobody_but_an_admin_changes_anything(client: Client, jonas: User, username: str, name: str) -> None:
    client.force_login(User.objects.get(username=username))
    people, entries, before = User.objects.count(), AuditEntry.objects.count(), state(jonas)
    sent = {"username": "eve", "name": "Eve", "roles": ["admin"]}
    assert client.post({**ACTS, **PAGES}[name](jonas), sent).status_code == 403
    assert (User.objects.count(), AuditEntry.objects.count(), state(jonas)) == (people, entries, before)


@pytest.mark.parametrize("name", ACTS)
def test_no_act_happens_by_opening_its_address(admin: Client, jonas: User, name: str) -> None:
    assert admin.get(ACTS[name](jonas)).status_code == 405
    assert state(jonas) == ("Jonas Weber", True, {"reviewer"})


@pytest.mark.parametrize("address", ["/settings/people/999/", "/settings/people/99999999999999999999999/"])
def test_nobody_there_is_a_404(admin: Client, address: str) -> None:
    assert admin.get(address).status_code == 404
    assert admin.post(f"{address}link/").status_code == 404


def test_a_second_person_is_added_and_signs_in_by_the_link_shown_once(admin: Client, ada: User) -> None:
    sent = {"username": "noor", "name": "Noor Vermeer", "roles": ["reviewer", "operator"]}
    response = admin.post(reverse("new_person"), sent)
    assert response.status_code == 201
    assert "no-store" in response["Cache-Control"]
    link = re.search(r"http://testserver(/sign-in/\S+?)<", response.text)
    assert link
    noor = User.objects.get(username="noor")
    assert state(noor) == ("Noor Vermeer", True, {"reviewer", "operator"})
    assert link[1] not in admin.get(reverse("person", args=[noor.pk])).text
    guest = Client()
    guest.post(link[1])
    assert guest.session["_auth_user_id"] == str(noor.pk)
    made = AuditEntry.objects.get(verb="person.link_made")
    assert (made.actor_label, made.target_label) == ("Ada Brandt", "Noor Vermeer")


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"username": "", "name": "Noor"}, "Give a username."),
        ({"username": "noor", "name": ""}, "Give a name."),
        ({"username": "Jonas", "name": "Noor"}, "There is somebody called Jonas already."),
        ({"username": "two words", "name": "Noor"}, "valid username"),
        ({"username": "noor", "name": "Noor", "roles": ["king"]}, "king"),
        ({"username": "no\0or", "name": "Noor"}, "Null characters"),
    ],
)
def test_a_wrong_form_says_what_and_adds_nobody(
    admin: Client, jonas: User, sent: dict[str, str], sentence: str
) -> None:
    response = admin.post(reverse("new_person"), sent)
    assert response.status_code == 422
    assert sentence in response.text
    assert User.objects.count() == 2


def test_name_and_roles_are_changed_in_one_form(admin: Client, jonas: User) -> None:
    address, sent = reverse("change_person", args=[jonas.pk]), {"name": "Jonas Meier", "roles": ["auditor"]}
    response = admin.post(address, sent)
    assert response.status_code == 303
    assert state(jonas) == ("Jonas Meier", True, {"auditor"})
    assert "Nothing was changed." in admin.post(address, sent, follow=True).text
    assert AuditEntry.objects.filter(verb__in=["person.renamed", "person.roles_set"]).count() == 2


def test_the_last_admin_is_told_why_and_nothing_is_half_done(admin: Client, ada: User) -> None:
    response = admin.post(reverse("change_person", args=[ada.pk]), {"name": "Ada B.", "roles": ["reviewer"]})
    assert response.status_code == 409
    assert "This is the only active admin." in response.text
    assert admin.post(reverse("deactivate_person", args=[ada.pk])).status_code == 409
    assert state(ada) == ("Ada Brandt", True, {"admin"})


def test_a_person_is_deactivated_and_the_page_says_what_they_own(
    admin: Client, jonas: User, support: Agent, prompt: Document
) -> None:
    key, _ = create(support, ["read"], owner=jonas, actor=SYSTEM, label="Night shift")
    protect(prompt, "Safety", owners=[jonas], actor=SYSTEM)
    page = admin.post(reverse("deactivate_person", args=[jonas.pk]), follow=True).text
    assert "Jonas Weber is deactivated." in page
    assert "Night shift" in page
    assert "Safety" in page
    assert "never stopped working" in page
    key.refresh_from_db()
    assert key.revoked_at is None
    assert admin.post(reverse("make_link", args=[jonas.pk])).status_code == 409
    assert "Jonas Weber is active again." in admin.post(reverse("reactivate_person", args=[jonas.pk]), follow=True).text


def test_settings_lead_admins_to_people_and_nobody_else(admin: Client, ada: User, luis: User) -> None:
    address = reverse("person", args=[luis.pk])
    page = admin.get(reverse("settings")).text
    assert address in page
    assert reverse("new_person") in page
    admin.force_login(luis)
    page = admin.get(reverse("settings")).text
    assert "Luis Romero" in page
    assert address not in page


def test_a_person_with_many_keys_asks_no_more_questions(
    admin: Client, jonas: User, support: Agent, prompt: Document
) -> None:
    def count() -> int:
        create(support, ["read"], owner=jonas, actor=SYSTEM)
        with CaptureQueriesContext(connection) as asked:
            admin.get(reverse("person", args=[jonas.pk]))
        return len(asked)

    count()
    few = count()
    assert [count() for _ in range(9)][-1] == few < 30
