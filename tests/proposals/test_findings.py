"""What checks find in a text, and the reason that approving it takes."""

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Document
from audit.models import AuditEntry
from people.models import User
from proposals.actions.bypass import bypass
from proposals.actions.decisions import approve
from proposals.checking.checks import addresses
from proposals.exceptions import Blocked, Invalid
from proposals.models import Decision, Proposal
from tests.cast import digest_of, propose

pytestmark = pytest.mark.django_db

SECRET = "Use sk_live_abcdefghijklmnop1234 for payments"
TRUE_REASON = "Customers are told the wrong thing."
WHY = "It is the example of the vendor’s own manual."


@pytest.fixture
def leaking(prompt: Document, aiko: User) -> Proposal:
    """A person's proposal with what looks like a secret."""
    return propose(prompt, aiko, new=SECRET)


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example",
        "mail me@evil.example",
        "10.0.0.7",
        "2001:db8::1",
        "evil.shop",
        "evil[.]com",
        "hxxps://e.vil",
    ],
)
def test_addresses_are_found_however_they_are_written(text: str) -> None:
    assert addresses(text)


def test_a_finding_that_blocks_takes_a_reason_of_its_own(leaking: Proposal, mara: User) -> None:
    with pytest.raises(Invalid) as refused:
        approve(leaking.pk, user=mara, digest=digest_of(leaking), note="Fine.")
    assert refused.value.field == "answer_secrets"
    approve(leaking.pk, user=mara, digest=digest_of(leaking), answers={"secrets": WHY})
    assert Decision.objects.get().answers == {"secrets": WHY}
    assert AuditEntry.objects.get(verb="proposal.approved").fact["after"]["answers"] == {"secrets": WHY}


def test_the_page_asks_for_it_and_the_story_keeps_it(client: Client, leaking: Proposal, mara: User) -> None:
    client.force_login(mara)
    page = reverse("proposal", args=[leaking.pk])
    assert "Why this may stand: secrets" in client.get(page).text
    sent = {"digest": digest_of(leaking), "verdict": "approve", "note": "Fine."}
    refused = client.post(reverse("decide", args=[leaking.pk]), sent)
    assert refused.status_code == 422
    assert "Say why this may stand" in refused.text
    assert client.post(reverse("decide", args=[leaking.pk]), sent | {"answer_secrets": WHY}).status_code in (302, 303)
    leaking.refresh_from_db()
    for place in (page, reverse("story", args=[leaking.published_id])) if leaking.published_id else (page,):
        assert WHY in client.get(place).text


def test_nothing_that_blocks_is_published_in_an_emergency(leaking: Proposal, ada: User) -> None:
    with pytest.raises(Blocked, match="until somebody approves it with a reason"):
        bypass(
            leaking.pk,
            user=ada,
            digest=digest_of(leaking),
            reason="Customers are told the wrong thing.",
            number=leaking.pk,
        )
