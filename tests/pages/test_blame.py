"""Every line says which version, proposal, reviewer, pattern and evidence it comes from."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from agents.models import Agent, Document
from agents.versions import create_document, publish
from audit.record import SYSTEM
from feedback.actions.mining import mine
from feedback.models import Feedback, Pattern
from people.models import User
from proposals.actions.decisions import approve
from proposals.actions.drafting import draft
from proposals.actions.rollbacks import roll_back
from proposals.models import Proposal
from tests.cast import PROMPT, digest_of
from tests.histories import NAMES, load

pytestmark = pytest.mark.django_db


@pytest.fixture
def drafted(prompt: Document, complaints: list[Feedback]) -> Proposal:
    """Drafted from what four people complained about."""
    mine(prompt.agent)
    made = draft(Pattern.objects.shown().get().pk)
    assert isinstance(made, Proposal)
    return made


def blame_page(client: Client, document: Document, number: int) -> str:
    address = reverse("version", args=[document.agent.slug, document.slug, number])
    response = client.get(address, {"view": "blame"})
    assert response.status_code == 200
    return response.text


@pytest.mark.parametrize("name", NAMES)
def test_published_histories_have_the_owners_git_names(support: Agent, name: str) -> None:
    first, *others = load(name, "versions")
    document = create_document(support, "rules", text=first["text"], actor=SYSTEM)
    for version in others:
        base = document.versions.latest("number")
        publish(document, version["text"], base=base, actor=SYSTEM, proposal=0)
    last = document.versions.latest("number")
    assert [number - 1 for number in last.line_versions] == [line["seq"] for line in load(name, "blame")]


def test_a_line_leads_to_proposal_reviewer_and_pattern(
    client: Client, prompt: Document, drafted: Proposal, mara: User
) -> None:
    approve(drafted.pk, user=mara, digest=digest_of(drafted))
    client.force_login(mara)
    page = blame_page(client, prompt, 2)
    assert reverse("proposal", args=[drafted.pk]) in page
    assert f"{reverse('proposal', args=[drafted.pk])}#evidence" in page
    assert reverse("pattern", args=[drafted.pattern_id]) in page
    assert "approved by Mara Okafor" in page


def test_a_rollback_gives_lines_back_to_those_who_wrote_them(
    prompt: Document, pending: Proposal, mara: User, aiko: User
) -> None:
    approve(pending.pk, user=mara, digest=digest_of(pending))
    roll_back(prompt.pk, user=aiko, to_number=1, current_number=2, reason="Too soon.")
    assert set(prompt.versions.latest("number").line_versions) == {1}


def test_blame_asks_as_much_of_a_long_history(
    client: Client, prompt: Document, mara: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        current = prompt.versions.latest("number")
        publish(prompt, current.text + f"- Rule {number}.\n", base=current, actor=SYSTEM, proposal=0)
    client.force_login(mara)
    blame_page(client, prompt, 31)  # the first visit of a session is written down
    with django_assert_max_num_queries(16):
        assert "Rule 29" in blame_page(client, prompt, 31)


def test_a_version_is_downloaded_as_it_is_served(client: Client, prompt: Document, mara: User) -> None:
    client.force_login(mara)
    response = client.get(reverse("download", args=["support", prompt.slug, 1]))
    assert response.content.decode() == PROMPT
    assert response["Content-Disposition"] == f'attachment; filename="support-{prompt.slug}-v1.md"'
