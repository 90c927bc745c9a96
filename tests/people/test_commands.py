"""People at the command line: add, give roles, let in, keep out."""

from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from agents.keys import create
from agents.models import Agent
from audit.models import AuditEntry
from audit.record import SYSTEM
from people.models import User


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def test_a_person_is_added_with_a_link_that_signs_them_in(client: Client, db: None) -> None:
    link = run("create_person", "noor", "--name", "Noor Vermeer", "--role", "reviewer", "--url", "http://testserver/")
    noor = User.objects.get()
    assert noor.name == "Noor Vermeer"
    assert noor.has_perm("proposals.decide_proposal")
    assert "\n" not in link
    client.post(link.removeprefix("http://testserver"))
    assert client.session["_auth_user_id"] == str(noor.pk)


def test_a_link_is_made_for_whoever_is_named(client: Client, ada: User, mara: User) -> None:
    link = run("sign_in_link", "mara", "--url", "http://testserver")
    assert "Sign in as Mara Okafor" in client.get(link.removeprefix("http://testserver")).text
    entry = AuditEntry.objects.get(verb="person.link_made")
    assert (entry.actor_label, entry.target_label) == ("Command line", "Mara Okafor")


def test_a_link_leads_to_where_the_board_is(settings: Settings, mara: User) -> None:
    settings.COUNTERSIGN_ADDRESS = "http://127.0.0.1:8123"
    assert run("sign_in_link", "mara").startswith("http://127.0.0.1:8123/sign-in/")


def test_roles_are_set_and_taken(mara: User) -> None:
    assert run("set_roles", "mara", "--role", "operator", "--role", "auditor") == "Roles of mara: auditor, operator."
    assert run("set_roles", "mara", "--role", "auditor", "--role", "operator").endswith("as before.")
    assert run("set_roles", "mara", "--none") == "Roles of mara: none."
    assert not mara.groups.exists()


def test_a_person_is_deactivated_and_their_keys_are_named(mara: User, ada: User, support: Agent) -> None:
    key, _ = create(support, ["read"], owner=mara, actor=SYSTEM)
    said = run("deactivate_person", "mara")
    assert said.startswith("mara is deactivated.")
    assert key.prefix in said
    assert run("reactivate_person", "mara") == "mara is active again."


def test_a_lost_second_factor_is_reset(mara: User) -> None:
    Authenticator.objects.create(user=mara, type="totp", data={"secret": ""})
    assert run("reset_factor", "mara") == "mara has no second factor any more."
    assert run("reset_factor", "mara") == "mara had none."
    assert AuditEntry.objects.get(verb="factor.reset").actor_label == "Command line"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["create_person", "mara", "--role", "reviewer"], "somebody called mara already"),
        (["create_person", "noor", "--role", "reviewer", "--name", "x" * 121], "at most 120"),
        (["sign_in_link", "nobody"], "There is no person “nobody”. There are: ada, mara."),
        (["set_roles", "mara"], "Name the roles"),
        (["set_roles", "ada", "--none"], "only active admin"),
        (["deactivate_person", "ada"], "only active admin"),
        (["reactivate_person", "nobody"], "There is no person"),
    ],
)
def test_commands_explain_what_is_wrong(ada: User, mara: User, arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        run(*arguments)
    assert User.objects.filter(is_active=True).count() == 2
