"""Every page, in every state it can be in: accessible in both themes, never wider than the window, nothing unseen."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.db import transaction
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from agents.freezing import freeze
from agents.versions import create_agent
from audit.record import SYSTEM
from feedback.actions import patterns
from feedback.actions.mining import mine
from feedback.actions.rollups import count_runs
from feedback.models import Feedback, Pattern
from people.models import User
from people.signin import one_time_link
from proposals.actions import decisions, rollouts, steering
from proposals.actions.drafting import draft
from proposals.actions.rollbacks import roll_back
from proposals.actions.rollouts import BY_ITSELF, State
from proposals.models import Proposal, Rollout, RolloutPlan
from proposals.rollouts.links import gate_path
from tests.browser.looks import faults, faults_on_paper
from tests.cast import digest_of, failure, propose, report
from tests.pages.test_matrix import MATRIX, address_of, arguments
from tests.rollouts import QUICKLY, start, to_the_gate

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
    cookie = client.cookies["sessionid"]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "domain": "localhost", "path": "/"}])


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


def change(name: str, author: User) -> Proposal:
    """A change of a document of an agent of its own."""
    text = "# Rules\n\n- Refunds within 30 days.\n- Say it once.\n"
    agent = create_agent(name, name=f"{name.title()} agent", actor=SYSTEM, documents={"rules": text})
    return propose(agent.documents.get(), author)


@pytest.fixture
def courses(aiko: User, mara: User) -> list[Rollout]:
    """One in each state, and each thing that one asks for."""
    now = timezone.now()
    asked = [start(change(f"asks-{asks}", aiko), mara) for asks in Rollout.Asks if asks]
    for rollout, asks in zip(asked, (asks for asks in Rollout.Asks if asks), strict=True):
        rollouts.ask(rollout, asks, now)
    ended = [start(change(f"ended-{state}", aiko), mara) for state in Rollout.FAILED]
    with transaction.atomic():
        for rollout, state in zip(ended, Rollout.FAILED, strict=True):
            rollouts.end(rollout, state, BY_ITSELF, "Fewer runs succeed: 71.0\u00a0% against 83.5\u00a0%.")
    stopped, back, promoted = (start(change(name, aiko), mara) for name in ("stopped", "back", "promoted"))
    steering.stop(stopped.pk, user=mara, reason="Not today.")
    steering.roll_back(back.pk, user=mara, reason="Answers too long.")
    steering.promote(promoted.pk, user=mara, epoch=0)
    RolloutPlan.objects.create(plan=QUICKLY.to_json())
    waiting = to_the_gate(start(change("waiting", aiko), mara))
    return [start(change("running", aiko), mara), waiting, stopped, back, promoted, *asked, *ended]


def test_rollouts_in_every_state(
    page: Page, browser: Browser, live_server: LiveServer, courses: list[Rollout], ada: User
) -> None:
    states = set(Rollout.objects.values_list("state", flat=True))
    assert states == set(State)
    addresses = [reverse("rollout", args=[rollout.pk]) for rollout in courses]
    waiting, promoted = courses[1], courses[4]
    addresses += [reverse("proposal", args=[rollout.proposal_id]) for rollout in (waiting, promoted)]
    addresses += [reverse("document", args=["waiting", "rules"]), reverse("rollouts"), "/"]
    look_at(page, addresses)
    freeze(user=ada, reason="The numbers of the last hour look odd.")
    look_at(page, [reverse("freeze"), reverse("rollouts")])
    guest = browser.new_page(base_url=str(live_server.url), reduced_motion="reduce")
    look_at(guest, [gate_path(waiting.pk), gate_path(promoted.pk)])
    guest.close()


SEND = """([action, fields]) => {
    const form = [...document.forms].find((one) => new URL(one.action).pathname === action && one.method === "post");
    if (!form) throw Error(`no form is sent to ${action}`);
    for (const [name, value] of Object.entries(fields)) {
        for (const old of [form.elements[name]].flat()) old?.remove?.();
        const field = form.appendChild(document.createElement("textarea"));
        Object.assign(field, { name, value });
    }
    HTMLFormElement.prototype.submit.call(form);
}"""
"""As a browser without script and without rules of its own would."""


def send(page: Page, address: str, action: str, fields: dict[str, str]) -> None:
    """Open a page and send its form to `action`, which refuses it."""
    page.goto(address)
    with page.expect_navigation() as led:
        page.evaluate(SEND, [action, fields])
    assert led.value.status >= 400 or page.locator(".alert.bad:visible").count(), (address, action)


MAILS = ("mail", "first mail", "parcel mail", "mails")
BROKEN_LINKS = [f"the tracking link in the {mail} is broken" for mail in MAILS]


def test_patterns_and_proposals_in_every_state(
    page: Page, complaints: list[Feedback], aiko: User, mara: User, jonas: User, ada: User
) -> None:
    agent = complaints[0].agent
    for number, said in enumerate(BROKEN_LINKS):
        report(agent, f"somebody {number}", reason=said)
    mine(agent)
    one, other = Pattern.objects.shown().order_by("pk")
    drafted = draft(one.pk, requested_by=jonas)
    assert isinstance(drafted, Proposal)
    addresses = [reverse("pattern", args=[other.pk]), reverse("pattern", args=[one.pk])]
    addresses += [reverse("candidates", args=[one.pk]), reverse("proposal", args=[drafted.pk])]
    look_at(page, addresses)
    send(page, reverse("redraft", args=[drafted.pk]), reverse("redraft", args=[drafted.pk]), {})
    assert not faults(page)
    patterns.dismiss(other.pk, user=mara, dismissed_as="not_a_problem", reason="It is as it should be.")
    sent_back, rejected, approved, past = (change(name, aiko) for name in ("back", "rejected", "approved", "past"))
    decisions.request_changes(sent_back.pk, user=mara, digest=digest_of(sent_back), note="Say which orders.")
    decisions.reject(rejected.pk, user=mara, digest=digest_of(rejected), reason="too_risky", note="It is 30.")
    rival = propose(past.document, aiko, new="7 days")
    for done in (approved, rival):
        decisions.approve(done.pk, user=mara, digest=digest_of(done))
    restored = roll_back(
        approved.document_id, user=mara, to_number=1, current_number=2, reason="Legal changed its mind."
    )
    proposals = [sent_back, rejected, approved, past, restored]
    look_at(page, [reverse("pattern", args=[other.pk]), *(reverse("proposal", args=[one.pk]) for one in proposals)])
    look_at(page, ["/?show=all", "/?show=effect"])


def refused_forms(arguments: dict[str, object], rollout: Rollout) -> list[tuple[str, str, dict[str, str]]]:
    """Where each form is, where it is sent, and what is wrong in it."""
    proposal, pattern, agent = arguments["proposal"], arguments["pattern"], arguments["agent"]

    def of(name: str, *args: object) -> str:
        return reverse(name, args=args)

    def own(name: str, *args: object, **fields: str) -> tuple[str, str, dict[str, str]]:
        return of(name, *args), of(name, *args), fields

    on_proposal, on_pattern, on_rollout = of("proposal", proposal), of("pattern", pattern), of("rollout", rollout.pk)
    acting = of("act_on_rollout", rollout.pk)
    return [
        (on_proposal, of("decide", proposal), {"verdict": "reject"}),
        (on_proposal, of("decide", proposal), {"verdict": "request_changes"}),
        (on_proposal, of("assign", proposal), {}),
        (f"{on_proposal}?comment=3", of("comment", proposal), {"text": ""}),
        (on_pattern, of("dismiss", pattern), {}),
        (on_pattern, of("merge", pattern), {}),
        (on_pattern, of("split", pattern), {}),
        (on_pattern, of("rename", pattern), {"label": "x" * 400}),
        (on_rollout, acting, {"act": "stop"}),
        (on_rollout, acting, {"act": "promote", "epoch": "9"}),
        (of("roll_back", *DOCUMENT) + "?to=1", of("roll_back", *DOCUMENT), {}),
        own("propose", *DOCUMENT, title="", rationale=""),
        own("amend", proposal, title="", text=""),
        own("bypass", proposal),
        own("policy", approvals="99"),
        own("rollout_plans", steps="5, x", margin="-1"),
        own("freeze", act="freeze", reason=""),
        own("traffic", agent, every="x"),
        own("sections", *DOCUMENT, heading=""),
        own("new_key", agent, days="-1"),
        own("new_person", username="", email="x"),
        own("account_set_password", password1="a", password2="b"),
    ]


def test_refused_forms(page: Page, arguments: dict[str, object], pending: Proposal) -> None:
    agent = pending.document.agent
    for number, said in enumerate(BROKEN_LINKS):
        report(agent, f"somebody {number}", reason=said)
    mine(agent)
    found = {}
    for address, action, fields in refused_forms(arguments, Rollout.objects.get()):
        send(page, address, action, fields)
        if wrong := faults(page):
            found[action] = wrong
    assert not found


def answer(body: str, route: Route) -> None:
    route.fulfill(body=body, content_type="text/html")


def test_errors_and_the_ways_in(
    page: Page, browser: Browser, live_server: LiveServer, client: Client, ada: User, luis: User, pending: Proposal
) -> None:
    link = one_time_link("")
    sign_in(page.context, client, luis)
    look_at(page, [reverse("new_person"), "/nothing/"])
    context = browser.new_context(base_url=str(live_server.url), reduced_motion="reduce")
    guest = context.new_page()
    look_at(guest, [link, reverse("sign_in_by_link"), reverse("account_login") + "?next=/settings/"])
    guest.get_by_label("Username").fill("ada")
    guest.get_by_label("Password").fill("wrong")
    guest.get_by_role("button", name="Sign in", exact=True).click()
    expect(guest.get_by_role("alert")).to_be_visible()
    assert not faults(guest)
    for name, too_big in (("400", False), ("400", True), ("403_csrf", False), ("429", False), ("500", False)):
        body = render_to_string(f"{name}.html", {"request_id": "0123456789abcdef", "too_big": too_big})
        guest.unroute_all()
        guest.route("**/error", partial(answer, body))
        look_at(guest, ["/error"])
    context.close()
