"""Documents: read, compared, changed by proposal, rolled back."""

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Document
from agents.protection import protect
from audit.record import SYSTEM
from people.models import User
from proposals.actions import decisions
from proposals.models import Proposal
from tests.cast import PROMPT, digest_of, propose

DOCUMENT = ["support", "system-prompt"]


@pytest.fixture
def changed(prompt: Document, aiko: User, mara: User) -> Document:
    """The prompt at version 2, which says 14 days."""
    proposal = propose(prompt, aiko)
    decisions.approve(proposal.pk, user=mara, digest=digest_of(proposal))
    return Document.objects.get(pk=prompt.pk)


def test_the_page_tells_what_was_current_when_and_by_whom(client: Client, mara: User, changed: Document) -> None:
    client.force_login(mara)
    page = client.get(reverse("document", args=DOCUMENT)).text
    assert 'version <b class="num">2</b> is current' in page
    assert "by Mara Okafor" in page
    assert page.count("Roll back to 1</a>") == 1
    assert "Propose a change</a>" in page


def test_an_old_version_stays_readable(client: Client, mara: User, changed: Document) -> None:
    client.force_login(mara)
    page = client.get(reverse("version", args=[*DOCUMENT, 1])).text
    assert "within 30 days" in page
    assert client.get(reverse("version", args=[*DOCUMENT, 3])).status_code == 404


def test_any_two_versions_are_compared_in_either_direction(client: Client, mara: User, changed: Document) -> None:
    client.force_login(mara)
    address = reverse("compare", args=DOCUMENT)
    assert "What changed from version 1 to version 2" in client.get(address).text
    assert "<ins>30</ins>" in client.get(f"{address}?from=2&to=1").text
    assert "have the same text" in client.get(f"{address}?from=2&to=2&view=side").text


@pytest.mark.parametrize("query", ["from=0&to=1", "from=x&to=1", "from=1&to=99"])
def test_versions_that_are_not_there_are_refused(client: Client, mara: User, changed: Document, query: str) -> None:
    client.force_login(mara)
    assert client.get(f"{reverse('compare', args=DOCUMENT)}?{query}").status_code == 422


def test_a_person_proposes_a_change(client: Client, aiko: User, prompt: Document) -> None:
    client.force_login(aiko)
    address = reverse("propose", args=DOCUMENT)
    assert "within 30 days" in client.get(address).text
    sent = {"base": "1", "title": "Say 10 days", "rationale": "New law.", "text": PROMPT.replace("30", "10")}
    assert client.post(address, sent).status_code == 303
    assert Proposal.objects.get().title == "Say 10 days"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"title": " "}, "Give the change a title."),
        ({"rationale": ""}, "Say why the change is needed."),
        ({"text": PROMPT}, "The text is the same as the current version"),
        ({"text": " \n"}, "The text is empty."),
    ],
)
def test_a_bad_proposal_is_refused_beside_its_field(
    client: Client, aiko: User, prompt: Document, wrong: dict[str, str], said: str
) -> None:
    client.force_login(aiko)
    sent = {"base": "1", "title": "Say 10 days", "rationale": "New law.", "text": PROMPT + "typed"} | wrong
    response = client.post(reverse("propose", args=DOCUMENT), sent)
    assert response.status_code == 422
    assert said in response.text
    assert not Proposal.objects.exists()


def test_proposing_on_an_old_version_keeps_the_typed_text(client: Client, aiko: User, changed: Document) -> None:
    client.force_login(aiko)
    sent = {"base": "1", "title": "Say 10 days", "rationale": "New law.", "text": "What I typed."}
    response = client.post(reverse("propose", args=DOCUMENT), sent)
    assert response.status_code == 409
    assert "What I typed." in response.text
    assert "start from version 2" in response.text


def test_rolling_back_shows_what_changes_and_needs_a_reason(client: Client, aiko: User, changed: Document) -> None:
    client.force_login(aiko)
    address = f"{reverse('roll_back', args=DOCUMENT)}?to=1"
    assert "<ins>30</ins>" in client.get(address).text
    refused = client.post(address, {"current": "2", "reason": " "})
    assert refused.status_code == 422
    assert "Say why the document is rolled back." in refused.text
    assert client.post(address, {"current": "2", "reason": "Wrong law."}).status_code == 303
    assert Document.objects.get(pk=changed.pk).versions.count() == 3


def test_rolling_back_from_an_old_page_changes_nothing(client: Client, aiko: User, changed: Document) -> None:
    client.force_login(aiko)
    address = f"{reverse('roll_back', args=DOCUMENT)}?to=1"
    client.post(address, {"current": "2", "reason": "Wrong law."})
    response = client.post(address, {"current": "2", "reason": "Wrong law, I say."})
    assert response.status_code in (409, 422)
    assert "Wrong law, I say." in response.text
    assert changed.versions.count() == 3


@pytest.mark.parametrize("to", ["", "0", "99", "x", "٣", "9" * 40])
def test_a_version_that_is_not_there_cannot_be_restored(client: Client, aiko: User, changed: Document, to: str) -> None:
    client.force_login(aiko)
    assert client.get(reverse("roll_back", args=DOCUMENT), {"to": to}).status_code == 404


def test_headings_and_protected_lines_are_marked_in_the_text(
    client: Client, mara: User, ada: User, prompt: Document
) -> None:
    protect(prompt, "Safety", owners=[ada], actor=SYSTEM)
    client.force_login(mara)
    page = client.get(reverse("document", args=DOCUMENT)).text
    assert page.count('class="equal head"') == 3
    assert page.count('class="equal head lock"') == 1
    assert page.count('class="equal lock"') == 1
    assert "Safety is protected · owner: Ada Brandt" in page
