"""An app with codes and a passkey, added and used in a real browser; the key is Chromium's own virtual one."""

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from people.models import User
from people.signin import one_time_link
from tests.browser.looks import faults

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "a long and good one"


def code(secret: str, person: User) -> str:
    shown = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    cache.delete(f"allauth.mfa.totp.used?user={person.pk}&code={shown}")
    return shown


def come_in(page: Page, board: str) -> None:
    page.goto(one_time_link(board))
    page.get_by_role("button", name="Sign in as Ada Brandt").click()
    page.wait_for_url(f"{board}/")


def test_an_app_is_added_and_asked_for_without_script(live_server: LiveServer, browser: Browser, ada: User) -> None:
    ada.set_password(PASSWORD)
    ada.save()
    context = browser.new_context(viewport={"width": 390, "height": 900}, java_script_enabled=False)
    page = context.new_page()
    come_in(page, live_server.url)
    page.goto(live_server.url + reverse("mfa_index"))
    page.get_by_role("link", name="Add an app").click()
    page.get_by_text("Type the secret instead").click()
    secret = page.locator("#secret").inner_text()
    page.get_by_label("Authenticator code").fill(code(secret, ada))
    page.get_by_role("button", name="Add the app").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    page.get_by_role("link", name="I have kept them").click()
    context.clear_cookies()
    page.goto(live_server.url + reverse("account_login"))
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Code").fill(code(secret, ada))
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{live_server.url}/")
    context.close()


def test_a_passkey_is_added_and_signs_in_alone(live_server: LiveServer, browser: Browser, ada: User) -> None:
    board = live_server.url.replace("127.0.0.1", "localhost")
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page, troubles = context.new_page(), []
    page.on("console", lambda said: troubles.append(said.text) if "Security Policy" in said.text else None)
    keys = context.new_cdp_session(page)
    keys.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    keys.send("WebAuthn.addVirtualAuthenticator", {"options": options | {"isUserVerified": True}})
    come_in(page, board)
    page.goto(board + reverse("mfa_add_webauthn"))
    page.get_by_label("Name", exact=True).fill("Laptop")
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    assert Authenticator.objects.filter(user=ada, type="webauthn").count() == 1
    page.goto(board + reverse("mfa_index"))
    expect(page.get_by_text("Laptop, added")).to_be_visible()
    assert not faults(page)
    context.clear_cookies()
    page.goto(f"{board}{reverse('account_login')}?next=/agents/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{board}/agents/")
    context.clear_cookies()
    page.goto(one_time_link(board))
    page.get_by_role("button", name="Sign in as Ada Brandt").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("One more step, Ada Brandt")
    assert not faults(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{board}/")
    context.close()
    assert not troubles
