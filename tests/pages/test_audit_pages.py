"""The log, read by an auditor. Entries are sealed at commit, so these tests commit."""

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from agents.models import Agent
from audit.choices import grouped
from audit.models import AuditEntry
from audit.record import SYSTEM, record
from audit.wording import VERBS
from feedback.mining import Kind
from feedback.models import Pattern
from people.models import User
from proposals.actions import decisions
from proposals.models import Proposal
from tests.cast import digest_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def approved(transactional_db: None, luis: User, mara: User, pending: Proposal, client: Client) -> Proposal:
    decisions.approve(pending.pk, user=mara, digest=digest_of(pending))
    client.force_login(luis)
    return pending


def test_the_log_says_who_did_what(client: Client, approved: Proposal) -> None:
    page = client.get(reverse("audit_log")).text
    assert "approved <b>Say 14 days</b>, revision 1, now version 2" in page
    assert "published <b>version 2</b>, in place of version 1" in page


@pytest.mark.parametrize(
    ("query", "verbs"),
    [
        ({"verb": "proposal.approved"}, {"proposal.approved"}),
        ({"actor": "mara", "agent": "support"}, {"proposal.approved", "version.published"}),
        ({"verb": "decisions"}, {"proposal.approved"}),
        ({"verb": "served"}, {"version.published"}),
        ({"document": "none"}, set()),
        ({"text": "14 SAY tanaka", "verb": "proposal.opened"}, {"proposal.opened"}),
        ({"text": '"14 say"'}, set()),
        ({"text": '"say 14', "verb": "proposal.opened"}, {"proposal.opened"}),
        ({"until": "2020-01-01"}, set()),
        ({"until": "9999-12-31", "verb": "agent.created"}, {"agent.created"}),
        ({"since": "2020-01-01", "verb": "agent.created"}, {"agent.created"}),
    ],
)
def test_filters_narrow_it(client: Client, approved: Proposal, query: dict[str, str], verbs: set[str]) -> None:
    response = client.get(reverse("audit_log"), query)
    assert {entry.verb for entry in response.context["rows"]} == verbs


def test_an_entry_is_found_by_its_own_hash(client: Client, approved: Proposal) -> None:
    entry = AuditEntry.objects.get(verb="proposal.approved")
    found = client.get(reverse("audit_log"), {"text": bytes(entry.hash or b"").hex()[:12].upper()})
    assert [row.pk for row in found.context["rows"]] == [entry.pk]


def test_verbs_are_offered_in_plain_words(client: Client, approved: Proposal) -> None:
    page = client.get(reverse("audit_log")).text
    assert '<optgroup label="Proposals and decisions">' in page
    assert '<option value="proposal.bypassed">Published without the approvals needed</option>' in page
    offered = {verb for _, verbs in grouped() for verb, _ in verbs}
    assert offered >= set(VERBS)


def test_a_search_is_kept_under_a_name_apart_from_the_filters_of_the_queue(
    client: Client, approved: Proposal, luis: User
) -> None:
    luis.saved_filters.create(name="Mine", query="risk=low")
    address = f"{reverse('audit_log')}?verb=decisions&since=2026-01-01"
    assert "Save this search" in client.get(address).text
    asked = {"log": "until=&since=2026-01-01&verb=decisions&before=7", "name": "Mine"}
    assert client.post(reverse("saved_filters"), asked)["Location"] == address
    assert '<a href="?verb=decisions&amp;since=2026-01-01" aria-current="true">Mine</a>' in client.get(address).text
    assert ">Mine</a>" in client.get("/").text
    assert {one.place: one.query for one in luis.saved_filters.all()} == {
        "queue": "risk=low",
        "log": "verb=decisions&since=2026-01-01",
    }
    assert f'href="{address.replace("&", "&amp;")}">Show in the log' in client.get(reverse("saved_filters")).text
    refused = client.post(
        reverse("saved_filters"), {"log": "text=" + "%F0%9F%98%80" * 200, "name": "x" * 41}, follow=True
    )
    assert "at most 40 are allowed" in refused.text
    assert f'value="{"x" * 41}" maxlength="40" aria-invalid="true" aria-describedby="search-name_error"' in refused.text
    assert "at most 40 are allowed" not in client.get(address).text
    asked = {"log": "text=" + "%F0%9F%98%80" * 200, "name": "Long"}
    assert "Kept as “Long”" in client.post(reverse("saved_filters"), asked, follow=True).text
    for nothing in ("", "verb=no", "since=x"):
        said = client.post(reverse("saved_filters"), {"log": nothing, "name": "A"}, follow=True).text
        assert "Narrow the log down first." in said


def test_agents_are_chosen_by_the_name_people_know(client: Client, approved: Proposal) -> None:
    page = client.get(reverse("audit_log"), {"agent": "gone"}).text
    assert f'<option value="support">{approved.document.agent.name}</option>' in page
    assert '<option value="gone" selected>gone</option>' in page


def test_the_reason_stands_beside_the_deed(client: Client, luis: User, mara: User, pending: Proposal) -> None:
    note = "Legal says\u200b no.\n" + "x" * 400
    decisions.reject(pending.pk, user=mara, digest=digest_of(pending), reason="wrong_place", note=note)
    client.force_login(luis)
    page = client.get(reverse("audit_log"), {"verb": "decisions"})
    assert "1 of " in page.text
    assert 'Wrong place: Legal says<span class="chip" title="zero width space">U+200B</span> no.' in page.text
    assert "x" * 301 not in page.text
    entry = page.context["rows"][0]
    assert "x" * 400 in client.get(reverse("audit_entry", args=[entry.sequence])).text


def test_a_proposal_has_its_own_story(client: Client, approved: Proposal) -> None:
    rows = client.get(reverse("audit_log"), {"proposal": approved.pk}).context["rows"]
    assert [row.verb for row in rows][-1] == "proposal.opened"


@pytest.mark.parametrize("query", [{"since": "soon"}, {"proposal": "x"}, {"verb": "nothing"}, {"text": "\x00"}])
def test_a_question_without_sense_is_refused(client: Client, approved: Proposal, query: dict[str, str]) -> None:
    assert client.get(reverse("audit_log"), query).status_code == 422


def test_what_one_act_left_stands_together_and_a_version_leads_to_its_change(
    client: Client, approved: Proposal, ada: User
) -> None:
    client.force_login(ada)
    page = client.get(reverse("audit_log"), {"proposal": approved.pk}).text
    assert '<tr class="same">' in page
    entry = AuditEntry.objects.get(verb="version.published")
    page = client.get(reverse("audit_entry", args=[entry.sequence])).text
    assert '<th scope="row">version</th>' in page
    assert "/compare/?from=1&amp;to=2" in page


@pytest.mark.parametrize("before", ["x", "-1", "٣", "9" * 30, "9" * 5000])
def test_a_strange_cursor_shows_the_newest(client: Client, approved: Proposal, before: str) -> None:
    assert client.get(reverse("audit_log"), {"before": before}).status_code == 200


def test_pages_are_cut_by_sequence(client: Client, approved: Proposal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.views.PER_PAGE", 3)
    first = client.get(reverse("audit_log"))
    second = client.get(reverse("audit_log"), {"before": first.context["more"]})
    numbers = [row.sequence for page in (first, second) for row in page.context["rows"]]
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) == 6


def test_an_entry_has_an_address_of_its_own(client: Client, approved: Proposal) -> None:
    entry = AuditEntry.objects.get(verb="proposal.approved")
    page = client.get(reverse("audit_entry", args=[entry.sequence])).text
    assert bytes(entry.hash or b"").hex() in page
    assert digest_of(approved) in page
    assert client.get(reverse("audit_entry", args=[10**6])).status_code == 404
    assert client.get(f"/audit/{'9' * 30}/").status_code == 404


def test_nothing_here_can_be_written(client: Client, approved: Proposal) -> None:
    assert client.post(reverse("audit_log")).status_code == 405


def test_words_are_looked_for_some_entries_at_a_time(
    client: Client, approved: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.views.LOOKED_THROUGH", 2)
    address, found, seen = f"{reverse('audit_log')}?text=%22say+14%22", [], 0
    while True:
        page = client.get(address)
        found += [row.verb for row in page.context["rows"]]
        seen += 1
        if not page.context["more"]:
            break
        assert "Look further back" in page.text
        address = f"{reverse('audit_log')}?text=%22say+14%22&before={page.context['more']}"
    assert seen > 2
    assert found == [row.verb for row in AuditEntry.objects.filter(body__icontains="say 14").newest_first()]


def test_patterns_are_kept_by_number_and_shown_by_the_name_they_have_today(
    client: Client, support: Agent, luis: User
) -> None:
    pattern = Pattern.objects.create(agent=support, kind=Kind.COMPLAINT, label="The <b>deadline</b>", signature="d")
    with transaction.atomic():
        record("pattern.opened", actor=SYSTEM, target=pattern, agent=support.slug)
    client.force_login(luis)
    entry = AuditEntry.objects.get(verb="pattern.opened")
    for page in (reverse("audit_log"), reverse("audit_entry", args=[entry.sequence])):
        shown = client.get(page).content.decode()
        assert f"<b>Complaint {pattern.pk}</b>" in shown
        assert "“The &lt;b&gt;deadline&lt;/b&gt;”" in shown
