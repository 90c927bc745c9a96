"""Proving who one is on the way to a decision, in a real browser, with and without script."""

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from agents.models import Document
from agents.protection import protect
from audit.record import SYSTEM
from feedback.actions.mining import mine
from feedback.models import Feedback, Pattern
from people import fresh
from people.models import User
from people.signin import one_time_link
from proposals.actions.drafting import draft
from proposals.actions.policy import set_policy
from proposals.checking.risk import Level
from proposals.models import Decision, Proposal
from tests.browser.axe import violations
from tests.cast import propose

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "a long and good one"


@pytest.mark.parametrize("script", [True, False])
def test_the_password_is_asked_and_the_words_come_back(
    live_server: LiveServer,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
    prompt: Document,
    ada: User,
    aiko: User,
    script: bool,
) -> None:
    protect(prompt, "Safety", owners=[ada], actor=SYSTEM)
    guarded = propose(prompt, aiko, "card numbers or", "card numbers, PINs or")
    set_policy(user=ada, agent=None, kind="", covers="any", approvals=2, owner_approvals=0)
    ada.set_password(PASSWORD)
    ada.save()
    context = browser.new_context(viewport={"width": 390, "height": 900}, java_script_enabled=script)
    page = context.new_page()
    page.goto(one_time_link(live_server.url))
    page.get_by_role("button", name="Sign in as Ada Brandt").click()
    monkeypatch.setattr(fresh, "WITHIN_S", 0)
    address = live_server.url + reverse("proposal", args=[guarded.pk])
    page.goto(address)
    page.get_by_label("Note").fill("Checked with legal.")
    page.get_by_role("button", name="Approve", exact=True).click()
    page.get_by_label("Password").fill(PASSWORD)
    if script:
        assert not violations(page)
    monkeypatch.setattr(fresh, "WITHIN_S", 900)
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url(address)
    expect(page.get_by_label("Note")).to_have_value("Checked with legal.")
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("Approval recorded.")
    assert Decision.objects.get().note == "Checked with legal."
    if script:
        for name, args in (("policy", []), ("bypass", [guarded.pk])):
            page.goto(live_server.url + reverse(name, args=args))
            assert not violations(page)
    context.close()


@pytest.mark.parametrize("script", [True, False])
def test_the_evidence_of_a_high_risk_is_opened_on_the_way_to_approving_it(
    live_server: LiveServer, browser: Browser, complaints: list[Feedback], ada: User, script: bool
) -> None:
    mine(complaints[0].agent)
    made = draft(Pattern.objects.shown().get().pk)
    assert isinstance(made, Proposal)
    Proposal.objects.filter(pk=made.pk).update(risk=Level.HIGH)
    context = browser.new_context(viewport={"width": 390, "height": 900}, java_script_enabled=script)
    page = context.new_page()
    page.goto(one_time_link(live_server.url))
    page.get_by_role("button", name="Sign in as Ada Brandt").click()
    page.goto(live_server.url + reverse("proposal", args=[made.pk]))
    expect(page.get_by_role("button", name="Approve", exact=True)).to_be_disabled()
    expect(page.get_by_text(complaints[0].reason)).to_have_count(0)
    page.get_by_label("Note").fill("I read them all.")
    if script:
        assert not violations(page)
    page.get_by_role("link", name="Open the evidence").click()
    expect(page.get_by_text(complaints[0].reason)).to_be_in_viewport()
    if script:
        expect(page.get_by_label("Note")).to_have_value("I read them all.")
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("Approved.")
    assert Decision.objects.get().evidence_opened_at
    if script:
        page.goto(live_server.url + reverse("releases"))
        assert not violations(page)
    context.close()
