"""Whole journeys by keyboard alone: every step is a key, and the focus is always there to be seen."""

from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from agents.models import Document
from agents.versions import create_agent
from audit.record import SYSTEM
from feedback.actions.mining import mine
from feedback.models import Feedback, Pattern
from people.models import User
from people.signin import one_time_link
from proposals.models import Decision, Proposal, Rollout
from tests.cast import PROMPT, propose
from tests.rollouts import start

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, ada: User, mara: User, pending: Proposal) -> Iterator[Page]:
    """The queue, the admin having signed in by keys; a mouse, a script error or a refused resource fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 700})
    context.add_init_script("addEventListener('mousedown', () => { throw Error('a mouse was used'); }, true)")
    opened, troubles = context.new_page(), []
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("console", lambda said: troubles.append(said.text) if "Security Policy" in said.text else None)
    opened.goto(one_time_link(str(live_server.url)))
    tab_to(opened.get_by_role("button", name="Sign in as Ada Brandt"))
    press(opened, "Enter")
    expect(opened.get_by_role("heading", level=1)).to_contain_text("for you")
    yield opened
    context.close()
    assert not troubles


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def tab_to(target: Locator, most: int = 8, key: str = "Tab") -> None:
    """Press Tab until the target has the focus, but not more often than anybody would."""
    for _ in range(most):
        target.page.keyboard.press(key)
        if target.evaluate("found => found === document.activeElement"):
            return
    raise AssertionError(f"{target} is more than {most} tabs away")


def leads_to(key: str, target: Locator) -> None:
    """A key moves the focus there, and does nothing else."""
    press(target.page, key)
    expect(target).to_be_focused()


def opens(page: Page, title: str) -> None:
    """Enter opens a page with this heading."""
    page.wait_for_load_state()  # keys are for scripts, which come after the page
    press(page, "Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def says(page: Page, said: str) -> None:
    """What was done is said where the focus is."""
    expect(page.get_by_role("status").first).to_be_focused()
    expect(page.get_by_role("status").first).to_contain_text(said)


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def link(page: Page, name: str) -> Locator:
    return page.get_by_role("link", name=name, exact=True)


def test_approving_and_rolling_back(page: Page, pending: Proposal) -> None:
    opens(page, "Say 14 days")
    leads_to("m", page.get_by_label("Note"))
    page.keyboard.type("Checked with legal.")
    leads_to("Control+Enter", button(page, "Approve"))
    press(page, "Enter")
    says(page, "Version 2 is current from now on.")
    expect(page.get_by_role("heading", name="Approved")).to_be_visible()
    assert page.url.endswith(reverse("proposal", args=[pending.pk]))
    leads_to("b", link(page, "Roll back"))
    opens(page, "Roll System prompt back to version 1?")
    press(page, "g", "a")
    expect(page.get_by_role("heading", level=1)).to_have_text("1 agent under review")
    opens(page, "Support agent")
    opens(page, "System prompt of Support agent")
    leads_to("b", link(page, "Roll back to 1"))
    opens(page, "Roll System prompt back to version 1?")
    leads_to("r", page.get_by_label("Why"))
    page.keyboard.type("Legal changed its mind.")
    leads_to("Control+Enter", button(page, "Roll back"))
    press(page, "Enter")
    says(page, "The text of version 1 is current again.")
    assert Decision.objects.get(verdict="approve").note == "Checked with legal."


def test_amending_and_rejecting(page: Page, pending: Proposal, aiko: User, prompt: Document) -> None:
    opens(page, "Say 14 days")
    leads_to("w", link(page, "Amend"))
    opens(page, "Amend: Say 14 days")
    leads_to("w", page.get_by_label("Text", exact=True))
    press(page, "Control+End")
    page.keyboard.type("- Be kind.")
    tab_to(page.get_by_label("What you changed"), most=1)
    page.keyboard.type("One rule more.")
    tab_to(button(page, "Save revision 2"), most=1)
    press(page, "Enter")
    says(page, "Revision 2")
    expect(page.locator("#change ins").last).to_have_text("- Be kind.")
    other = propose(prompt, aiko, new="7 days")
    press(page, "u")
    expect(link(page, "Say 7 days")).to_be_visible()
    opens(page, other.title)
    press(page, "x")
    expect(button(page, "Reject")).to_be_focused()
    press(page, "Enter")
    expect(page.get_by_label("Why: a note")).to_be_focused()
    page.keyboard.type("It is 30.")
    press(page, "Escape")
    leads_to("r", page.get_by_label("Reason, if you reject"))
    page.keyboard.type("too")
    tab_to(button(page, "Reject"), most=1)
    press(page, "Enter")
    says(page, "Rejected")
    decision = Decision.objects.get()
    assert (decision.proposal, decision.reason, decision.note) == (other, "too_risky", "It is 30.")


def test_filtering_changing_the_view_and_unfolding_keep_the_focus(page: Page) -> None:
    tab_to(link(page, "Everyone’s 1"), most=15)
    press(page, "Enter")
    expect(link(page, "Everyone’s 1")).to_have_attribute("aria-current", "true")
    expect(link(page, "Everyone’s 1")).to_be_focused()
    tab_to(page.get_by_text("Sort: Risk"))
    press(page, "Enter", "Tab", "Tab", "Enter")
    expect(page.get_by_text("Sort: Impact")).to_be_focused()
    leads_to("j", link(page, "Say 14 days"))
    opens(page, "Say 14 days")
    leads_to("i", link(page, "Side by side"))
    press(page, "Enter")
    expect(page.locator("table.beside")).to_be_visible()
    expect(link(page, "Side by side")).to_be_focused()
    tab_to(page.locator("tr.gap a").first)
    press(page, "Enter")
    expect(link(page, "Comment on line 1").first).to_be_focused()


def test_a_pattern_is_dismissed_and_a_change_proposed(page: Page, complaints: list[Feedback]) -> None:
    mine(complaints[0].agent)
    press(page, "g", "p")
    expect(page.get_by_role("heading", level=1)).to_contain_text("pattern")
    leads_to("j", page.locator("a[data-item]"))
    press(page, "Enter")
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible()
    leads_to("a", button(page, "Draft now"))
    leads_to("x", page.get_by_text("Dismiss as wrongly found"))
    press(page, "Enter", "Tab")
    page.keyboard.type("not")
    press(page, "Tab")
    page.keyboard.type("It is as it should be.")
    tab_to(button(page, "Dismiss"), most=1)
    press(page, "Enter")
    says(page, "Dismissed.")
    assert Pattern.objects.get().status == Pattern.Status.DISMISSED
    press(page, "g", "a")
    expect(page.get_by_role("heading", level=1)).to_have_text("1 agent under review")
    opens(page, "Support agent")
    opens(page, "System prompt of Support agent")
    leads_to("w", link(page, "Propose a change"))
    opens(page, "Propose a change to System prompt")
    leads_to("w", page.get_by_label("Text", exact=True))
    press(page, "Control+End")
    page.keyboard.type("- Be kind.")
    tab_to(page.get_by_label("Why the change is needed"), most=1, key="Shift+Tab")
    page.keyboard.type("Answers are curt.")
    tab_to(page.get_by_label("Title"), most=1, key="Shift+Tab")
    page.keyboard.type("Be kind")
    press(page, "Escape")
    leads_to("a", button(page, "Propose a change"))
    opens(page, "Be kind")


def test_rollouts_are_promoted_and_stopped(page: Page, aiko: User, mara: User) -> None:
    for slug in ("sales", "travel"):
        made = create_agent(slug, name=f"{slug.title()} agent", actor=SYSTEM, documents={"prompt": PROMPT})
        start(propose(made.documents.get(), aiko, new=f"{len(slug)} days"), mara)
    press(page, "g", "r")
    expect(page.get_by_role("heading", level=1)).to_contain_text("running")
    leads_to("j", page.get_by_role("link", name="Travel agent"))
    opens(page, "Say 6 days")
    leads_to("a", button(page, "Promote"))
    press(page, "Enter")
    says(page, "Promoted.")
    press(page, "g", "r")
    expect(page.get_by_role("heading", level=1)).to_contain_text("running")
    leads_to("j", page.get_by_role("link", name="Sales agent"))
    opens(page, "Say 5 days")
    leads_to("r", page.get_by_label("Why"))
    page.keyboard.type("Not today.")
    leads_to("Control+Enter", button(page, "Stop rollout"))
    press(page, "Enter")
    says(page, "Stopped.")
    assert set(Rollout.objects.values_list("state", flat=True)) == {"promoted", "stopped"}
