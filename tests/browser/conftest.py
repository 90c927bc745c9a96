"""A board on which one change waits, and the admin signed in there, with and without script."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from agents.versions import create_agent
from audit.record import SYSTEM
from people.models import User
from people.signin import one_time_link
from proposals.models import Proposal
from tests.cast import PROMPT, propose


@pytest.fixture
def board(live_server: LiveServer, ada: User, mara: User, pending: Proposal) -> str:
    """The address of a board on which one proposal waits."""
    return str(live_server.url)


@pytest.fixture
def page(browser: Browser, board: str) -> Iterator[Page]:
    """A page on which the admin is signed in; any script error or refused resource fails the test."""
    yield from signed_in(browser, board)


@pytest.fixture
def plain_page(browser: Browser, board: str) -> Iterator[Page]:
    """The same without script."""
    yield from signed_in(browser, board, script=False)


def signed_in(browser: Browser, board: str, *, script: bool = True) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=script)
    opened, troubles = context.new_page(), []
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("console", lambda said: troubles.append(said.text) if "Security Policy" in said.text else None)
    opened.goto(one_time_link(board))
    opened.get_by_role("button", name="Sign in as Ada Brandt").click()
    expect(opened.get_by_role("heading", level=1)).to_have_text("One change waits for you")
    yield opened
    context.close()
    assert not troubles


@pytest.fixture
def second(aiko: User, pending: Proposal) -> Proposal:
    """A small change of another agent's prompt."""
    made = create_agent("sales", name="Sales agent", actor=SYSTEM, documents={"prompt": PROMPT})
    return propose(made.documents.get(), aiko, new="7 days")
