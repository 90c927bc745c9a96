"""Acts of consequence ask again who it is, and nothing typed is lost on the way."""

import time

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from agents.models import Document
from agents.protection import protect
from audit.record import SYSTEM
from people import fresh
from people.models import User
from people.signin import sign_in_link
from proposals.actions.decisions import approve as decide
from proposals.actions.policy import set_policy
from proposals.checking.risk import Level
from proposals.models import Bypass, Decision, Policy, Proposal
from tests.cast import digest_of, propose

PASSWORD = "a long and good one"
HOST = "http://testserver"
CONFIRM = "/account/confirm/"
WHY = "Customers are told a wrong deadline right now."


@pytest.fixture
def guarded(prompt: Document, aiko: User, ada: User) -> Proposal:
    """A change of a protected section."""
    protect(prompt, "Safety", owners=[ada], actor=SYSTEM)
    return propose(prompt, aiko, old="card numbers", new="card numbers, PINs")


@pytest.fixture
def later(client: Client, ada: User) -> Client:
    """Ada's session, an hour after she signed in."""
    ada.set_password(PASSWORD)
    ada.save()
    client.force_login(ada)
    age(client)
    return client


def age(client: Client) -> None:
    session = client.session
    session["proved_at"] = time.time() - 3600
    session.save()


def approve(client: Client, proposal: Proposal, note: str = "Legal agrees.", verdict: str = "approve") -> str:
    sent = {"verdict": verdict, "digest": digest_of(proposal), "note": note, "reason": ""}
    answer = client.post(reverse("decide", args=[proposal.pk]), sent)
    assert answer.status_code == 303
    return str(answer["Location"])


def test_approving_a_protected_section_asks_again_and_keeps_the_words(later: Client, guarded: Proposal) -> None:
    page = reverse("proposal", args=[guarded.pk])
    asked = approve(later, guarded)
    assert asked.startswith(CONFIRM)
    assert not Decision.objects.exists()
    wrong = later.post(asked, {"password": "wrong", "next": page})
    assert wrong.status_code == 200
    assert 'role="alert"' in wrong.text
    right = later.post(asked, {"password": PASSWORD, "next": page})
    assert (right.status_code, right["Location"]) == (303, page)
    shown = later.get(page).text
    assert "Legal agrees." in shown
    assert "Your words are kept. Press again to decide." in shown
    assert approve(later, guarded) == page
    assert Decision.objects.get().note == "Legal agrees."
    assert "Legal agrees.</textarea>" not in later.get(page).text


def test_who_just_signed_in_is_not_asked(client: Client, ada: User, guarded: Proposal) -> None:
    client.force_login(ada)
    assert approve(client, guarded) == reverse("proposal", args=[guarded.pk])


def test_usual_changes_and_refusals_ask_nothing(later: Client, prompt: Document, guarded: Proposal, aiko: User) -> None:
    assert approve(later, guarded, verdict="request_changes") == reverse("proposal", args=[guarded.pk])
    usual = propose(prompt, aiko)
    assert approve(later, usual) == reverse("proposal", args=[usual.pk])


def test_without_a_password_a_fresh_link_leads_back(client: Client, ada: User, guarded: Proposal) -> None:
    client.force_login(ada)
    age(client)
    asked = approve(client, guarded)
    assert "python manage.py sign_in_link ada" in client.get(asked).text
    link = sign_in_link(ada, HOST, actor=SYSTEM).removeprefix(HOST)
    answer = client.post(link)
    page = reverse("proposal", args=[guarded.pk])
    assert (answer.status_code, answer["Location"]) == (303, page)
    assert "Legal agrees." in client.get(page).text


def test_a_first_password_cannot_be_set_to_get_around_it(client: Client, ada: User) -> None:
    client.force_login(ada)
    assert client.get(reverse("account_set_password")).status_code == 200
    age(client)
    answer = client.post(reverse("account_set_password"), {"password1": PASSWORD, "password2": PASSWORD})
    assert answer["Location"].startswith(CONFIRM)
    ada.refresh_from_db()
    assert not ada.has_usable_password()


def test_words_go_back_to_their_own_page_only(later: Client, guarded: Proposal, pending: Proposal) -> None:
    approve(later, guarded)
    assert "Legal agrees." not in later.get(reverse("proposal", args=[pending.pk])).text


def test_it_holds_for_a_quarter_of_an_hour() -> None:
    assert fresh.WITHIN_S == 900


def test_bypassing_asks_again_and_keeps_the_reason(later: Client, pending: Proposal, ada: User) -> None:
    set_policy(user=ada, agent=None, kind="", covers="any", approvals=2, owner_approvals=0)
    page = reverse("bypass", args=[pending.pk])
    assert f'href="{page}"' in later.get(reverse("proposal", args=[pending.pk])).text
    sent = {"digest": digest_of(pending), "reason": WHY, "number": str(pending.pk)}
    asked = later.post(page, sent)
    assert asked["Location"].startswith(CONFIRM)
    later.post(asked["Location"], {"password": PASSWORD, "next": page})
    shown = later.get(page).text
    assert WHY in shown
    assert "Your words are kept; press again to publish." in shown
    assert later.post(page, sent).status_code == 303
    assert Bypass.objects.get().reason == WHY


@pytest.mark.parametrize(
    ("reason", "number", "said"),
    [("Soon.", "", "in at least 20 characters"), (WHY, "", "Type"), (WHY, "0", "Type"), (WHY, "x", "whole number")],
)
def test_a_bypass_filled_in_badly_keeps_what_was_typed(
    client: Client, pending: Proposal, ada: User, reason: str, number: str, said: str
) -> None:
    client.force_login(ada)
    sent = {"digest": digest_of(pending), "reason": reason, "number": number}
    answer = client.post(reverse("bypass", args=[pending.pk]), sent)
    assert answer.status_code == 422
    assert said in answer.text
    assert reason in answer.text
    assert not Bypass.objects.exists()


def test_a_bypass_stands_out_everywhere(
    client: Client, pending: Proposal, ada: User, mara: User, prompt: Document
) -> None:
    set_policy(user=ada, agent=None, kind="", covers="any", approvals=2, owner_approvals=0)
    client.force_login(ada)
    sent = {"digest": digest_of(pending), "reason": WHY, "number": str(pending.pk)}
    assert client.post(reverse("bypass", args=[pending.pk]), sent).status_code == 303
    client.force_login(mara)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    document = ["support", "system-prompt"]
    pages = [
        reverse("proposal", args=[pending.pk]),
        reverse("version", args=[*document, 2]),
        reverse("document", args=document),
        "/?show=effect",
        reverse("audit_log") + "?verb=proposal.bypassed",
    ]
    for page in pages:
        assert "Bypassed review" in client.get(page).text, page
    shown = client.get(pages[0]).text
    assert WHY in shown
    assert "Approving records your approval" in shown
    assert "Bypassed review" not in client.get(reverse("version", args=[*document, 1])).text


def test_the_policy_is_seen_by_everybody_and_changed_by_admins(
    later: Client, luis: User, ada: User, prompt: Document
) -> None:
    page = reverse("policy")
    sent = {"agent": "", "kind": "", "covers": "any", "approvals": "2", "owner_approvals": "0"}
    asked = later.post(page, sent)
    assert asked["Location"].startswith(CONFIRM)
    later.post(asked["Location"], {"password": PASSWORD, "next": page})
    assert 'value="2"' in later.get(page).text
    assert later.post(page, sent).status_code == 303
    assert "Two approvals" in later.get(page).text
    made = Policy.objects.get()
    assert later.post(page, sent | {"owner_approvals": "1"}).status_code == 422
    assert later.post(page, sent | {"approvals": "many"}).status_code == 422
    assert later.post(page, {}).status_code == 422
    later.force_login(luis)
    assert "Admins can change this." in later.get(page).text
    assert later.post(page, sent).status_code == 403
    assert later.post(reverse("remove_policy", args=[made.pk])).status_code == 403
    later.force_login(ada)
    assert later.post(reverse("remove_policy", args=[made.pk])).status_code == 303
    assert not Policy.objects.exists()


@pytest.mark.parametrize("query", ["?approvals=x", "?agent=99999", "?covers=nonsense&kind=none", "?approvals=%00"])
def test_odd_addresses_of_the_policy_are_borne(client: Client, ada: User, query: str) -> None:
    client.force_login(ada)
    assert client.get(reverse("policy") + query).status_code == 200


def test_a_change_of_high_risk_asks_again_too(later: Client, prompt: Document, aiko: User) -> None:
    rules = "".join(f"- Rule number {number} says one thing of many.\n" for number in range(100))
    large = propose(prompt, aiko, new=f"14 days.\n{rules}")
    assert large.risk == Level.HIGH
    assert approve(later, large).startswith(CONFIRM)


def test_rolling_back_asks_again_and_keeps_the_reason(later: Client, pending: Proposal, ada: User) -> None:
    assert approve(later, pending) == reverse("proposal", args=[pending.pk]), "its risk is low"
    page = reverse("roll_back", args=["support", "system-prompt"]) + "?to=1"
    sent = {"current": "2", "reason": "Legal changed its mind."}
    asked = later.post(page, sent)
    assert asked["Location"].startswith(CONFIRM)
    assert later.post(asked["Location"], {"password": PASSWORD, "next": page})["Location"] == page
    shown = later.get(page).text
    assert "Legal changed its mind." in shown
    assert "Your words are kept; press again to roll back." in shown
    assert later.post(page, sent).status_code == 303
    assert Proposal.objects.filter(origin="rollback").exists()


def test_two_detours_keep_the_words_of_both(later: Client, guarded: Proposal, prompt: Document, aiko: User) -> None:
    other = propose(prompt, aiko, old="passwords", new="passwords, PINs")
    approve(later, guarded)
    asked = approve(later, other, note="So does the bank.")
    page = reverse("proposal", args=[other.pk])
    assert later.post(asked, {"password": PASSWORD, "next": page})["Location"] == page
    assert "So does the bank." in later.get(page).text
    assert "Legal agrees." in later.get(reverse("proposal", args=[guarded.pk])).text


def test_bringing_it_up_to_date_keeps_the_note(
    client: Client, prompt: Document, aiko: User, mara: User, jonas: User
) -> None:
    proposal, other = propose(prompt, aiko), propose(prompt, aiko, "30 days", "60 days")
    clean = propose(prompt, aiko, "about orders", "about parcels")
    decide(other.pk, user=mara, digest=digest_of(other))
    client.force_login(jonas)
    typed = {"note": "My long and careful note", "reason": "too_risky"}
    moved = client.post(reverse("rebase", args=[clean.pk]), {"digest": digest_of(clean), **typed}, follow=True)
    assert "My long and careful note" in moved.text
    assert "Your words are kept.</p>" in moved.text
    refused = client.post(reverse("rebase", args=[proposal.pk]), {"digest": digest_of(proposal), **typed})
    assert (refused.status_code, "My long and careful note" in refused.text) == (409, True)
