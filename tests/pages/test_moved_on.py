"""A text moves on while somebody writes: nothing published is taken back unseen, and nothing typed is lost."""

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Document
from agents.sections import lines_of
from agents.versions import sha256
from people.models import User
from proposals.actions import proposals
from proposals.actions.comments import Spot, Wording, apply_suggestion, open_thread
from proposals.actions.decisions import approve, request_changes
from proposals.actions.rollbacks import roll_back
from proposals.exceptions import Duplicate, StaleProposal
from proposals.models import Comment, Proposal, Thread
from tests.cast import PROMPT, digest_of, propose

ORDERS = ("about orders", "about parcels")


def opened(client: Client, page: str) -> dict[str, str]:
    """The editor's fields as a browser gets them."""
    form = client.get(page).context["form"]
    return {name: str(form[name].value() or "") for name in form.fields}


@pytest.fixture
def sent_back(prompt: Document, aiko: User, mara: User) -> Proposal:
    """Aiko's proposal, which Countersign leaves alone when the document moves on."""
    mine = propose(prompt, aiko)
    request_changes(mine.pk, user=mara, digest=digest_of(mine), note="Name the goods.")
    return mine


def publish_another(prompt: Document, aiko: User, mara: User, old: str, new: str) -> None:
    other = propose(prompt, aiko, old, new)
    approve(other.pk, user=mara, digest=digest_of(other))


def test_amending_takes_back_nothing_that_was_published_meanwhile(
    client: Client, prompt: Document, sent_back: Proposal, aiko: User, mara: User
) -> None:
    client.force_login(aiko)
    page = reverse("amend", args=[sent_back.pk])
    typed = opened(client, page)
    typed["text"] = typed["text"].replace("14 days", "15 days")
    publish_another(prompt, aiko, mara, *ORDERS)
    refused = client.post(page, typed)
    assert refused.status_code == 409
    assert "Version 2 became current meanwhile. Nothing was saved." in refused.text
    assert "within 15 days" in refused.text
    merged = client.post(page, typed | {"merge": "yes"})
    assert "What you typed is carried over to it below." in merged.text
    again = {name: str(merged.context["form"][name].value()) for name in typed}
    publish_another(prompt, aiko, mara, "card numbers", "bank numbers")
    assert client.post(page, again).status_code == 409, "what was merged onto version 2 is not saved on version 3"
    merged = client.post(page, again | {"merge": "yes"})
    again = {name: str(merged.context["form"][name].value()) for name in typed}
    assert client.post(page, again).status_code == 303
    text = sent_back.revisions.latest("number").text
    assert all(said in text for said in ("15 days", "about parcels", "bank numbers"))


def test_what_both_changed_is_shown_before_it_is_saved(
    client: Client, prompt: Document, sent_back: Proposal, aiko: User, mara: User
) -> None:
    client.force_login(aiko)
    page = reverse("amend", args=[sent_back.pk])
    typed = opened(client, page)
    publish_another(prompt, aiko, mara, "30 days", "60 days")
    shown = client.post(page, typed | {"merge": "yes"}).text
    assert "1 place changed by both" in shown
    assert "what you typed" in shown


def test_a_revision_of_another_is_merged_too(client: Client, pending: Proposal, aiko: User, mara: User) -> None:
    client.force_login(mara)
    page = reverse("amend", args=[pending.pk])
    typed = opened(client, page)
    typed["text"] += "- Be brief.\n"
    text = PROMPT.replace("30 days", "14 days").replace(*ORDERS)
    proposals.amend(pending.pk, user=aiko, text=text, note="", digest=digest_of(pending))
    assert "Merge it with revision 2" in client.post(page, typed).text
    merged = client.post(page, typed | {"merge": "yes"})
    again = {name: str(merged.context["form"][name].value()) for name in typed}
    assert client.post(page, again).status_code == 303
    assert pending.revisions.latest("number").text == text + "- Be brief.\n"


def test_a_new_proposal_is_merged_with_what_became_current(
    client: Client, prompt: Document, aiko: User, mara: User, jonas: User
) -> None:
    client.force_login(jonas)
    page = reverse("propose", args=["support", "system-prompt"])
    typed = opened(client, page) | {"title": "Say 14", "rationale": "Law.", "text": PROMPT.replace("30 d", "14 d")}
    publish_another(prompt, aiko, mara, *ORDERS)
    refused = client.post(page, typed)
    assert refused.status_code == 409
    assert "Merge it with version 2" in refused.text
    merged = client.post(page, typed | {"merge": "yes"})
    again = {name: str(merged.context["form"][name].value()) for name in typed}
    assert client.post(page, again).status_code == 303
    made = Proposal.objects.select_related("revision").latest("pk").revision
    assert made
    assert all(said in made.text for said in ("14 days", "about parcels"))


@pytest.mark.parametrize("changed", [{"base": "99", "digest": "x"}, {"base": "0"}, {"text": " "}])
def test_a_merge_of_nonsense_gets_a_sentence(
    client: Client, sent_back: Proposal, aiko: User, changed: dict[str, str]
) -> None:
    client.force_login(aiko)
    page = reverse("amend", args=[sent_back.pk])
    answer = client.post(page, opened(client, page) | {"merge": "yes"} | changed)
    assert answer.status_code in (409, 422)
    assert 'role="alert"' in answer.text


def test_two_open_proposals_never_have_one_text(prompt: Document, pending: Proposal, aiko: User) -> None:
    other = propose(prompt, aiko, *ORDERS)
    text = PROMPT.replace("30 days", "14 days")
    with pytest.raises(Duplicate, match="proposes the same text and is open"):
        proposals.amend(other.pk, user=aiko, text=text, note="", digest=digest_of(other))


def suggest(proposal: Proposal, user: User) -> Comment:
    text = proposal.revisions.latest("number").text
    number = next(n for n, line in enumerate(lines_of(text), 1) if "days" in line)
    line = lines_of(text)[number - 1]
    spot = Spot(1, Thread.Side.NEW, number, number)
    thread = open_thread(proposal.pk, user=user, spot=spot, text="So", wording=Wording(f"{line}!", sha256(line)))
    return thread.comments.get()


def test_a_suggestion_takes_back_nothing_either(
    client: Client, prompt: Document, sent_back: Proposal, aiko: User, mara: User, jonas: User
) -> None:
    comment, page = suggest(sent_back, jonas), reverse("proposal", args=[sent_back.pk])
    apply = reverse("apply_suggestion", args=[comment.pk])
    client.force_login(aiko)
    assert apply in client.get(page).text
    publish_another(prompt, aiko, mara, *ORDERS)
    shown = client.get(page).text
    assert apply not in shown
    assert "this has to be brought up to date first" in shown
    with pytest.raises(StaleProposal):
        apply_suggestion(comment.pk, user=aiko, digest=digest_of(sent_back))


def test_no_suggestion_is_offered_for_what_is_in_effect(
    client: Client, prompt: Document, aiko: User, mara: User, jonas: User
) -> None:
    publish_another(prompt, aiko, mara, *ORDERS)
    review = roll_back(prompt.pk, user=aiko, to_number=1, current_number=2, reason="Worse.")
    comment = suggest(review, mara)
    client.force_login(jonas)
    shown = client.get(reverse("proposal", args=[review.pk])).text
    assert reverse("apply_suggestion", args=[comment.pk]) not in shown
    assert "It is in effect, so its text stays" in shown
