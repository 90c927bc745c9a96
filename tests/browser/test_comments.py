"""Comments on lines in a real browser: with and without script, and by keyboard alone."""

from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from people.models import User
from people.signin import one_time_link
from proposals.actions import comments
from proposals.actions.comments import Spot
from proposals.models import Comment, Proposal, Thread
from tests.browser.looks import faults

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def board(live_server: LiveServer, ada: User, mara: User, pending: Proposal) -> str:
    """The address of a board on which one proposal waits, Mara having asked about the line under review."""
    spot = Spot(1, Thread.Side.NEW, 7, 7)
    comments.open_thread(pending.pk, user=mara, spot=spot, text="Since when?")
    return str(live_server.url)


@pytest.fixture(params=["script", "plain"])
def page(request: pytest.FixtureRequest, browser: Browser, board: str, pending: Proposal) -> Iterator[Page]:
    """The proposal, open for the admin; any script error or refused resource fails the test."""
    script = request.param == "script"
    context = browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=script)
    opened, troubles = context.new_page(), []
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("console", lambda said: troubles.append(said.text) if "Security Policy" in said.text else None)
    opened.goto(one_time_link(board))
    opened.get_by_role("button", name="Sign in as Ada Brandt").click()
    expect(opened.get_by_role("heading", level=1)).to_contain_text("waits for you")
    opened.goto(board + reverse("proposal", args=[pending.pk]))
    yield opened
    context.close()
    assert not troubles


def test_a_line_is_commented_resolved_and_reopened(page: Page) -> None:
    page.get_by_role("link", name="Comment on removed line 7").click()
    expect(page.get_by_label("Comment", exact=True)).to_be_focused()
    page.get_by_label("Comment", exact=True).fill("Who said 30?")
    page.get_by_role("button", name="Comment", exact=True).click()
    thread = page.get_by_role("article").filter(has_text="Who said 30?")
    expect(thread).to_be_visible()
    expect(page.get_by_role("link", name="2 unresolved threads")).to_be_visible()
    thread.get_by_role("button", name="Resolve").click()
    expect(page.get_by_role("link", name="1 unresolved thread")).to_be_visible()
    thread = page.get_by_role("article").filter(has_text="Resolved by Ada Brandt")
    thread.get_by_text("Resolved by Ada Brandt").click()
    thread.get_by_role("button", name="Reopen").click()
    expect(page.get_by_role("link", name="2 unresolved threads")).to_be_visible()


def test_a_wording_is_suggested_over_two_lines_and_applied(page: Page, pending: Proposal) -> None:
    page.get_by_role("link", name="Side by side").click()
    expect(page.locator("table.beside")).to_be_visible()
    page.get_by_role("link", name="Comment on line 7", exact=True).click()
    page.get_by_label("Comment", exact=True).fill("Shorter.")
    page.get_by_role("button", name="Include next line").click()
    expect(page.get_by_text("Comment on lines 7 to 8")).to_be_visible()
    expect(page.get_by_label("Comment", exact=True)).to_have_value("Shorter.")
    page.get_by_role("button", name="Comment", exact=True).press("Shift+Tab")
    form = page.locator("form.thread").filter(has_text="lines 7 to 8")
    form.get_by_text("Suggest a wording").click()
    form.get_by_label("Wording").fill("- Refunds: 14 days.")
    form.get_by_role("button", name="Comment", exact=True).click()
    page.get_by_role("button", name="Apply this wording").click()
    expect(page.get_by_role("status").filter(has_text="Applied. Revision 2")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    newest = Proposal.objects.select_related("revision").get(pk=pending.pk).revision
    assert newest is not None
    assert "## Refunds\n- Refunds: 14 days.\n\n" in newest.text
    expect(page.get_by_text("Revision 2 has wording").or_(page.get_by_text("You wrote revision 2."))).to_be_visible()


@pytest.mark.parametrize("page", ["script"], indirect=True)
def test_by_keyboard_alone_and_nothing_else_moves(page: Page, pending: Proposal, mara: User) -> None:
    page.get_by_label("Note").fill("Not to be lost.")
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("j")
    page.keyboard.press("c")
    expect(page.get_by_role("link", name="Comment on removed line 7")).to_be_focused()
    page.keyboard.press("Enter")
    form = page.get_by_label("Comment", exact=True)
    expect(form).to_be_focused()
    comments.open_thread(pending.pk, user=mara, spot=Spot(1, Thread.Side.NEW, 1, 1), text="Unseen as yet")
    page.keyboard.type("cjax?")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("button", name="Comment", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("article").filter(has_text="cjax?")).to_be_focused()
    expect(page.get_by_text("Unseen as yet")).to_have_count(0)
    expect(page.get_by_role("link", name="3 unresolved threads")).to_be_visible()
    expect(page.get_by_label("Note")).to_have_value("Not to be lost.")
    assert Comment.objects.filter(text="cjax?").count() == 1


@pytest.mark.parametrize("page", ["script"], indirect=True)
def test_a_line_asked_for_twice_has_one_form_and_cancel_puts_it_away(page: Page) -> None:
    link = page.get_by_role("link", name="Comment on line 6", exact=True)
    link.click()
    page.get_by_label("Comment", exact=True).fill("Half a thought")
    link.click()
    expect(page.get_by_label("Comment", exact=True)).to_have_value("Half a thought")
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_label("Comment", exact=True)).to_have_count(0)
    expect(link).to_be_focused()


@pytest.mark.parametrize("page", ["script"], indirect=True)
def test_talks_are_accessible_and_never_scroll_sideways(page: Page) -> None:
    address = page.url
    for view in ("inline", "side", "full"):
        page.goto(f"{address}?view={view}&comment=3")
        assert not faults(page), view
