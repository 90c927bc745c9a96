"""Every page, in every state it can be in: accessible in both themes, never wider than the window, nothing unseen."""

from collections.abc import Callable, Iterator

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from agents.models import Freeze
from agents.versions import create_agent
from audit.record import SYSTEM
from feedback.actions import patterns, regrouping
from feedback.actions.mining import mine
from feedback.actions.rollups import count_runs
from feedback.models import Feedback, Pattern
from people.models import User
from people.signin import one_time_link
from proposals.actions import decisions, rollouts, steering
from proposals.actions.rollouts import BY_ITSELF, State
from proposals.models import Proposal, Rollout
from proposals.rollout_page import gate_path
from tests.browser.looks import faults, faults_on_paper
from tests.cast import digest_of, failure, propose, report
from tests.pages.test_matrix import MATRIX, address_of, arguments
from tests.rollouts import start, to_the_gate

__all__ = ["arguments"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DOCUMENT = ["support", "system-prompt"]


@pytest.fixture
def context(browser: Browser, live_server: LiveServer) -> Iterator[BrowserContext]:
    """A browser whose colours do not fade into each other, so that they can be looked at once."""
    opened = browser.new_context(base_url=str(live_server.url), reduced_motion="reduce")
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext, ada: User, client: Client) -> Page:
    """Signed in as the admin."""
    sign_in(context, client, ada)
    return context.new_page()


def sign_in(context: BrowserContext, client: Client, person: User) -> None:
    """Without going through the page to sign in, which has a look of its own."""
    client.force_login(person)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "domain": "localhost", "path": "/"}])


def look_at(page: Page, addresses: list[str], look: Callable[[Page], list[object]] = faults) -> None:
    """Fails with all that is wrong anywhere."""
    found = {}
    for address in addresses:
        page.goto(address)
        if wrong := look(page):
            found[address] = wrong
    assert not found


def pages_of_the_matrix(client: Client, arguments: dict[str, object], ada: User) -> list[str]:
    """Whatever the table of addresses has that shows a page to the admin; the others lead on, or are files."""
    client.force_login(ada)
    addresses = [address_of(name, arguments, ada) for name, row in MATRIX.items() if row.opened_by]
    answers = {address: client.get(address) for address in addresses}
    shown = [a for a, got in answers.items() if got.status_code == 200 and got["Content-Type"].startswith("text/html")]
    assert len(shown) > 30
    return shown


def test_every_page(page: Page, client: Client, arguments: dict[str, object], pending: Proposal, ada: User) -> None:
    agent = pending.document.agent
    for number in range(12):
        failure(agent, f"unit {number}", f"boom {number}", tool="lookup", latency_ms=900.0 + number)
    count_runs()
    proposal = reverse("proposal", args=[pending.pk])
    addresses = pages_of_the_matrix(client, arguments, ada)
    addresses += ["/?show=all&q=nothing", f"{proposal}?view=side", f"{proposal}?view=full&comment=3"]
    addresses += [reverse("version", args=[*DOCUMENT, 1]) + "?view=blame", f"{reverse('patterns')}?show=across"]
    addresses += [f"{reverse('rollout_plans')}?plan={arguments['plan']}", reverse("settings"), "/nothing/"]
    addresses += [reverse(name) for name in ("account_set_password", "account_logout", "account_inactive")]
    look_at(page, addresses)
    look_at(page, [f"{proposal}?print=yes", reverse("audit_entry", args=[1])], faults_on_paper)
