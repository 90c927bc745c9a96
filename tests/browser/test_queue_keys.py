"""The queue by keyboard."""

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from agents.versions import create_agent
from audit.record import SYSTEM
from people.models import User
from proposals.actions.rollouts import ask
from proposals.checking.risk import Level
from proposals.models import Decision, Proposal, Rollout
from tests.cast import PROMPT, propose
from tests.rollouts import start

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

COUNT = """for (const kind of ["keydown", "pointerdown"]) addEventListener(kind, (event) => {
    if (event.isTrusted) localStorage[kind] = Number(localStorage[kind] || 0) + 1;
}, true)"""


def test_a_low_risk_decision_takes_three_keystrokes_and_so_does_the_next(
    page: Page, board: str, second: Proposal, aiko: User, mara: User, ada: User
) -> None:
    made = create_agent("travel", name="Travel agent", actor=SYSTEM, documents={"prompt": PROMPT})
    ask(start(propose(made.documents.get(), aiko), mara), Rollout.Asks.SILENCE, timezone.now())
    assert set(Proposal.objects.values_list("risk", flat=True)) == {Level.LOW}
    page.add_init_script(COUNT)
    page.goto(board)
    expect(page.get_by_role("heading", name="Rollouts that ask for a person")).to_be_visible()
    for title in ("Say 14 days", "Say 7 days"):
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        page.keyboard.press("a")
        expect(page.get_by_role("button", name="Approve", exact=True)).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_be_focused()
        expect(page.get_by_role("status")).to_contain_text("current from now on.")
    assert page.evaluate("[localStorage.keydown, localStorage.pointerdown]") == ["6", None]
    assert Decision.objects.filter(actor=ada).count() == 2


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
