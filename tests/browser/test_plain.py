"""Whole journeys without script: plain forms and links do everything."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from agents.models import Document
from agents.versions import create_agent
from audit.record import SYSTEM
from people.models import User
from proposals.models import Assignment, Comment, Decision, Proposal, Rollout
from tests.cast import PROMPT, propose
from tests.rollouts import start

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(plain_page: Page) -> Page:
    """In a browser that runs no script."""
    return plain_page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def follow(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def says(page: Page, said: str) -> None:
    expect(page.get_by_role("status").first).to_contain_text(said)


def test_amending_commenting_asking_for_changes_and_rejecting(page: Page, board: str, pending: Proposal) -> None:
    follow(page, "Say 14 days")
    follow(page, "Amend")
    text = page.get_by_label("Text", exact=True)
    text.fill(text.input_value().replace("14 days", "15 days"))
    press(page, "Preview")
    expect(page.locator("#preview ins").first).to_have_text("15")
    press(page, "Save revision 2")
    says(page, "Revision 2")
    expect(page.get_by_text("You wrote revision 2.")).to_be_visible()
    expect(page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    follow(page, "Comment on line 7")
    page.get_by_label("Comment", exact=True).fill("Since when?")
    press(page, "Comment")
    expect(page.get_by_role("article").filter(has_text="Since when?")).to_be_visible()
    assert Comment.objects.get().text == "Since when?"


def test_asking_for_changes_taking_it_back_and_rejecting(page: Page, pending: Proposal) -> None:
    follow(page, "Say 14 days")
    press(page, "Request changes")
    expect(page.get_by_role("alert").first).to_be_visible()
    page.get_by_label("Note").fill("Say which orders.")
    press(page, "Request changes")
    says(page, "hanges requested")
    press(page, "Take your request back")
    page.get_by_label("Note").fill("It is 30.")
    page.get_by_label("Reason, if you reject").select_option("Too risky")
    press(page, "Reject")
    says(page, "Rejected")
    verdicts = Decision.objects.order_by("pk").values_list("verdict", "note")
    assert list(verdicts) == [("request_changes", "Say which orders."), ("reject", "It is 30.")]


def test_approving_rolling_back_proposing_and_searching(page: Page, board: str, prompt: Document) -> None:
    follow(page, "Say 14 days")
    page.get_by_label("Note").fill("Checked with legal.")
    press(page, "Approve")
    says(page, "Version 2 is current from now on.")
    follow(page, "Roll back")
    press(page, "Roll back")
    expect(page.get_by_role("alert").first).to_be_visible()
    page.get_by_label("Why").fill("Legal changed its mind.")
    press(page, "Roll back")
    says(page, "The text of version 1 is current again.")
    page.goto(board + reverse("document", args=["support", "system-prompt"]))
    follow(page, "Propose a change")
    page.get_by_label("Text", exact=True).fill(PROMPT + "- Be kind.\n")
    press(page, "Propose a change")
    expect(page.get_by_role("alert").first).to_contain_text("Give the change a title.")
    page.get_by_label("Title").fill("Be kind")
    page.get_by_label("Why the change is needed").fill("Answers are curt.")
    press(page, "Propose a change")
    expect(page.get_by_role("heading", level=1)).to_have_text("Be kind")
    follow(page, "Side by side")
    expect(page.locator("table.beside")).to_be_visible()
    page.locator("tr.gap a").first.click()
    expect(page.locator("#change")).to_contain_text("You answer questions about orders.")
    page.get_by_label("Search proposals").fill("kind")
    page.get_by_label("Search proposals").press("Enter")
    expect(page.locator("a[data-item]")).to_have_text(["Be kind"])
    page.get_by_role("link", name="Decided").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("fit the filter")


def test_rollouts_are_promoted_and_stopped(page: Page, board: str, aiko: User, mara: User) -> None:
    for slug in ("sales", "travel"):
        made = create_agent(slug, name=f"{slug.title()} agent", actor=SYSTEM, documents={"prompt": PROMPT})
        start(propose(made.documents.get(), aiko, new=f"{len(slug)} days"), mara)
    page.goto(board + reverse("rollouts"))
    page.get_by_role("link", name="Travel agent").click()
    press(page, "Promote")
    says(page, "Promoted.")
    page.goto(board + reverse("rollouts"))
    page.get_by_role("link", name="Sales agent").click()
    press(page, "Stop rollout")
    expect(page.get_by_role("alert").first).to_be_visible()
    page.get_by_label("Why").fill("Not today.")
    press(page, "Stop rollout")
    says(page, "Stopped.")
    assert set(Rollout.objects.values_list("state", flat=True)) == {"promoted", "stopped"}


def test_ticked_rows_are_decided_together(page: Page, board: str, second: Proposal) -> None:
    page.goto(board)
    expect(page.get_by_role("button", name="Review together")).to_be_hidden()
    for title in ("Say 14 days", "Say 7 days"):
        page.get_by_role("checkbox", name=title).check()
    page.get_by_role("button", name="Review together").click()
    expect(page.locator("table.diff")).to_have_count(2)
    page.get_by_role("button", name="Approve both").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 of 2 approved")
    assert Decision.objects.count() == 2


def test_filtering_keeping_and_assigning(page: Page, mara: User, pending: Proposal) -> None:
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Risk").select_option("Low risk")
    page.get_by_role("button", name="Show these").click()
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Name").fill("Small ones")
    page.get_by_role("button", name="Save this filter").click()
    expect(page.get_by_role("link", name="Small ones")).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="Say 14 days").click()
    page.get_by_label("Assign to", exact=True).select_option("Mara Okafor")
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Assigned to Mara Okafor.")
    assert page.url.endswith(reverse("proposal", args=[pending.pk]) + "?queue=risk%3Dlow")
    assert Assignment.objects.get().user == mara
