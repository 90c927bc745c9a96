"""Other ways drafted, one chosen, and that one drafted again: in a real browser, with and without script."""

from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from agents.models import Document
from people.models import User
from people.signin import one_time_link
from proposals.actions.redrafts import carry_out_all
from proposals.models import Proposal
from tests.browser.axe import violations
from tests.proposals.test_candidates import drafted_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def first(prompt: Document) -> Proposal:
    return drafted_for(prompt)


@pytest.fixture(params=[True, False], ids=["script", "plain"])
def script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def page(script: bool, browser: Browser, live_server: LiveServer, ada: User, first: Proposal) -> Iterator[Page]:
    """The draft, open for the admin; any script error or refused resource fails the test."""
    context = browser.new_context(java_script_enabled=script)
    opened, troubles = context.new_page(), []
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("console", lambda said: troubles.append(said.text) if "Security Policy" in said.text else None)
    opened.goto(one_time_link(str(live_server.url)))
    opened.get_by_role("button", name="Sign in as Ada Brandt").click()
    opened.goto(live_server.url + reverse("proposal", args=[first.pk]))
    opened.set_default_timeout(15_000)
    yield opened
    context.close()
    assert not troubles


def test_alternatives_are_compared_and_the_chosen_one_is_redrafted(page: Page, script: bool) -> None:
    page.get_by_role("link", name="The pattern").click()
    page.get_by_role("link", name="Candidates, side by side").click()
    page.get_by_role("button", name="Draft alternatives").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("candidates for")
    assert not script or not violations(page)
    page.get_by_label("Why this one").fill("It changes least.")
    page.get_by_role("button", name="Choose this one").click()
    expect(page.get_by_role("status").first).to_contain_text("It still has to be decided.")
    page.get_by_role("link", name="Have Countersign redraft it").click()
    page.get_by_label("Use my wording").check()
    page.get_by_label("The rule in your words").fill("Courses can be returned within 14 days.")
    page.get_by_role("button", name="Request the redraft").click()
    expect(page.get_by_text("Countersign redrafts it as “Courses")).to_be_visible()
    carry_out_all()
    page.reload()
    expect(page.get_by_text("asked for by Ada Brandt")).to_be_visible()
    expect(page.get_by_text("You asked for revision 2.")).to_be_visible()
    assert not script or not violations(page)
