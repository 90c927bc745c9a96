"""What a new key reports is stored and grouped, and carries no pattern until its probation ends."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from agents import keys
from agents.keys import Probation
from agents.models import Agent, ApiKey, Document
from agents.rotation import rotate
from agents.versions import create_agent
from audit.models import AuditEntry
from audit.record import SYSTEM
from feedback.actions.mining import mine
from feedback.actions.probation import end, end_due
from feedback.models import Feedback, Pattern
from people.models import User
from proposals.actions.drafting import draft
from proposals.actions.proposals import submit
from tests.cast import COMPLAINTS, PROMPT, report


@pytest.fixture
def fresh_key(support: Agent, ada: User) -> ApiKey:
    wish = Probation(days=1, reports=4)
    return keys.create(support, ["ingest"], owner=ada, actor=SYSTEM, probation=wish)[0]


@pytest.fixture
def trusted(support: Agent, mara: User) -> ApiKey:
    return keys.create(support, ["ingest"], owner=mara, actor=SYSTEM)[0]


def complain(agent: Agent, key: ApiKey, *people: int) -> None:
    for number in people:
        report(agent, f"person {number}", reason=COMPLAINTS[number % 4], key=key)
    mine(agent)


def over(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(probation_until=timezone.now() - timedelta(seconds=1))


def test_new_keys_alone_open_no_pattern_until_their_probation_ends(support: Agent, fresh_key: ApiKey) -> None:
    complain(support, fresh_key, 0, 1, 2, 3)
    pattern = Pattern.objects.get()
    assert (pattern.status, pattern.support, pattern.sources, pattern.unproven) == ("candidate", 4, 4, 4)
    assert draft(pattern.pk) == "0 of 3 sources needed. 4 more on probation."
    assert end_due() == 0
    over(fresh_key)
    assert end_due() == 1
    pattern.refresh_from_db()
    assert (pattern.status, pattern.unproven, pattern.draft_due_at is not None) == ("open", 0, True)
    assert AuditEntry.objects.filter(verb="key.probation_ended").count() == 1


def test_its_time_alone_does_not_end_it_before_enough_reports_count(support: Agent, fresh_key: ApiKey) -> None:
    complain(support, fresh_key, 0, 1, 2, 3)
    over(fresh_key)
    Feedback.objects.filter(pk=Feedback.objects.earliest("pk").pk).update(withdrawn_at=timezone.now())
    assert end_due() == 0
    complain(support, fresh_key, 4)
    assert end_due() == 1


def test_beside_enough_trusted_sources_it_is_counted_and_shown(
    support: Agent, fresh_key: ApiKey, trusted: ApiKey
) -> None:
    complain(support, trusted, 0, 1)
    complain(support, fresh_key, 2, 3)
    assert Pattern.objects.get().status == "candidate"
    complain(support, trusted, 3)
    pattern = Pattern.objects.get()
    assert (pattern.status, pattern.sources, pattern.unproven) == ("open", 4, 1)


def test_an_admin_ends_it_on_the_page_of_the_key(client: Client, support: Agent, fresh_key: ApiKey, ada: User) -> None:
    complain(support, fresh_key, 0, 1, 2)
    client.force_login(ada)
    page = client.get(reverse("key", args=[fresh_key.prefix])).text
    assert "On probation" in page
    assert "4 reports of it counted" in page
    assert client.post(reverse("end_probation", args=[fresh_key.prefix])).status_code == 303
    assert Pattern.objects.get().status == "open"
    assert not end(fresh_key.prefix, actor=SYSTEM)


def test_a_successor_goes_on_where_the_old_key_was(fresh_key: ApiKey) -> None:
    successor, _ = rotate(fresh_key.prefix, actor=SYSTEM)
    fresh_key.refresh_from_db()
    assert successor.is_on_probation
    assert successor.probation_until == fresh_key.probation_until


def made(agent: Agent | None, owner: User, *scopes: str) -> ApiKey:
    return keys.create(agent, scopes or ["ingest"], owner=owner, actor=SYSTEM)[0]


def used_for_long(key: ApiKey) -> None:
    then = timezone.now() - timedelta(days=2)
    ApiKey.objects.filter(pk=key.pk).update(created_at=then, last_used_at=then)


def test_whoever_is_new_where_others_report_already_begins_on_probation(
    support: Agent, trusted: ApiKey, jonas: User, mara: User
) -> None:
    assert not made(support, jonas).is_on_probation  # of those that an agent begins with
    used_for_long(trusted)
    found = made(support, jonas)
    assert found.is_on_probation
    assert found.probation_until
    assert timedelta(hours=23) < found.probation_until - timezone.now() <= timedelta(days=1)
    assert not made(support, mara).is_on_probation
    assert not made(support, jonas, "read").is_on_probation
    assert made(None, jonas).is_on_probation


def test_neither_a_key_on_probation_nor_one_of_another_agent_speaks_for_its_owner(
    support: Agent, trusted: ApiKey, fresh_key: ApiKey, jonas: User
) -> None:
    other = create_agent("sales", name="Sales", actor=SYSTEM)
    for key in (trusted, fresh_key):
        used_for_long(key)
    assert made(support, jonas).is_on_probation
    assert not made(other, jonas).is_on_probation
    used_for_long(made(None, jonas, "ingest", "audit"))
    ApiKey.objects.filter(owner=jonas, agent=None).update(probation_until=None)
    assert not made(support, jonas).is_on_probation


def test_an_admin_and_the_board_say_otherwise(
    client: Client, support: Agent, trusted: ApiKey, ada: User, jonas: User, settings: Settings
) -> None:
    used_for_long(trusted)
    client.force_login(ada)
    wish = {"label": "Tool", "scopes": ["ingest"], "owner": jonas.pk, "days": "30"}
    made_page = client.post(reverse("new_key", args=["support"]), wish)
    assert "It is on probation until" in made_page.text
    assert ApiKey.objects.latest("pk").is_on_probation
    assert client.post(reverse("new_key", args=["support"]), {**wish, "probation_days": "0"}).status_code == 201
    assert not ApiKey.objects.latest("pk").is_on_probation
    settings.COUNTERSIGN_PROBATION_DAYS = 0
    assert not made(support, jonas).is_on_probation
    settings.COUNTERSIGN_PROBATION_REPORTS = 20
    assert made(support, jonas).is_on_probation
    assert not made(support, ada).is_on_probation  # who could end it


def test_the_command_says_that_a_key_is_on_probation(
    support: Agent, trusted: ApiKey, jonas: User, capsys: pytest.CaptureFixture[str]
) -> None:
    used_for_long(trusted)
    call_command("create_key", "support", "--scope", "ingest", "--owner", "jonas")
    assert "it is on probation" in capsys.readouterr().err
    call_command("create_key", "support", "--scope", "ingest", "--owner", "jonas", "--probation-days", "0")
    assert "probation" not in capsys.readouterr().err


def test_the_evidence_says_which_report_came_with_a_key_on_probation(
    client: Client, prompt: Document, fresh_key: ApiKey, mara: User, aiko: User
) -> None:
    complain(prompt.agent, fresh_key, 0, 1, 2)
    proposal = submit(
        document=Document.objects.select_related("agent", "current").get(pk=prompt.pk),
        base_number=1,
        text=PROMPT.replace("30 days", "14 days"),
        title="Say 14 days",
        rationale="The shop says 14.",
        user=aiko,
        pattern_id=Pattern.objects.get().pk,
    )
    client.force_login(mara)
    page = client.get(reverse("proposal", args=[proposal.pk]) + "?evidence=1&each=yes").text
    assert page.count("Its key is on probation") == 3
