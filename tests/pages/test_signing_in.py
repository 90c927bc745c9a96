"""Signing in by link or password, themes, settings, and the pages for when something is wrong."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from agents.keys import create
from agents.models import Agent, ApiKey
from audit.record import SYSTEM
from people.models import User
from people.signin import first_admin, one_time_link


@pytest.fixture
def link(ada: User) -> str:
    return one_time_link("http://testserver").removeprefix("http://testserver")


def test_opening_the_link_uses_nothing_up(client: Client, link: str) -> None:
    for _ in range(3):
        assert "Sign in as Ada Brandt" in client.get(link).text
    assert "_auth_user_id" not in client.session


def test_the_button_signs_in_once(client: Client, link: str, ada: User) -> None:
    response = client.post(link)
    assert response.status_code == 303
    assert response["Location"] == reverse("queue")
    assert client.session["_auth_user_id"] == str(ada.pk)
    late = Client().post(link)
    assert late.status_code == 403
    assert "python manage.py sign_in_link" in late.text


@pytest.mark.parametrize("query", ["", "?sesame=", "?sesame=nonsense", "?sesame=%00"])
def test_a_mangled_link_says_what_to_do(client: Client, db: None, query: str) -> None:
    response = client.get(reverse("sign_in_by_link") + query)
    assert response.status_code == 403
    assert "python manage.py sign_in_link" in response.text


def test_the_link_of_a_closed_account_is_dead(client: Client, link: str, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_active=False)
    assert client.post(link).status_code == 403


def test_the_command_prints_a_link_and_makes_the_first_admin(db: None) -> None:
    out = StringIO()
    call_command("sign_in_link", "--url", "https://board.example/", stdout=out)
    assert out.getvalue().startswith("https://board.example/sign-in/?sesame=")
    assert User.objects.get().username == "admin"


def test_a_wrong_password_says_what_to_do_next(client: Client, mara: User) -> None:
    answer = client.post(reverse("account_login"), {"login": "mara", "password": "wrong"})
    assert "Type them again, or ask an admin for a link." in answer.text


def test_name_and_password_sign_in(client: Client, mara: User) -> None:
    mara.set_password("a long and good one")
    mara.save()
    address = reverse("account_login")
    wrong = client.post(address, {"login": "mara", "password": "a bad one"})
    assert wrong.status_code == 200
    assert 'role="alert"' in wrong.text
    right = client.post(address, {"login": "mara", "password": "a long and good one"})
    assert right["Location"] == reverse("queue")
    assert client.post(reverse("account_logout")).status_code == 302
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("name", ["signup", "password/reset", "email"])
def test_no_other_account_page_is_reachable(client: Client, mara: User, name: str) -> None:
    client.force_login(mara)
    assert client.get(f"/account/{name}/").status_code == 404


def test_a_person_without_a_password_sets_one(client: Client, mara: User) -> None:
    client.force_login(mara)
    address = reverse("account_set_password")
    assert "Set your password" in client.get(address).text
    client.post(address, {"password1": "a long and good one", "password2": "a long and good one"})
    mara.refresh_from_db()
    assert mara.check_password("a long and good one")


@pytest.mark.parametrize("theme", ["dark", "light", "system"])
def test_the_theme_is_kept_with_the_person(client: Client, mara: User, theme: str) -> None:
    client.force_login(mara)
    response = client.post(reverse("set_theme"), {"theme": theme, "next": "/patterns/"})
    assert response["Location"] == "/patterns/"
    assert f'data-theme="{theme}"' in client.get("/settings/").text


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "settings", "nowhere"]
)
def test_the_theme_button_leads_nowhere_else(client: Client, mara: User, back: str) -> None:
    client.force_login(mara)
    response = client.post(reverse("set_theme"), {"theme": "neon", "next": back})
    assert response["Location"] == reverse("settings")


def test_settings_show_people_roles_and_rules(client: Client, luis: User, mara: User) -> None:
    client.force_login(luis)
    page = client.get(reverse("settings")).text
    assert "Mara Okafor" in page
    assert "Two people" in page


def test_a_stranger_sees_only_themselves(client: Client, stranger: User, mara: User) -> None:
    client.force_login(stranger)
    page = client.get(reverse("settings")).text
    assert "Sam Stranger" in page
    assert "Mara Okafor" not in page


def test_an_admin_creates_a_key_seen_once_and_revokes_it(client: Client, ada: User, support: Agent) -> None:
    client.force_login(ada)
    sent = {"label": "Production", "scopes": ["ingest", "read"], "days": "30", "owner": ada.pk}
    response = client.post(reverse("new_key", args=["support"]), sent)
    key = ApiKey.objects.get()
    assert response.status_code == 201
    assert f"csk_{key.prefix}_" in response.text
    assert "no-store" in response["Cache-Control"]
    assert f"csk_{key.prefix}_" not in client.get(reverse("agent", args=["support"])).text
    assert client.post(reverse("revoke_key", args=[key.prefix])).status_code == 303
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_only_admins_touch_keys(client: Client, mara: User, support: Agent) -> None:
    key, _ = create(support, ["read"], owner=first_admin(), actor=SYSTEM)
    client.force_login(mara)
    assert client.post(reverse("revoke_key", args=[key.prefix])).status_code == 403
    assert "Revoke" not in client.get(reverse("agent", args=["support"])).text


@pytest.mark.parametrize(
    "address", ["/proposals/999/", "/patterns/999/", "/patterns/across/999/", "/agents/none/", "/agents/support/none/"]
)
def test_what_is_not_there_is_a_plain_404(client: Client, mara: User, support: Agent, address: str) -> None:
    client.force_login(mara)
    response = client.get(address)
    assert response.status_code == 404
    assert response["X-Request-Id"] in response.text


def test_a_broken_page_names_the_request(client: Client, mara: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client.force_login(mara)
    client.raise_request_exception = False
    monkeypatch.setattr("proposals.queue.counts", None)
    response = client.get("/")
    assert response.status_code == 500
    assert response["X-Request-Id"] in response.text


def test_too_much_at_once_is_said_in_words(client: Client, mara: User) -> None:
    client.force_login(mara)
    response = client.post(reverse("set_theme"), {"theme": "d" * 6_000_000})
    assert response.status_code == 400
    assert "too much at once" in response.text


def test_a_foreign_host_name_is_told_of_the_setting(client: Client) -> None:
    response = client.get("/", headers={"host": "elsewhere.example"})
    assert response.status_code == 400
    assert "ALLOWED_HOSTS" in response.text


def test_a_form_from_an_old_page_is_refused_plainly(mara: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(mara)
    response = client.post(reverse("set_theme"), {"theme": "dark"})
    assert response.status_code == 403
    assert "reload the page" in response.text


def test_pages_carry_no_inline_script_or_style(client: Client, mara: User) -> None:
    client.force_login(mara)
    response = client.get("/")
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert " style=" not in response.text
    assert "<style" not in response.text
    assert "<script>" not in response.text
