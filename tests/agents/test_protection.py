"""Protected sections: by whom, with which owners, on the log; by command and in the browser."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from agents.models import Agent, Document, Section
from agents.protection import CannotProtect, headings, protect, unprotect
from agents.versions import create_document
from audit.models import AuditEntry
from audit.record import COMMAND_LINE, SYSTEM
from audit.wording import in_words
from people import accounts
from people.models import User

ADDRESS = "/agents/support/system-prompt/sections/"


def entries(verb: str) -> list[tuple[object, object]]:
    found = AuditEntry.objects.filter(verb=verb).order_by("pk")
    return [(entry.fact["before"], entry.fact["after"]) for entry in found]


def test_each_change_of_protection_is_on_the_log_with_both_sides(prompt: Document, mara: User, jonas: User) -> None:
    protect(prompt, "Safety", owners=[mara], actor=SYSTEM)
    protect(prompt, "Safety", owners=[mara], actor=SYSTEM)
    protect(prompt, "Safety", owners=[jonas, mara], actor=SYSTEM)
    assert unprotect(prompt, "Safety", actor=SYSTEM)
    assert not unprotect(prompt, "Safety", actor=SYSTEM)
    none = {"protected": False, "owners": []}
    one, two = {"protected": True, "owners": ["mara"]}, {"protected": True, "owners": ["jonas", "mara"]}
    assert entries("section.protected") == [(none, one), (one, two)]
    assert entries("section.unprotected") == [(two, none)]
    assert not Section.objects.get().owners.exists()


def test_a_heading_is_found_as_a_reader_would(prompt: Document, mara: User) -> None:
    assert headings(prompt) == ["Support agent", "Role", "Refunds", "Safety"]
    assert protect(prompt, "safety ", owners=[mara], actor=SYSTEM).heading == "Safety"


def test_what_nobody_could_approve_is_not_protected(prompt: Document, aiko: User, mara: User, ada: User) -> None:
    with pytest.raises(CannotProtect, match="There are: Support agent, Role, Refunds, Safety"):
        protect(prompt, "Safty", owners=[mara], actor=SYSTEM)
    with pytest.raises(CannotProtect, match="needs an owner"):
        protect(prompt, "Safety", owners=[], actor=SYSTEM)
    with pytest.raises(CannotProtect, match="Aiko Tanaka cannot be an owner"):
        protect(prompt, "Safety", owners=[aiko], actor=SYSTEM)
    accounts.deactivate(mara.pk, actor=COMMAND_LINE)
    with pytest.raises(CannotProtect, match="Mara Okafor cannot be an owner"):
        protect(prompt, "Safety", owners=[User.objects.get(pk=mara.pk)], actor=SYSTEM)
    assert not Section.objects.exists()


def test_settings_have_no_sections(support: Agent, mara: User) -> None:
    document = create_document(support, "settings", text="{}", kind=Document.Kind.CONFIG, actor=SYSTEM)
    with pytest.raises(CannotProtect, match="Only a heading of a prompt"):
        protect(document, "Safety", owners=[mara], actor=SYSTEM)


def test_the_commands_protect_and_unprotect(prompt: Document, mara: User) -> None:
    out = StringIO()
    call_command("protect_section", "support", "system-prompt", "Safety", "--owner", "mara", stdout=out)
    call_command("unprotect_section", "support", "system-prompt", "Safety", stdout=out)
    call_command("unprotect_section", "support", "system-prompt", "Safety", stdout=out)
    assert out.getvalue().splitlines() == [
        "Safety is protected; owned by mara.",
        "Safety is no longer protected.",
        "Safety was not protected.",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["protect_section", "support", "none", "Safety", "--owner", "mara"], "There are: system-prompt"),
        (["protect_section", "support", "system-prompt", "None", "--owner", "mara"], "has no section “None”"),
        (["protect_section", "support", "system-prompt", "Safety", "--owner", "nobody"], "no person “nobody”"),
        (["unprotect_section", "support", "system-prompt", "Role"], "never protected. Protected are: none"),
    ],
)
def test_commands_explain_what_is_wrong(prompt: Document, mara: User, arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command(*arguments, stdout=StringIO())
    assert not Section.objects.exists()


@pytest.mark.parametrize("username", ["mara", "aiko", "luis", "stranger"])
@pytest.mark.usefixtures("mara", "aiko", "luis", "stranger")
def test_only_an_admin_protects(client: Client, prompt: Document, username: str) -> None:
    mara = User.objects.get(username="mara")
    section = protect(prompt, "Safety", owners=[mara], actor=SYSTEM)
    client.force_login(User.objects.get(username=username))
    assert client.get(ADDRESS).status_code == (200 if username == "mara" else 403)  # who owns it may look
    assert client.post(ADDRESS, {"heading": "Role", "owners": [mara.pk]}).status_code == 403
    assert client.post(f"{ADDRESS}{section.pk}/unprotect/").status_code == (409 if username == "mara" else 403)
    assert Section.objects.get().is_protected


def test_an_admin_protects_and_unprotects_in_the_browser(
    client: Client, prompt: Document, ada: User, mara: User, aiko: User
) -> None:
    client.force_login(ada)
    page = client.get(ADDRESS).text
    assert "Mara Okafor" in page
    assert "Aiko Tanaka" not in page
    assert client.post(ADDRESS, {"heading": "Safety", "owners": [mara.pk]}).status_code == 303
    section = Section.objects.get()
    assert section.is_protected
    assert "owned by Mara Okafor" in client.get(ADDRESS).text
    lift = reverse("unprotect", args=["support", "system-prompt", section.pk])
    assert client.get(lift).status_code == 405
    assert "Another admin or an owner of the section confirms it." in client.post(lift, follow=True).text
    assert "You asked for it, so somebody else confirms it." in client.post(lift, {"do": "confirm"}).text
    assert "somebody asks to lift it" in client.get("/agents/support/system-prompt/").text
    client.force_login(mara)
    assert "Ada Brandt</b> asked" in client.get(ADDRESS).text
    assert "Safety is no longer protected." in client.post(lift, {"do": "confirm"}, follow=True).text
    entry = AuditEntry.objects.get(verb="section.unprotected")
    assert (entry.actor_label, in_words(entry).details) == ("Mara Okafor", ("as Ada Brandt asked",))


@pytest.mark.parametrize("sent", [{}, {"heading": "Safety"}, {"heading": "Nowhere", "owners": ["1"]}])
def test_a_wrong_form_protects_nothing(client: Client, prompt: Document, ada: User, sent: dict[str, str]) -> None:
    client.force_login(ada)
    response = client.post(ADDRESS, sent)
    assert response.status_code == 422
    assert 'role="alert"' in response.text
    assert not Section.objects.exists()
