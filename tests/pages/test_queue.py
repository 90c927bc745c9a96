"""The review queue says what waits for whom."""

import pytest
from django.test import Client
from pytest_django import Settings

from agents.keys import create
from agents.models import Document
from agents.versions import create_agent
from audit.record import SYSTEM
from feedback.models import Feedback
from people.models import User
from proposals import queue
from proposals.actions import decisions
from proposals.authority import policies
from proposals.models import Proposal, ProposalEvidence
from tests.cast import digest_of, propose


def test_the_heading_tells_how_much_waits(client: Client, mara: User, pending: Proposal) -> None:
    client.force_login(mara)
    page = client.get("/").text
    assert "<h1>One change waits for you</h1>" in page
    assert "Say 14 days" in page


def test_the_author_sees_it_among_everyones_only(client: Client, aiko: User, pending: Proposal) -> None:
    client.force_login(aiko)
    assert "<h1>Nothing waits for you</h1>" in client.get("/").text
    assert "Say 14 days" in client.get("/?show=open").text


def test_what_i_sent_back_waits_for_its_author(client: Client, mara: User, aiko: User, pending: Proposal) -> None:
    decisions.request_changes(pending.pk, user=mara, digest=digest_of(pending), note="Shorter, please.")
    client.force_login(aiko)
    page = client.get("/").text
    assert "Yours to amend" in page
    client.force_login(mara)
    assert "<h1>Nothing waits for you</h1>" in client.get("/").text


def test_filters_and_search_are_in_the_address(client: Client, mara: User, pending: Proposal) -> None:
    client.force_login(mara)
    assert "Say 14 days" in client.get("/?agent=support&q=14").text
    assert "Nothing matches" in client.get("/?agent=support&q=nowhere").text
    assert "Nothing matches" in client.get("/?agent=other").text


def test_a_strange_filter_falls_back_to_what_waits(client: Client, mara: User, pending: Proposal) -> None:
    client.force_login(mara)
    assert "Say 14 days" in client.get("/?show=%00&page=-7").text


def test_htmx_gets_the_list_alone(client: Client, mara: User, pending: Proposal) -> None:
    client.force_login(mara)
    response = client.get("/?show=open", headers={"HX-Request": "true", "HX-Target": "board"})
    assert response.text.strip().startswith('<div id="board">')
    assert '<nav class="wide"' not in response.text
    assert "HX-Request" in response["Vary"]


def test_a_new_board_says_how_proposals_come(client: Client, mara: User) -> None:
    client.force_login(mara)
    assert "Proposed changes appear here" in client.get("/").text


def test_titles_from_outside_are_text(client: Client, mara: User, prompt: Document, aiko: User) -> None:
    proposal = propose(prompt, aiko)
    Proposal.objects.filter(pk=proposal.pk).update(title="<script>alert(1)</script>")
    client.force_login(mara)
    page = client.get("/").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize("single_operator", [True, False])
def test_the_queue_and_the_rules_agree(
    settings: Settings,
    prompt: Document,
    mara: User,
    jonas: User,
    aiko: User,
    luis: User,
    complaints: list[Feedback],
    single_operator: bool,
) -> None:
    settings.COUNTERSIGN_SINGLE_OPERATOR = single_operator
    key, _ = create(prompt.agent, ["ingest"], actor=SYSTEM, owner=jonas)
    by_mara, by_jonas, by_aiko = (propose(prompt, who, new=f"{n} days") for n, who in enumerate((mara, jonas, aiko)))
    Proposal.objects.filter(pk=by_aiko.pk).update(requested_by=mara)
    for item in complaints[:2]:
        Feedback.objects.filter(pk=item.pk).update(key=key)
    ProposalEvidence.objects.bulk_create(ProposalEvidence(proposal=by_mara, feedback=item) for item in complaints)
    for person in (mara, jonas, aiko, luis):
        for proposal in (by_mara, by_jonas, by_aiko):
            fresh = Proposal.objects.get(pk=proposal.pk)
            waits = proposal.pk in queue.waiting_for(User.objects.get(pk=person.pk))
            assert waits == policies.may_decide(User.objects.get(pk=person.pk), fresh).allowed


def test_many_agents_are_chosen_from_a_list(client: Client, mara: User, pending: Proposal) -> None:
    for number in range(9):
        create_agent(f"agent-{number}", name=f"Agent {number}", actor=SYSTEM)
    client.force_login(mara)
    page = client.get("/?show=open&agent=support").text
    assert '<option value="support" selected>Support agent</option>' in page
    assert '<input type="hidden" name="show" value="open">' in page


def test_a_long_queue_has_pages(client: Client, mara: User, pending: Proposal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proposals.views.queue.PER_PAGE", 1)
    propose(pending.document, pending.author or mara, new="21 days")
    client.force_login(mara)
    page = client.get("/?q=Say").text
    assert 'rel="next" href="?q=Say&amp;page=2"' in page
    assert "1 to 1 of 2" in page


def test_a_page_past_the_end_of_a_search_is_its_last_and_no_page_its_first(
    client: Client, mara: User, pending: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proposals.views.queue.PER_PAGE", 1)
    later = propose(pending.document, pending.author or mara, new="21 days")
    client.force_login(mara)
    for number in ("2", "3", "999999", "0"):
        assert client.get(f"/?show=all&q=Say&page={number}").context["page"].object_list == [pending.pk]
    for number in ("", "-1", "x", "9999999"):
        assert client.get(f"/?show=all&q=Say&page={number}").context["page"].object_list == [later.pk]
    page = client.get("/?show=all&q=nowhere&page=7").context["page"]
    assert (list(page), page.number, page.paginator.count) == ([], 1, 0)
