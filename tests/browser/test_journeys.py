"""What people do, in a real browser: with and without script, by mouse and by keyboard, wide and narrow."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from agents.models import Document
from agents.versions import publish
from audit.record import SYSTEM
from people.models import User
from proposals.actions import proposals
from proposals.models import Decision, Proposal
from tests.cast import digest_of, propose

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("kind", ["page", "plain_page"])
def test_a_refusal_keeps_the_words_and_nothing_is_recorded(
    request: pytest.FixtureRequest, kind: str, aiko: User, pending: Proposal
) -> None:
    shown: Page = request.getfixturevalue(kind)
    shown.get_by_role("link", name="Say 14 days").click()
    text = pending.revision.text.replace("14 days", "21 days") if pending.revision else ""
    proposals.amend(pending.pk, user=aiko, text=text, note="", digest=digest_of(pending))
    shown.get_by_label("Note").fill("Looks right.")
    shown.get_by_role("button", name="Approve", exact=True).click()
    expect(shown.get_by_role("alert").filter(has_text="Nothing was recorded.")).to_be_visible()
    expect(shown.get_by_label("Note")).to_have_value("Looks right.")
    expect(shown.locator("ins").first).to_have_text("21")
    assert not Decision.objects.exists()


def test_tabs_swap_the_change_and_back_brings_it_again(page: Page) -> None:
    page.get_by_role("link", name="Say 14 days").click()
    page.get_by_label("Note").fill("Not to be lost.")
    page.get_by_role("link", name="Side by side").click()
    expect(page.locator("table.beside")).to_be_visible()
    page.wait_for_url("**view=side**")
    expect(page.get_by_label("Note")).to_have_value("Not to be lost.")


def test_a_field_dragged_larger_breaks_no_rule_when_the_page_is_swapped(page: Page) -> None:
    page.get_by_role("link", name="Say 14 days").click()
    page.get_by_label("Note").evaluate("note => { note.style.height = '200px' }")  # as the browser does
    page.get_by_role("button", name="Reject", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Choose why it is rejected.")


def test_filters_swap_the_list_and_change_the_address(page: Page) -> None:
    page.get_by_role("link", name="Decided").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("No changes decided")
    page.wait_for_url("**show=decided**")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("One change waits for you")


def test_keys_move_and_open_but_never_decide(page: Page, pending: Proposal) -> None:
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Say 14 days")
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Approve", exact=True)).to_be_focused()
    page.keyboard.press("x")
    expect(page.get_by_role("button", name="Reject")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.wait_for_url("**/audit/")
    assert not Decision.objects.exists()


def test_keys_are_letters_while_typing(page: Page) -> None:
    page.get_by_role("link", name="Say 14 days").click()
    note = page.get_by_label("Note")
    note.press_sequentially("gqa?")
    expect(note).to_have_value("gqa?")
    expect(note).to_be_focused()


def test_a_low_window_has_a_way_to_the_decision_and_paper_the_whole_change(
    page: Page, board: str, prompt: Document, aiko: User
) -> None:
    current = prompt.current
    assert current is not None
    publish(prompt, current.text + "- Be kind to people who ask.\n" * 1200, base=current, actor=SYSTEM, proposal=0)
    long = propose(prompt, aiko, "people", "persons")
    page.set_viewport_size({"width": 1280, "height": 500})
    page.goto(board + reverse("proposal", args=[long.pk]))
    page.mouse.wheel(0, 4000)
    way = page.get_by_role("link", name="To the decision")
    expect(way).to_be_in_viewport()
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Approve", exact=True)).to_be_in_viewport()
    expect(way).to_be_hidden()
    page.set_viewport_size({"width": 1280, "height": 1600})
    page.mouse.wheel(0, 4000)
    expect(page.get_by_role("button", name="Approve", exact=True)).to_be_in_viewport()
    lines = page.locator("#change tr.add")
    shown = lines.count()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    expect(lines).to_have_count(1200)
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    expect(lines).to_have_count(shown)


def test_all_that_a_rejection_lacks_is_said_at_once_and_keys_go_to_it(page: Page) -> None:
    page.get_by_role("link", name="Say 14 days").click()
    page.get_by_role("button", name="Reject", exact=True).click()
    expect(page.locator(".field.wrong")).to_have_count(2)
    expect(page.get_by_label("Why: a note")).to_be_focused()
    page.get_by_label("Why: a note").fill("It is 30.")
    expect(page.locator(".field.wrong")).to_have_count(1)
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("r")
    expect(page.get_by_label("Reason, if you reject")).to_be_focused()
    page.locator("tr.gap a").first.click()
    expect(page.locator("#change")).to_contain_text("You answer questions about orders.")
    expect(page.get_by_label("Why: a note")).to_have_value("It is 30.")
