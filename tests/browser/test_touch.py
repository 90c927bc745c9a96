"""With a finger: nothing to press is too small, no field makes the browser zoom."""

from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from people.models import User
from people.signin import one_time_link
from proposals.models import Proposal

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Links within a sentence may be as high as its lines (WCAG 2.5.8), and the link of a row is the whole row.
TOO_SMALL = """() => [...document.querySelectorAll("a, button, summary, input, select, textarea")].filter((one) => {
    const box = (one.closest("label") || one).getBoundingClientRect();
    const style = getComputedStyle(one);
    const words = (node) => node.nodeType === 3 && node.data.trim().length > 3;
    const within = style.display === "inline" && [...one.parentElement.childNodes].some(words);
    const is = one.checkVisibility({ visibilityProperty: true }) && !one.matches(".jump, [type=hidden], [data-item]");
    if (!is || within || !box.height) return false;
    const field = one.matches("input:not([type=checkbox], [type=radio]), select, textarea");
    const least = one.matches(".btn.go, .btn.wide") ? 43.5 : 23.5;
    return box.height < least || (field && parseFloat(style.fontSize) < 16);
}).map((one) => `${one.outerHTML.slice(0, 120)} ${one.getBoundingClientRect().height}`)"""


@pytest.fixture
def phone(browser: Browser, live_server: LiveServer, ada: User, mara: User, pending: Proposal) -> Iterator[Page]:
    """A phone on which the admin is signed in."""
    opened = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = opened.new_page()
    page.goto(one_time_link(live_server.url))
    page.get_by_role("button", name="Sign in as Ada Brandt").click()
    page.wait_for_url(f"{live_server.url}/")
    yield page
    opened.close()


def test_everything_to_press_is_large_enough_for_a_finger(
    phone: Page, live_server: LiveServer, pending: Proposal
) -> None:
    document = ["support", "system-prompt"]
    places = ["/", "/?show=decided", "/patterns/", "/agents/", "/agents/support/", "/settings/", "/audit/", "/audit/1/"]
    places += [reverse(name, args=document) for name in ("document", "propose", "compare")]
    places += [reverse(name, args=[pending.pk]) for name in ("proposal", "amend")]
    places += [f"{reverse('together')}?id={pending.pk}"]
    small = {}
    for place in places:
        phone.goto(live_server.url + place)
        if found := phone.evaluate(TOO_SMALL):
            small[place] = found
    assert not small


def test_the_way_to_the_decision_leaves_when_the_decision_is_in_sight(
    phone: Page, live_server: LiveServer, pending: Proposal
) -> None:
    phone.goto(live_server.url + reverse("proposal", args=[pending.pk]))
    dock = phone.locator(".dock")
    expect(dock).to_be_visible()
    phone.locator("#decision").scroll_into_view_if_needed()
    expect(dock).to_be_hidden()
