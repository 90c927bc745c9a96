"""Acts that open doors ask again who it is, of whoever proved it too long ago; what was typed is there again after."""

import json
import time

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from agents.freezing import frozen
from agents.keys import create
from agents.models import Agent, ApiKey
from agents.protection import protect
from audit.models import AuditEntry
from audit.record import SYSTEM
from people.models import Team, User
from people.teams import create_team
from reviewapp import proofs
from tests.pages.test_matrix import MATRIX, ONES_OWN, OPEN

PASSWORD = "a long and good one"
CONFIRM = "/account/confirm/"


@pytest.fixture
def later(client: Client, ada: User) -> Client:
    """Ada's session, an hour after she signed in."""
    ada.set_password(PASSWORD)
    ada.save()
    client.force_login(ada)
    session = client.session
    session["proved_at"] = time.time() - 3600
    session.save()
    return client


def prove(client: Client, asked: str) -> str:
    """Confirm, and give the page that is come back to."""
    answer = client.post(asked, {"password": PASSWORD})
    assert answer.status_code == 303
    page = client.get(answer["Location"])
    assert "Nothing was done yet: press again." in page.text
    return str(page.text)


def test_each_of_them_asks_and_does_nothing_before(later: Client, ada: User, mara: User, support: Agent) -> None:
    team = create_team("Billing", members=[], actor=SYSTEM)
    key, _ = create(support, ["read"], owner=ada, actor=SYSTEM)
    named: dict[str, tuple[object, ...]] = {
        **dict.fromkeys(("audit_export", "new_person", "new_team"), ()),
        **dict.fromkeys(("team", "dissolve_team"), (team.pk,)),
        **dict.fromkeys(("new_key", "agent_team", "traffic"), ("support",)),
        **dict.fromkeys(("rotate_key", "set_key_rules", "lift_quarantine", "end_probation"), (key.prefix,)),
        "sections": ("support", "system-prompt"),
        "unprotect": ("support", "system-prompt", 1),
    }
    before = AuditEntry.objects.count()
    for name in proofs.ACTS:
        answer = later.post(reverse(name, args=named.get(name, (mara.pk,))), {"form": "csv"})
        assert (answer.status_code, answer["Location"].startswith(CONFIRM)) == (303, True), name
    assert AuditEntry.objects.count() == before


def test_every_address_that_takes_a_form_says_whether_it_asks() -> None:
    only_shown = {"settings", "account_inactive", "mfa_index", "add_factor", "openid_connect_callback", "gate"}
    taking = {name for name, row in MATRIX.items() if row.sent_by} | (ONES_OWN | OPEN) - only_shown
    places = (proofs.BY_ITSELF, proofs.CLOSES, proofs.UNDER_REVIEW, proofs.SMALL, proofs.PROVES)
    said = [*proofs.ACTS, *(name for place in places for name in place)]
    assert sorted(said) == sorted(taking)


def test_lifting_a_freeze_asks_and_freezing_does_not(later: Client) -> None:
    freeze = reverse("freeze")
    assert later.post(freeze, {"act": "freeze", "reason": "Something is off."})["Location"] == freeze
    lifted = {"act": "thaw", "reason": "All is well."}
    asked = later.post(freeze, lifted)["Location"]
    assert frozen() is not None
    answer = later.post(asked, {"password": PASSWORD})
    assert 'value="All is well."' in later.get(answer["Location"]).text
    later.post(freeze, lifted)
    assert frozen() is None


def test_only_another_address_for_notices_asks(later: Client, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(email="ada@board.example")
    notices, sent = reverse("set_mails"), {"address": "ada@board.example", "kind": ["account.changed"]}
    assert later.post(notices, sent)["Location"] == reverse("notices")
    ada.refresh_from_db()
    assert ada.mails == ["account.changed"]
    page = prove(later, later.post(notices, sent | {"address": "eve@evil.example"})["Location"])
    assert 'value="eve@evil.example"' in page
    ada.refresh_from_db()
    assert ada.email == "ada@board.example"


def test_the_page_of_what_protects_a_section_is_come_back_to(later: Client, support: Agent, ada: User) -> None:
    section = protect(support.documents.get(), "Safety", owners=[ada], actor=SYSTEM)
    here = ("support", support.documents.get().slug)
    asked = later.post(reverse("unprotect", args=[*here, section.pk]))["Location"]
    assert later.post(asked, {"password": PASSWORD})["Location"] == reverse("sections", args=here)
    section.refresh_from_db()
    assert section.is_protected


def test_acts_that_only_close_a_door_ask_nothing(later: Client, mara: User) -> None:
    for name in ("sign_out_person", "deactivate_person"):
        assert later.post(reverse(name, args=[mara.pk]))["Location"] == reverse("person", args=[mara.pk])
    mara.refresh_from_db()
    assert not mara.is_active


def test_what_was_typed_of_a_person_is_there_again(later: Client, mara: User) -> None:
    address = reverse("change_person", args=[mara.pk])
    sent = {"name": "Mara Weber", "roles": ["operator", "auditor"]}
    page = prove(later, later.post(address, sent)["Location"])
    assert 'value="Mara Weber"' in page
    assert page.count(" checked") == 2
    later.post(address, sent)
    mara.refresh_from_db()
    assert mara.name == "Mara Weber"
    assert "press again" not in later.get(reverse("person", args=[mara.pk])).text


def test_what_was_typed_of_a_key_and_of_a_team_is_there_again(later: Client, support: Agent, aiko: User) -> None:
    key = {"label": "Night shift", "scopes": ["read"], "days": "7", "owner": str(aiko.pk)}
    page = prove(later, later.post(reverse("new_key", args=["support"]), key)["Location"])
    assert 'value="Night shift"' in page
    assert f'<option value="{aiko.pk}" selected>' in page
    assert not ApiKey.objects.exists()
    session = later.session
    session["proved_at"] = time.time() - 3600
    session.save()
    page = prove(later, later.post(reverse("new_team"), {"name": "Billing", "members": [aiko.pk]})["Location"])
    assert 'value="Billing"' in page
    assert " checked" in page
    assert not Team.objects.exists()


def test_what_was_typed_of_the_rules_of_a_key_is_there_again(later: Client, ada: User, support: Agent) -> None:
    key, _ = create(support, ["read"], owner=ada, actor=SYSTEM)
    sent = {"networks": "10.1.0.0/16", "calls_a_minute": "7"}
    page = prove(later, later.post(reverse("set_key_rules", args=[key.prefix]), sent)["Location"])
    assert "10.1.0.0/16" in page
    assert 'value="7"' in page


def test_an_export_comes_back_to_the_log_with_its_filters(later: Client) -> None:
    asked = later.post(f"{reverse('audit_export')}?verb=person.created", {"form": "csv"})["Location"]
    assert later.post(asked, {"password": PASSWORD})["Location"] == f"{reverse('audit_log')}?verb=person.created"


def test_who_may_not_is_told_so_in_the_end_and_the_server_keeps_it(
    later: Client, mara: User, caplog: pytest.LogCaptureFixture
) -> None:
    later.force_login(mara)
    assert later.post(reverse("new_person"), {"username": "eve", "name": "Eve"}).status_code == 403
    (said,) = [json.loads(line.getMessage()) for line in caplog.records if line.name == "reviewapp.pages"]
    assert (said["event"], said["person"], said["path"]) == ("forbidden", "mara", reverse("new_person"))


def test_every_row_names_addresses_there_are() -> None:
    names = set(get_resolver().reverse_dict)
    assert {name for row in proofs.ACTS.items() for name in row if name} <= names
