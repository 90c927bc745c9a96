"""Whoever makes a key answers for it: nobody proposes with a key and then approves it alone."""

import json
import re
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from agents import keys
from agents.models import Agent, ApiKey, Document
from audit.models import AuditEntry
from audit.record import COMMAND_LINE, SYSTEM, Actor
from feedback.models import Feedback
from people import accounts
from people.models import User
from proposals.actions.decisions import approve
from proposals.actions.proposals import submit
from proposals.authority.policies import conflict_of_interest
from proposals.exceptions import NotAllowed
from proposals.models import Decision, Proposal
from tests.cast import PROMPT, digest_of, report


def proposed_with(key: ApiKey, prompt: Document, evidence: list[Feedback] | None = None) -> Proposal:
    return submit(
        document=Document.objects.select_related("agent", "current").get(pk=prompt.pk),
        base_number=1,
        text=PROMPT.replace("30 days", "14 days"),
        title="Say 14 days",
        rationale="The shop says 14.",
        key=key,
        evidence=evidence or [],
    )


def make_key(client: Client, **sent: Any) -> Any:
    wish = {"label": "Tool", "scopes": ["propose"], "days": "30", **sent}
    return client.post(reverse("new_key", args=["support"]), wish)


def test_nobody_approves_what_their_own_key_proposed(prompt: Document, ada: User, mara: User) -> None:
    key, _ = keys.create(prompt.agent, ["propose"], owner=ada, actor=Actor.person(ada))
    proposal = proposed_with(key, prompt)
    with pytest.raises(NotAllowed, match="Somebody else has to decide"):
        approve(proposal.pk, user=ada, digest=digest_of(proposal))
    assert not Decision.objects.exists()
    assert not conflict_of_interest(mara, proposal)


def test_an_admin_cannot_propose_by_a_key_of_the_browser_and_approve_on_the_page(
    client: Client, ada: User, support: Agent
) -> None:
    client.force_login(ada)
    secret = re.search(r"csk_\w+", make_key(client, owner=ada.pk).text)
    assert secret
    body = {"agent": "support", "document": "system-prompt", "base_version": 1, "title": "Say 14", "rationale": "Law."}
    body["content"] = PROMPT.replace("30 days", "14 days")
    headers = {"Authorization": f"Bearer {secret[0]}"}
    answer = Client().post("/api/v1/proposals", json.dumps(body), "application/json", headers=headers)
    assert answer.status_code == 201
    proposal = Proposal.objects.get()
    page = client.get(reverse("proposal", args=[proposal.pk])).text
    assert "Somebody else has to decide." in page
    sent = {"verdict": "approve", "digest": digest_of(proposal)}
    assert client.post(reverse("decide", args=[proposal.pk]), sent).status_code == 403
    assert not Decision.objects.exists()
    assert "Say 14" not in client.get("/").text


def test_a_key_made_in_the_browser_is_its_makers_unless_another_is_chosen(
    client: Client, ada: User, aiko: User, support: Agent
) -> None:
    client.force_login(ada)
    form = client.get(reverse("new_key", args=["support"])).text
    assert f'<option value="{ada.pk}" selected>Ada Brandt</option>' in form
    assert make_key(client, scopes=["ingest", "read"], owner=aiko.pk).status_code == 201
    assert ApiKey.objects.get().owner == aiko
    assert AuditEntry.objects.get(verb="key.created").fact["after"]["owner"] == "aiko"


def test_a_key_that_proposes_is_never_made_in_anothers_name(
    client: Client, ada: User, aiko: User, support: Agent
) -> None:
    client.force_login(ada)
    response = make_key(client, owner=aiko.pk)
    assert response.status_code == 422
    assert "has to be your own" in response.text
    with pytest.raises(keys.OwnerRefused):
        keys.create(support, ["propose"], owner=aiko, actor=Actor.person(ada))
    assert not ApiKey.objects.exists()
    keys.create(support, ["propose"], owner=aiko, actor=COMMAND_LINE)


@pytest.mark.parametrize("owner", ["", "0", "x", "none"])
def test_no_key_is_made_without_an_owner(client: Client, ada: User, support: Agent, owner: str) -> None:
    client.force_login(ada)
    assert make_key(client, owner=owner).status_code == 422
    assert not ApiKey.objects.exists()


def test_a_deactivated_person_owns_no_new_key(client: Client, ada: User, aiko: User, support: Agent) -> None:
    accounts.deactivate(aiko.pk, actor=COMMAND_LINE)
    client.force_login(ada)
    assert make_key(client, scopes=["read"], owner=aiko.pk).status_code == 422
    with pytest.raises(keys.OwnerRefused, match="deactivated"):
        keys.create(support, ["read"], owner=User.objects.get(pk=aiko.pk), actor=SYSTEM)


def test_the_database_refuses_a_key_without_an_owner(support: Agent) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.create(prefix="x", digest=b"x", label="x", scopes=["read"], agent=support)


def test_the_command_gives_a_key_to_the_first_admin_and_says_so(
    ada: User, support: Agent, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("create_key", "support", "--scope", "propose")
    said = capsys.readouterr()
    assert "It belongs to ada, the first admin." in said.err
    assert said.out.startswith("csk_")
    assert ApiKey.objects.get().owner == ada


def test_owners_of_most_of_the_evidence_do_not_decide(prompt: Document, ada: User, mara: User, jonas: User) -> None:
    own, _ = keys.create(prompt.agent, ["ingest"], owner=mara, actor=SYSTEM)
    other, _ = keys.create(prompt.agent, ["ingest"], owner=jonas, actor=SYSTEM)
    tool, _ = keys.create(prompt.agent, ["propose"], owner=ada, actor=SYSTEM)
    evidence = [report(prompt.agent, f"p{n}", key=own if n < 4 else other) for n in range(5)]
    proposal = proposed_with(tool, prompt, evidence)
    proposal.refresh_from_db()
    assert proposal.mostly_reported_by == [mara.pk]
    assert conflict_of_interest(mara, proposal) == "Your API keys reported most of the evidence."
    assert not conflict_of_interest(jonas, proposal)
