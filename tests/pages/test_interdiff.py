"""What changed since a reviewer looked: shown beside the newest text, and with a refused decision."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Document
from agents.versions import create_agent, publish
from audit.record import SYSTEM
from people.models import User
from proposals.actions import decisions, proposals
from proposals.models import Decision, Proposal
from tests.cast import PROMPT, digest_of, propose


def reword(proposal: Proposal, user: User, phrase: str) -> None:
    text = PROMPT.replace("30 days", phrase)
    proposals.amend(proposal.pk, user=user, text=text, note="Legal says so.", digest=digest_of(proposal))


@pytest.fixture
def page(pending: Proposal) -> str:
    return reverse("proposal", args=[pending.pk])


def test_who_asked_for_changes_sees_what_was_done(
    client: Client, pending: Proposal, mara: User, jonas: User, aiko: User, page: str
) -> None:
    decisions.request_changes(pending.pk, user=mara, digest=digest_of(pending), note="Say 21 days.")
    reword(pending, aiko, "21 days")
    client.force_login(mara)
    text = client.get(page).text
    assert "Changed to revision 2" in text
    assert "by Aiko Tanaka" in text
    assert "<del>14</del>" in text
    client.force_login(jonas)
    assert "Changed to revision 2" not in client.get(page).text


def test_a_refused_decision_shows_the_difference_and_keeps_the_words(
    client: Client, pending: Proposal, mara: User, aiko: User
) -> None:
    seen = digest_of(pending)
    reword(pending, aiko, "21 days")
    reword(pending, aiko, "28 days")
    client.force_login(mara)
    sent = {"verdict": "reject", "digest": seen, "note": "Fourteen is too short.", "reason": "too_risky"}
    answer = client.post(reverse("decide", args=[pending.pk]), sent)
    assert answer.status_code == 409
    text = answer.text
    assert "You saw revision 1." in text
    assert "<del>14</del>" in text
    assert "<ins>28</ins>" in text
    assert "Fourteen is too short." in text
    assert '<option value="too_risky" selected>' in text
    assert not Decision.objects.exists()


def test_an_outdated_amendment_shows_what_changed(client: Client, pending: Proposal, mara: User, aiko: User) -> None:
    seen = digest_of(pending)
    reword(pending, aiko, "21 days")
    client.force_login(mara)
    answer = client.post(reverse("amend", args=[pending.pk]), {"digest": seen, "text": "Mine.", "note": ""})
    assert answer.status_code == 409
    assert "<ins>21</ins>" in answer.text


@pytest.mark.parametrize(
    ("asked", "label", "marked"),
    [
        ("", "revision 2", "<del>21</del>"),
        ("?from=1", "revision 1", "<del>14</del>"),
        ("?from=0", "version 1", "<del>30</del>"),
        ("?from=1&lines=all", "revision 1", "Never ask for card numbers"),
        ("?from=nonsense", "revision 2", "<del>21</del>"),
    ],
)
def test_any_two_revisions_are_compared(
    client: Client, pending: Proposal, mara: User, aiko: User, asked: str, label: str, marked: str
) -> None:
    reword(pending, aiko, "21 days")
    reword(pending, aiko, "28 days")
    client.force_login(mara)
    text = client.get(reverse("revision", args=[pending.pk, 3]) + asked).text
    assert f"Compared with {label}" in text
    assert marked in text


def test_a_revision_that_is_not_there_is_not_compared(client: Client, pending: Proposal, mara: User) -> None:
    client.force_login(mara)
    assert client.get(reverse("revision", args=[pending.pk, 1]) + "?from=7").status_code == 404


def test_a_move_is_one_closed_line(client: Client, pending: Proposal, prompt: Document, mara: User, page: str) -> None:
    client.force_login(mara)
    client.get(page)
    current = Document.objects.select_related("agent", "current").get(pk=prompt.pk)
    assert current.current
    text = current.current.text.replace("card numbers", "card numbers, PINs")
    publish(current, text, base=current.current, actor=SYSTEM, proposal=0)
    proposals.rebase(pending.pk)
    text = client.get(page).text
    assert "Moved onto version 2" in text
    assert "its own change is the same" in text
    assert "Changed to revision 2" not in text


def test_nobody_is_shown_what_they_wrote_themselves(client: Client, pending: Proposal, mara: User, page: str) -> None:
    client.force_login(mara)
    client.get(page)
    reword(pending, mara, "21 days")
    assert 'id="since"' not in client.get(page).text


def test_one_fold_opens_alone_wherever_a_change_is_shown(client: Client, ada: User, mara: User, aiko: User) -> None:
    rules = "".join(f"- Rule {number} of the desk.\n" for number in range(20))
    text = f"# Desk\n{rules}- Refunds within 30 days.\n{rules.replace('desk', 'shop')}"
    agent = create_agent("desk", name="Desk", actor=SYSTEM, documents={"prompt": text})
    proposal = propose(agent.documents.get(), aiko)
    page = reverse("proposal", args=[proposal.pk])
    client.force_login(ada)
    client.get(page)
    proposals.amend(
        proposal.pk, user=aiko, text=text.replace("30 days", "21 days"), note="", digest=digest_of(proposal)
    )
    shown = {
        "lines": [reverse("revision", args=[proposal.pk, 2]) + "?from=1", reverse("bypass", args=[proposal.pk])],
        "came": [page],
    }
    for name, addresses in shown.items():
        for address in addresses:
            folded = client.get(address).text
            first, second = (int(start) for start in re.findall(rf"[?;]{name}=(\d+)[^\"]*\" hx-get", folded))
            opened = client.get(f"{address}{'&' if '?' in address else '?'}{name}={first}&since=1").text
            assert opened.count("Rule 5 of the desk") == folded.count("Rule 5 of the desk") + 1
            assert opened.count("Rule 5 of the shop") == folded.count("Rule 5 of the shop")
            assert f"{name}={first}.{second}" in opened
