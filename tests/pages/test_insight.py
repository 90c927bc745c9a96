"""What the page of a pattern says it amounts to, why each report is there, and when an agent's drafts are made."""

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Agent
from agents.versions import create_agent
from audit.models import AuditEntry
from audit.record import SYSTEM
from feedback.actions.across import link_across
from feedback.actions.mining import mine
from feedback.models import Feedback, Pattern, Run
from people.models import User
from tests.cast import COMPLAINTS, failure, report


@pytest.fixture
def pattern(support: Agent, complaints: list[Feedback]) -> Pattern:
    mine(support)
    return Pattern.objects.shown().get()


def test_the_pattern_says_how_bad_how_often_and_what_is_typical(
    client: Client, luis: User, support: Agent, pattern: Pattern
) -> None:
    coding = create_agent("coding", name="Coding agent", actor=SYSTEM)
    for number, text in enumerate(COMPLAINTS[:3]):
        report(coding, f"person {number}", reason=text)
    mine(coding)
    link_across()
    client.force_login(luis)
    page = client.get(reverse("pattern", args=[pattern.pk])).text
    assert "<b>Medium</b>. 4 of 4 sources reported that or worse, mostly thumbs down." in page
    assert "Not known: no runs were reported" in page
    assert "Most typical" in page
    assert "Also at <b>Coding agent</b>" in page


def test_each_report_leads_to_why_it_is_there(client: Client, luis: User, support: Agent, pattern: Pattern) -> None:
    report(support, "hostile", reason="<script>refund</script> deadline for digital courses is wrong\u202e")
    mine(support)
    client.force_login(luis)
    item = pattern.evidence.latest("pk")
    address = reverse("why", args=[pattern.pk, item.pk])
    assert f'href="{address}"' in client.get(reverse("pattern", args=[pattern.pk])).text
    page = client.get(address).text
    assert "<mark>refund</mark>" in page
    assert "&lt;" in page
    assert "<script>refund" not in page
    assert "U+202E" in page
    assert "When it came its similarity to the pattern was" in page
    assert client.get(reverse("why", args=[pattern.pk + 1, item.pk])).status_code == 404


def test_an_error_and_a_wrong_label_say_what_they_are_grouped_by(client: Client, luis: User, support: Agent) -> None:
    for number in range(3):
        failure(support, f"unit {number}", f"Tool timed out after {number + 400} ms")
        report(support, f"person {number}", predicted="Billing", expected="refund")
    mine(support)
    Run.objects.update(error="Tool timed out after 4 ms\0".replace("\0", ""))
    client.force_login(luis)
    for kind, said in (("error", "<em>varies</em>"), ("mislabel", "predicted <b>Billing</b> → expected <b>refund</b>")):
        found = Pattern.objects.get(kind=kind)
        assert said in client.get(reverse("why", args=[found.pk, found.evidence.earliest("pk").pk])).text


def test_an_operator_changes_when_drafts_are_made(
    client: Client, aiko: User, luis: User, support: Agent, pattern: Pattern
) -> None:
    client.force_login(aiko)
    agent, address = reverse("agent", args=["support"]), reverse("traffic", args=["support"])
    page = client.get(agent).text
    assert "<b>Low traffic</b>" in page
    assert f'href="{address}"' in page
    for wrong in ({"traffic": "wild"}, {"reports": "0"}, {"window_h": "x"}, {"cooldown_h": "9" * 40}, {}):
        refused = client.post(address, wrong)
        assert refused.status_code == 422, wrong
    assert 'value="x"' in client.post(address, {"window_h": "x"}).text
    assert client.post(address, {"traffic": "critical", "cooldown_h": "0"}).status_code == 303
    page = client.get(agent).text
    assert "<b>Critical traffic</b>, as somebody set it" in page
    assert "also right after a change" in page
    assert AuditEntry.objects.filter(verb="agent.traffic_set").count() == 1
    client.force_login(luis)
    assert f'href="{address}"' not in client.get(agent).text
    assert client.post(address, {"traffic": "low"}).status_code == 403
