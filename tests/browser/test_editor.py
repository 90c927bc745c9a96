"""Writing a change in a real browser: the editor, the live difference, and words that are not lost."""

from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from agents.models import Document
from people.models import User
from people.signin import one_time_link
from proposals.actions import proposals
from proposals.models import Proposal
from tests.browser.axe import violations
from tests.cast import PROMPT, digest_of, propose

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def board(live_server: LiveServer, ada: User, mara: User, pending: Proposal) -> str:
    """The address of a board on which one proposal waits."""
    return str(live_server.url)


@pytest.fixture
def context(browser: Browser, board: str) -> Iterator[BrowserContext]:
    """A browser in which the admin is signed in."""
    opened = browser.new_context(viewport={"width": 1280, "height": 900})
    page = opened.new_page()
    page.goto(one_time_link(board))
    page.get_by_role("button", name="Sign in as Ada Brandt").click()
    page.wait_for_url(f"{board}/")
    page.close()
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page on which any script error or refused resource fails the test."""
    opened, troubles = context.new_page(), []
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("console", lambda said: troubles.append(said.text) if "Security Policy" in said.text else None)
    opened.on("dialog", lambda asked: asked.accept())
    yield opened
    assert not troubles


@pytest.fixture
def editor(page: Page, board: str) -> Page:
    """The editor of the one prompt there is."""
    page.goto(board + reverse("propose", args=["support", "system-prompt"]))
    return page


def at_the_end_of(page: Page, line: str) -> None:
    """Put the caret behind a line of the text."""
    page.get_by_label("Text", exact=True).evaluate(
        "(area, line) => { const end = area.value.indexOf(line) + line.length; area.focus();"
        " area.setSelectionRange(end, end); }",
        line,
    )


def test_lists_go_on_tab_leads_on_and_the_difference_follows(editor: Page) -> None:
    text = editor.get_by_label("Text", exact=True)
    at_the_end_of(editor, "before you name a deadline.")
    editor.keyboard.press("Enter")
    editor.keyboard.type("Be brief.")
    editor.keyboard.press("Enter")
    editor.keyboard.press("Enter")
    expect(text).to_have_value(PROMPT.replace("a deadline.\n", "a deadline.\n- Be brief.\n\n"))
    expect(editor.locator("#preview ins").first).to_have_text("- Be brief.")
    expect(editor.locator("#preview")).to_contain_text("+2")
    assert violations(editor) == []
    editor.keyboard.press("Control+z")
    expect(text).to_have_value(PROMPT.replace("a deadline.\n", "a deadline.\n- Be brief.\n- \n"))
    editor.keyboard.press("Tab")
    expect(editor.get_by_role("button", name="Propose a change")).to_be_focused()


def test_the_numbers_stand_beside_their_lines_and_sections_are_one_click_away(editor: Page) -> None:
    assert editor.evaluate(
        "(() => { const area = document.querySelector('.editor textarea'), under = document.querySelector('.under');"
        " return Math.abs(area.clientHeight - under.clientHeight) <= 1"
        " && area.scrollHeight <= area.clientHeight + 1; })()"
    )
    editor.get_by_role("button", name="Safety").click()
    editor.keyboard.type("!")
    expect(editor.get_by_label("Text", exact=True)).to_have_value(PROMPT.replace("## Safety", "!## Safety"))
    expect(editor.locator("#where")).to_have_text("line 10 of 12")


def test_control_enter_sends_and_what_is_refused_is_kept(editor: Page) -> None:
    editor.get_by_label("Why the change is needed").fill("Answers are long.")
    at_the_end_of(editor, "passwords.")
    editor.keyboard.type(" Be brief.")
    editor.keyboard.press("Control+Enter")
    expect(editor.get_by_role("alert").filter(has_text="Give the change a title.")).to_be_visible()
    editor.get_by_label("Title").fill("Be brief")
    editor.keyboard.press("Control+Enter")
    expect(editor.get_by_role("heading", level=1)).to_have_text("Be brief")
    editor.goto(editor.url.split("/proposals/")[0] + reverse("propose", args=["support", "system-prompt"]))
    expect(editor.get_by_label("Title")).to_have_value("")


def test_words_survive_leaving_and_an_expired_session(editor: Page, board: str, ada: User) -> None:
    editor.get_by_label("Title").fill("Be brief")
    editor.goto(f"{board}/agents/")
    editor.goto(board + reverse("propose", args=["support", "system-prompt"]))
    expect(editor.get_by_label("Title")).to_have_value("Be brief")
    expect(editor.get_by_text("What you typed before is back.")).to_be_visible()
    ada.set_password("a long and good one")
    ada.save()  # which ends her sessions
    at_the_end_of(editor, "passwords.")
    editor.keyboard.type(" Be brief.")
    expect(editor.locator("#said")).to_contain_text("You are signed out.")
    editor.get_by_role("button", name="Propose a change").click()
    expect(editor.get_by_text("What you typed is kept in this tab.")).to_be_visible()
    editor.get_by_label("Username").fill("ada")
    editor.get_by_label("Password").fill("a long and good one")
    editor.get_by_role("button", name="Sign in", exact=True).click()
    expect(editor.get_by_label("Title")).to_have_value("Be brief")
    expect(editor.get_by_label("Text", exact=True)).to_have_value(PROMPT.replace("passwords.", "passwords. Be brief."))
    editor.get_by_role("button", name="Discard it").click()
    expect(editor.get_by_label("Text", exact=True)).to_have_value(PROMPT)


def test_somebody_elses_change_is_told_and_moves_nothing(
    page: Page, board: str, pending: Proposal, aiko: User, prompt: Document
) -> None:
    page.clock.install()
    page.goto(board + reverse("proposal", args=[pending.pk]))
    page.get_by_label("Note").fill("Not to be lost.")
    before = page.get_by_label("Note").bounding_box()
    text = PROMPT.replace("30 days", "21 days")
    proposals.amend(pending.pk, user=aiko, text=text, note="", digest=digest_of(pending))
    page.clock.fast_forward(11_000)
    expect(page.locator("#said")).to_contain_text("Aiko Tanaka changed this to revision 2")
    assert page.get_by_label("Note").bounding_box() == before
    expect(page.get_by_label("Note")).to_have_value("Not to be lost.")
    page.get_by_role("button", name="Look").click()
    expect(page.locator("ins").first).to_have_text("21")
    expect(page.get_by_label("Note")).to_have_value("Not to be lost.")


def test_a_decision_after_signing_out_stays_on_the_page_with_its_note(
    page: Page, board: str, pending: Proposal, ada: User
) -> None:
    page.goto(board + reverse("proposal", args=[pending.pk]))
    page.get_by_label("Note").fill("Not to be lost.")
    ada.set_password("a long and good one")
    ada.save()  # which ends her sessions
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.locator("#said")).to_contain_text("You are signed out.")
    expect(page.get_by_label("Note")).to_have_value("Not to be lost.")
    page.locator("#said").get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill("a long and good one")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_label("Note")).to_have_value("Not to be lost.")
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_role("heading", name="Approved")).to_be_visible()


def test_the_queue_counts_along_and_refreshes_when_asked(
    page: Page, board: str, aiko: User, pending: Proposal, prompt: Document
) -> None:
    page.clock.install()
    with page.expect_response(lambda answer: "/updates/" in answer.url):
        page.goto(board)
    propose(prompt, aiko, new="21 days")
    page.clock.fast_forward(11_000)
    expect(page.locator("#said")).to_contain_text("1 new change")
    expect(page.locator("nav.wide [data-turn-count]")).to_contain_text("2")
    expect(page.get_by_role("heading", level=1)).to_have_text("One change waits for you")
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Two changes wait for you")
    expect(page.locator("#said")).to_be_empty()


def test_single_keys_stay_silent_when_turned_off(page: Page, board: str) -> None:
    page.goto(f"{board}/settings/")
    page.get_by_role("button", name="Turn single keys off").click()
    page.goto(board)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.locator("summary").filter(has_text="Menu of Ada Brandt").click()
    page.get_by_role("link", name="Keys").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_what_was_typed_is_marked_at_once_and_saving_stays_in_sight(editor: Page) -> None:
    editor.route("**/propose/", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    at_the_end_of(editor, "passwords.")
    editor.keyboard.type(" Ever.")
    expect(editor.locator(".under .new")).to_contain_text("Ever.")
    expect(editor.locator(".under .at")).to_have_count(1)
    expect(editor.get_by_role("button", name="Propose a change")).to_be_in_viewport()


def test_what_a_proposal_lacks_is_in_sight_on_a_telephone_too(editor: Page) -> None:
    editor.set_viewport_size({"width": 390, "height": 700})
    editor.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    editor.get_by_role("button", name="Propose").click()
    wrong = editor.locator(".field.wrong").first
    expect(wrong).to_be_in_viewport()
    expect(wrong.locator("input, textarea")).to_be_focused()
