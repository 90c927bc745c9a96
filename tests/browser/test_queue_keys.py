"""The queue by keyboard, and without script."""

from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, Route, expect

from agents.models import Document
from agents.versions import create_agent
from audit.record import SYSTEM
from people.models import User
from proposals.models import Assignment, Decision, Proposal
from tests.browser.test_journeys import _signed_in, board
from tests.cast import PROMPT, propose

__all__ = ["board"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser: Browser, board: str) -> Iterator[Page]:
    """Signed in as the admin; a script error or a refused resource fails the test."""
    yield from _signed_in(browser, board)


@pytest.fixture
def plain_page(browser: Browser, board: str) -> Iterator[Page]:
    """The same without script."""
    yield from _signed_in(browser, board, script=False)


@pytest.fixture
def second(aiko: User, pending: Proposal) -> Proposal:
    """A small change of another agent's prompt."""
    made = create_agent("sales", name="Sales agent", actor=SYSTEM, documents={"prompt": PROMPT})
    return propose(made.documents.get(), aiko, new="7 days")


def test_a_low_risk_decision_takes_three_keystrokes_and_so_does_the_next(
    page: Page, board: str, prompt: Document, second: Proposal
) -> None:
    page.goto(board)
    strokes = 0
    for title in ("Say 14 days", "Say 7 days"):
        for key in ("Enter", "a", "Enter"):
            page.keyboard.press(key)
            strokes += 1
            if key == "Enter" and strokes % 3 == 1:
                expect(page.get_by_role("heading", level=1)).to_have_text(title)
            if key == "a":
                expect(page.get_by_role("button", name="Approve", exact=True)).to_be_focused()
        expect(page.get_by_role("status")).to_be_focused()
        expect(page.get_by_role("status")).to_contain_text("current from now on.")
    assert strokes == 6
    assert Decision.objects.count() == 2


def test_a_key_pressed_before_the_script_has_come_is_not_lost(page: Page, board: str, pending: Proposal) -> None:
    held: list[Route] = []
    page.route("**/countersign.js", lambda route: held.append(route))
    page.goto(board + reverse("proposal", args=[pending.pk]), wait_until="commit")
    expect(page.get_by_role("heading", level=1)).to_have_text("Say 14 days")
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    held[0].continue_()
    expect(page.get_by_role("button", name="Approve", exact=True)).to_be_focused()
    assert not Decision.objects.exists()


def test_brackets_go_through_the_list_and_u_back_to_it(page: Page, board: str, second: Proposal) -> None:
    page.goto(f"{board}/?show=open&sort=age")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Say 14 days")
    page.keyboard.press("]")
    expect(page.get_by_role("heading", level=1)).to_have_text("Say 7 days")
    page.keyboard.press("[")
    expect(page.get_by_role("heading", level=1)).to_have_text("Say 14 days")
    page.keyboard.press("u")
    page.wait_for_url("**/?show=open&sort=age")


def test_ticked_rows_are_decided_together_without_script(plain_page: Page, board: str, second: Proposal) -> None:
    plain_page.goto(board)
    expect(plain_page.get_by_role("button", name="Review together")).to_be_hidden()
    for title in ("Say 14 days", "Say 7 days"):
        plain_page.get_by_role("checkbox", name=title).check()
    plain_page.get_by_role("button", name="Review together").click()
    expect(plain_page.locator("table.diff")).to_have_count(2)
    plain_page.get_by_role("button", name="Approve both").click()
    expect(plain_page.get_by_role("heading", level=1)).to_have_text("2 of 2 approved")
    assert Decision.objects.count() == 2


def test_filtering_keeping_and_assigning_without_script(plain_page: Page, mara: User, pending: Proposal) -> None:
    plain_page.get_by_text("Filter", exact=True).click()
    plain_page.get_by_label("Risk").select_option("Low risk")
    plain_page.get_by_role("button", name="Show these").click()
    plain_page.get_by_text("Filter", exact=True).click()
    plain_page.get_by_label("Name").fill("Small ones")
    plain_page.get_by_role("button", name="Save this filter").click()
    expect(plain_page.get_by_role("link", name="Small ones")).to_have_attribute("aria-current", "true")
    plain_page.get_by_role("link", name="Say 14 days").click()
    plain_page.get_by_label("Assign to", exact=True).select_option("Mara Okafor")
    plain_page.get_by_role("button", name="Assign", exact=True).click()
    expect(plain_page.get_by_role("status")).to_have_text("Assigned to Mara Okafor.")
    assert plain_page.url.endswith(reverse("proposal", args=[pending.pk]) + "?queue=risk%3Dlow")
    assert Assignment.objects.get().user == mara
