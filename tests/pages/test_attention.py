"""The page of a proposal says what has to be opened before Approve, and what stops a release today."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from agents.models import Agent, Document
from audit.models import AuditEntry
from feedback.actions.mining import mine
from feedback.models import Feedback, Pattern
from people.models import User
from proposals.actions.decisions import approve
from proposals.actions.drafting import draft
from proposals.actions.rollbacks import roll_back
from proposals.checking.risk import Level
from proposals.models import Decision, EvidenceOpened, Policy, Proposal
from tests.cast import digest_of, propose

pytestmark = pytest.mark.django_db
GREYED = 'aria-describedby="effect" data-focus="approve" data-default disabled>Approve</button>'
FIRST = "Open the evidence first: the policy asks that of whoever approves this."


@pytest.fixture
def drafted(complaints: list[Feedback]) -> Proposal:
    """A machine's draft from four people's complaints, of high risk."""
    mine(complaints[0].agent)
    made = draft(Pattern.objects.shown().get().pk)
    assert isinstance(made, Proposal)
    Proposal.objects.filter(pk=made.pk).update(risk=Level.HIGH, risk_reasons=["A test says so."])
    return made


def decide(client: Client, proposal: Proposal) -> int:
    word = {"digest": digest_of(proposal), "verdict": "approve"}
    return client.post(reverse("decide", args=[proposal.pk]), word).status_code


def test_approve_is_greyed_until_the_reports_are_opened_and_the_server_holds_it(
    client: Client, drafted: Proposal, mara: User
) -> None:
    client.force_login(mara)
    page = reverse("proposal", args=[drafted.pk])
    shut = client.get(page).text
    assert FIRST in shut
    assert GREYED in shut
    assert f'href="{page}?evidence=1#evidence">Open the evidence</a>' in shut
    assert "Open 4 reports" in shut
    assert "the refund deadline for digital courses is wrong" not in shut
    assert decide(client, drafted) == 409
    assert not Decision.objects.exists()
    opened = client.get(f"{page}?evidence=1").text
    assert FIRST not in opened
    assert GREYED not in opened
    assert "the refund deadline for digital courses is wrong" in opened
    assert FIRST not in client.get(page).text
    assert EvidenceOpened.objects.count() == 1
    assert decide(client, drafted) == 303
    after = AuditEntry.objects.get(verb="proposal.approved").fact["after"]
    assert {"seconds", "evidence_opened"} <= set(after)
    published = Proposal.objects.get(pk=drafted.pk).published_id
    told = client.get(reverse("story", args=[published])).text
    assert "The policy asked for: One approval, the evidence opened first." in told


@pytest.mark.parametrize("way", ["pattern", "cases"])
def test_the_page_of_the_pattern_and_that_of_the_cases_open_it_too(
    client: Client, drafted: Proposal, mara: User, way: str
) -> None:
    Feedback.objects.update(input="When can I return it?", output="Within 30 days.")
    client.force_login(mara)
    assert client.get(reverse(way, args=[drafted.pattern_id if way == "pattern" else drafted.pk])).status_code == 200
    assert FIRST not in client.get(reverse("proposal", args=[drafted.pk])).text
    assert decide(client, drafted) == 303


def test_a_part_of_the_page_or_a_look_without_reading_opens_nothing(
    client: Client, drafted: Proposal, mara: User
) -> None:
    client.force_login(mara)
    page = reverse("proposal", args=[drafted.pk])
    client.head(f"{page}?evidence=1")
    client.get(page, headers={"HX-Request": "true", "HX-Target": "change"})
    client.get(f"{page}?print=yes")
    client.post(reverse("decide", args=[drafted.pk]) + "?evidence=1", {"digest": "x", "verdict": "approve"})
    client.get(reverse("cases", args=[drafted.pk]))  # there are none
    assert not EvidenceOpened.objects.exists()


def test_who_does_not_decide_sees_the_reports_as_ever(client: Client, drafted: Proposal, luis: User) -> None:
    client.force_login(luis)
    page = client.get(reverse("proposal", args=[drafted.pk])).text
    assert "the refund deadline for digital courses is wrong" in page
    assert "Open 4 reports" not in page


def test_auditors_read_how_long_it_took_and_reviewers_do_not(
    client: Client, drafted: Proposal, mara: User, luis: User
) -> None:
    client.force_login(mara)
    client.get(reverse("proposal", args=[drafted.pk]) + "?evidence=1")
    decide(client, drafted)
    page = reverse("proposal", args=[drafted.pk])
    assert "s after first opening it; opened the evidence" not in client.get(page).text
    client.force_login(luis)
    assert "s after first opening it; opened the evidence" in client.get(page).text


def test_the_page_says_that_nothing_more_goes_out_today_before_approve_is_pressed(
    client: Client, prompt: Document, aiko: User, mara: User, ada: User, settings: Settings
) -> None:
    settings.COUNTERSIGN_RELEASES_A_DAY = 1
    first = propose(prompt, aiko)
    approve(first.pk, user=mara, digest=digest_of(first))
    more = propose(prompt, aiko, "14 days", "15 days")
    client.force_login(mara)
    page = client.get(reverse("proposal", args=[more.pk])).text
    assert "Support agent gets at most 1 release within 24 hours. The next is possible on " in page
    assert GREYED in page
    assert "Emergency: publish without approval" not in page
    assert decide(client, more) == 409
    client.force_login(ada)
    assert "Emergency: publish without approval" in client.get(reverse("proposal", args=[more.pk])).text


def test_admins_set_the_limit_of_an_agent_and_everybody_reads_it(
    client: Client, prompt: Document, ada: User, mara: User
) -> None:
    page = reverse("releases")
    client.force_login(ada)
    for wrong in ("-1", "1001", "many"):
        assert client.post(page, {"agent": prompt.agent_id, "releases": wrong}).status_code == 422
    assert client.post(page, {"agent": prompt.agent_id, "releases": "3"}).status_code == 303
    assert "Support agent: at most 3 releases within 24 hours." in client.get(page).text
    client.force_login(mara)
    seen = client.get(page).text
    assert "at most 3 releases within 24 hours" in seen
    assert "Save the limit" not in seen
    client.force_login(ada)
    assert client.post(page, {"agent": prompt.agent_id, "releases": ""}).status_code == 303
    assert "at most 3 releases" not in client.get(page).text


def test_admins_say_on_the_policy_whether_the_evidence_is_opened_first(client: Client, ada: User) -> None:
    client.force_login(ada)
    page, rule = reverse("policy"), {"approvals": "1", "owner_approvals": "0"}
    assert "One approval, the evidence opened first · all agents · built in" in client.get(page).text
    assert client.post(page, rule | {"covers": "low", "opens_evidence": "on"}).status_code == 422
    assert client.post(page, rule | {"covers": "medium", "opens_evidence": "on"}).status_code == 303
    assert client.post(page, rule | {"covers": "high"}).status_code == 303
    assert dict(Policy.objects.values_list("covers", "opens_evidence")) == {"medium": True, "high": False}
    assert client.get(page).text.count("built in") == 2  # any change, and protected sections


def test_after_a_rollback_people_read_that_drafts_rest_and_are_not_held_up(
    client: Client, prompt: Document, aiko: User, mara: User
) -> None:
    first = propose(prompt, aiko)
    approve(first.pk, user=mara, digest=digest_of(first))
    client.force_login(mara)
    writing = reverse("propose", args=["support", "system-prompt"])
    assert "is a rollback" not in client.get(writing).text
    roll_back(prompt.pk, user=mara, to_number=1, current_number=2, reason="Wrong.")
    assert "Version 3 is a rollback by Mara Okafor." in client.get(writing).text
    more = propose(prompt, aiko, "30 days", "15 days")
    assert "Version 3 is a rollback by Mara Okafor." in client.get(reverse("proposal", args=[more.pk])).text
    Agent.objects.update(draft_cooldown_h=0)
    assert "is a rollback" not in client.get(writing).text
    assert decide(client, more) == 303
