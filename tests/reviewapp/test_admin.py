"""Django's admin: for superusers, for looking, and without secrets."""

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import Settings

from agents.keys import create
from agents.models import Agent, ApiKey
from audit.models import AuditEntry
from audit.record import SYSTEM
from audit.wording import in_words
from people.models import User
from proposals.models import Proposal
from reviewapp.admin import site


@pytest.fixture
def root(db: None) -> User:
    """A superuser, with a password."""
    return User.objects.create(username="root", is_superuser=True, is_staff=True, password=make_password("hidden"))


def test_only_superusers_come_in(client: Client, ada: User, root: User) -> None:
    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == f"{reverse('account_login')}?next=/admin/"
    User.objects.filter(pk=ada.pk).update(is_staff=True)
    client.force_login(ada)
    assert client.get("/admin/", follow=True).status_code == 403
    assert client.get("/admin/audit/auditentry/", follow=True).status_code == 403
    client.force_login(root)
    page = client.get("/admin/")
    assert "Audit entries" in page.text
    assert " style=" not in page.text


def test_records_are_listed_and_shown(client: Client, root: User, pending: Proposal) -> None:
    client.force_login(root)
    for row in (root, pending, pending.document, AuditEntry.objects.latest("pk")):
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        assert client.get(reverse(f"{name}_changelist")).status_code == 200, name
        shown = client.get(reverse(f"{name}_change", args=[row.pk]))
        assert (shown.status_code, "/vendor/" in shown.text) == (200, False), name


def test_the_log_says_who_looked_at_which_rows(client: Client, root: User, ada: User) -> None:
    client.force_login(root)
    client.get("/admin/people/user/", {"p": "1"})
    client.get(reverse("admin:people_user_change", args=[ada.pk]))
    client.get(reverse("admin:people_user_change", args=[10**6]))
    entries = list(AuditEntry.objects.filter(verb="record.read").order_by("pk"))
    assert [(entry.actor_label, entry.target_label, *in_words(entry).details) for entry in entries] == [
        ("root", "People | user", "page 1"),
        ("root", "People | user", str(ada.pk)),
    ]
    assert "Ada" not in "".join(entry.body for entry in entries)


def test_no_second_history_is_offered(client: Client, root: User, ada: User) -> None:
    client.force_login(root)
    assert "Recent actions" not in client.get("/admin/").text
    page = client.get(reverse("admin:people_user_change", args=[ada.pk])).text
    assert not any(word in page for word in ("History", "Staff status"))
    assert client.get(reverse("admin:people_user_history", args=[ada.pk])).status_code == 404


def test_nothing_is_added_changed_or_deleted(client: Client, rf: RequestFactory, root: User, ada: User) -> None:
    asked = rf.get("/admin/")
    asked.user = root
    for records in site._registry.values():
        may = records.get_model_perms(asked)
        assert may == {"add": False, "change": False, "delete": False, "view": True}, records
        assert records.get_actions(asked) == {}, records
    client.force_login(root)
    before = AuditEntry.objects.count(), User.objects.count()
    for name, pk in (("people_user", ada.pk), ("audit_auditentry", AuditEntry.objects.earliest("pk").pk)):
        assert client.post(reverse(f"admin:{name}_add"), {}).status_code == 403
        assert client.post(reverse(f"admin:{name}_change", args=[pk]), {"name": "x"}).status_code == 403
        assert client.post(reverse(f"admin:{name}_delete", args=[pk]), {"post": "yes"}).status_code == 403
    assert (AuditEntry.objects.count(), User.objects.count()) == before
    ada.refresh_from_db()
    assert ada.name == "Ada Brandt"


def test_secrets_and_their_hashes_are_not_shown(client: Client, root: User, support: Agent) -> None:
    create(support, ["read"], owner=root, actor=SYSTEM)
    client.force_login(root)
    page = client.get(reverse("admin:people_user_change", args=[root.pk])).text
    assert "root" in page
    assert User.objects.get(pk=root.pk).password not in page
    page = client.get(reverse("admin:agents_apikey_change", args=[ApiKey.objects.get().pk])).text
    assert "digest" not in page.lower()


def test_a_second_factor_is_asked_for_here_too(client: Client, root: User, settings: Settings) -> None:
    settings.COUNTERSIGN_SECOND_FACTOR = frozenset({"admin"})
    client.force_login(root)
    assert client.get("/admin/")["Location"] == reverse("add_factor")


def test_it_has_no_password_page_of_its_own(client: Client, root: User) -> None:
    client.force_login(root)
    assert client.get("/admin/password_change/")["Location"] == reverse("account_change_password")
    assert client.post("/admin/logout/")["Location"] == reverse("account_logout")
