"""Order, filters, marks, neighbours, assignments and deciding together, as the pages show them."""

from itertools import product
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from agents.models import Agent, Document
from agents.versions import create_agent
from audit.record import SYSTEM
from feedback.actions.mining import mine
from feedback.actions.weighing import note_rising
from feedback.models import Feedback, Pattern
from people.models import User
from people.teams import create_team
from proposals.actions.assignments import assign
from proposals.actions.comments import Spot, open_thread
from proposals.actions.proposals import amend
from proposals.models import Assignment, Check, Decision, Proposal, ProposalSeen, Revision, SavedFilter, Thread
from proposals.queue import Desk, Filters, Place, neighbours
from proposals.queue.filters import ORDERS, weighed
from tests.cast import PROMPT, digest_of, propose

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(prompt: Document, aiko: User) -> list[Proposal]:
    """Three proposals, opened in this order: low risk, high risk with two sources, low risk with nine."""
    made = [propose(prompt, aiko, new=f"{n} days") for n in (1, 2, 3)]
    Proposal.objects.filter(pk=made[1].pk).update(risk=3, evidence_sources=2)
    Proposal.objects.filter(pk=made[2].pk).update(evidence_sources=9)
    return made


def order(query: str, user: User) -> list[str]:
    return [p.title for p in Place.of(dict(part.split("=") for part in query.split("&"))).filters.apply(user)]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("risk", ["Say 2 days", "Say 3 days", "Say 1 days"]),
        ("impact", ["Say 3 days", "Say 2 days", "Say 1 days"]),
        ("age", ["Say 1 days", "Say 2 days", "Say 3 days"]),
        ("new", ["Say 3 days", "Say 2 days", "Say 1 days"]),
        ("nonsense", ["Say 2 days", "Say 3 days", "Say 1 days"]),
    ],
)
def test_the_order_is_in_the_address(three: list[Proposal], mara: User, sort: str, expected: list[str]) -> None:
    assert order(f"show=open&sort={sort}", mara) == expected


def test_a_pattern_that_rises_doubles_what_stands_behind_it(
    three: list[Proposal], complaints: list[Feedback], support: Agent, mara: User
) -> None:
    mine(support)
    pattern = Pattern.objects.get()
    Proposal.objects.filter(pk=three[0].pk).update(pattern=pattern)
    Pattern.objects.filter(pk=pattern.pk).update(sources=5)
    assert order("show=open&sort=impact", mara) == ["Say 3 days", "Say 1 days", "Say 2 days"]
    note_rising()
    assert order("show=open&sort=impact", mara) == ["Say 1 days", "Say 3 days", "Say 2 days"]


LONG = "a" * 60
NARROWINGS = ["", "agent=support", f"agent={LONG}", f"agent={LONG[:50]}", "origin=person", "origin=drafter", "risk=low"]
NARROWINGS += ["risk=high", "who=me", "who=nobody", "who=team", "who=team:99", "checks=warn", "checks=fail"]


def test_what_waits_for_somebody_is_narrowed_like_every_view(
    three: list[Proposal], aiko: User, jonas: User, mara: User
) -> None:
    agent = create_agent(LONG, name="Long", actor=SYSTEM, documents={"rules": PROMPT})
    three.append(propose(agent.documents.get(), aiko))
    team = create_team("Words", members=[mara], actor=SYSTEM)
    assign(three[0].pk, user=jonas, to=mara)
    assign(three[1].pk, user=jonas, to=team)
    for proposal, verdict in zip(three, ("warn", "fail"), strict=False):
        revision = Revision.objects.get(proposal=proposal)
        Check.objects.create(revision=revision, name="budget", verdict=verdict, message="It grows.")
    seen = set()
    for user, narrowing, sort in product((mara, jonas), NARROWINGS, ORDERS):
        asked = dict(part.split("=") for part in [narrowing, f"sort={sort}"] if part)
        asked |= {"who": f"team:{team.pk}"} if asked.get("who") == "team" else {}
        filters, desk = Filters.from_query(asked), Desk(user)
        assert filters.is_of_desk
        expected = [one.pk for one in filters.apply(user, desk)]
        seen.add(tuple(expected))
        for also in three:
            either = weighed(Proposal.objects.filter(pk__in=[*expected, also.pk]), filters.keys)
            in_order = list(either.order_by(*filters.keys).values_list("pk", flat=True))
            assert filters.all_keys(desk, also=also.pk) == in_order, asked
        # More often than PostgreSQL plans a prepared question for the values it is asked with.
        assert [filters.all_keys(desk) for _ in range(3)] == [expected] * 3, asked
    assert len(seen) > 8


def test_what_is_narrowed_twice_is_found_as_well(three: list[Proposal], mara: User) -> None:
    filters, desk = Filters.from_query({"risk": "low", "who": "nobody", "sort": "new"}), Desk(mara)
    assert not filters.is_of_desk
    assert filters.all_keys(desk) == filters.keys_of_page(desk, 1, 9)[0] == [three[2].pk, three[0].pk]


def test_a_row_says_its_risk_and_why(client: Client, mara: User, pending: Proposal) -> None:
    client.force_login(mara)
    page = client.get("/").text
    assert 'title="2 words of prose, and no check asks for a look.">Low risk' in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [("risk=high", "2"), ("risk=low", "13"), ("origin=person", "123"), ("origin=drafter", ""), ("who=nobody", "23"),
     ("who=me", "1"), ("checks=warn", ""), ("q=Say 3", "3")],
)  # fmt: skip
def test_filters_narrow_the_list(client: Client, three: list[Proposal], mara: User, query: str, shown: str) -> None:
    assign(three[0].pk, user=mara, to=mara)
    client.force_login(mara)
    page = client.get(f"/?show=open&{query}").text
    assert "".join(n for n in "123" if f">Say {n} days</a>" in page) == shown


def test_what_is_new_and_what_changed_is_marked_until_it_is_opened(
    client: Client, pending: Proposal, mara: User, jonas: User
) -> None:
    client.force_login(mara)
    assert "New to you" in client.get("/").text
    client.get(reverse("proposal", args=[pending.pk]))
    page = client.get("/").text
    assert "New to you" not in page
    assert "since you looked" not in page
    amend(pending.pk, user=jonas, text=PROMPT.replace("30 days", "2 weeks"), note="", digest=digest_of(pending))
    assert "Its text changed since you looked" in client.get("/").text
    page = client.get(reverse("proposal", args=[pending.pk])).text
    assert "You saw revision 1." in page
    assert "since you looked" not in client.get("/").text
    assert ProposalSeen.objects.filter(user=mara).count() == 1
    open_thread(pending.pk, user=mara, spot=Spot(2, Thread.Side.NEW, 1, 1), text="Why?")
    assert "since you looked" not in client.get("/").text
    open_thread(pending.pk, user=jonas, spot=Spot(2, Thread.Side.NEW, 2, 2), text="Because.")
    assert "Somebody commented since you looked" in client.get("/").text


def test_neighbours_follow_the_list_one_came_from(three: list[Proposal], mara: User) -> None:
    place = Place(Filters(show="open", sort="age"))
    found = neighbours(place, Desk(mara), three[1])
    assert (found.before, found.after) == (three[0], three[2])
    Proposal.objects.filter(pk=three[1].pk).update(status="withdrawn")
    found = neighbours(place, Desk(mara), Proposal.objects.get(pk=three[1].pk))
    assert (found.before, found.after) == (three[0], three[2])
    assert neighbours(place, Desk(mara), three[2]).after is None


def test_after_a_decision_the_place_is_kept_and_the_next_one_is_a_link(
    client: Client, three: list[Proposal], mara: User
) -> None:
    client.force_login(mara)
    place = quote("show=open&sort=age&page=2", safe="")
    address = reverse("decide", args=[three[0].pk]) + f"?queue={place}"
    reason = {"verdict": "reject", "digest": digest_of(three[0]), "reason": "other", "note": "No."}
    page = client.post(address, reason, follow=True)
    assert page.request["QUERY_STRING"] == f"queue={place}"
    assert f'href="{reverse("proposal", args=[three[1].pk])}?queue={place}" rel="next" data-next' in page.text
    assert 'href="/?show=open&amp;sort=age&amp;page=2" data-back' in page.text


def test_somebody_is_asked_and_the_row_says_whom(client: Client, pending: Proposal, mara: User, jonas: User) -> None:
    client.force_login(mara)
    address = reverse("assign", args=[pending.pk])
    assert client.post(address, {"to": f"person:{jonas.pk}"}).status_code == 303
    assert "<h1>Nothing waits for you</h1>" in client.get("/").text
    assert "for <b>Jonas Weber</b>" in client.get("/?show=open").text
    back = {"assignment": str(Assignment.objects.get().pk)}
    assert client.post(reverse("unassign", args=[pending.pk]), back).status_code == 303
    assert not Assignment.objects.exists()


@pytest.mark.parametrize("to", ["", "person:0", "person:x\0", "role:99", "person:{aiko}"])
def test_nobody_who_cannot_decide_is_asked(client: Client, pending: Proposal, mara: User, aiko: User, to: str) -> None:
    client.force_login(mara)
    page = client.post(reverse("assign", args=[pending.pk]), {"to": to.format(aiko=aiko.pk)})
    assert page.status_code == 422
    assert "Choose somebody" in page.text
    assert not Assignment.objects.exists()


def test_ticked_rows_are_assigned_and_the_list_is_kept(
    client: Client, three: list[Proposal], mara: User, jonas: User
) -> None:
    client.force_login(mara)
    sent = {"id": [p.pk for p in three], "act": "assign", "to": f"person:{jonas.pk}"}
    answer = client.post(reverse("selected") + "?queue=sort%3Dage", sent)
    assert (answer.status_code, answer["Location"]) == (303, "/?sort=age")
    assert Assignment.objects.filter(user=jonas).count() == 3
    page = client.post(reverse("selected"), {"id": ["x", "-1", "9" * 30], "act": "assign"}, follow=True)
    assert "Tick at least one proposal first." in page.text


def test_a_filter_is_kept_renamed_and_deleted(client: Client, mara: User, pending: Proposal) -> None:
    client.force_login(mara)
    kept = {"queue": "show=open&risk=low&page=3", "name": "  Small   ones "}
    assert client.post(reverse("saved_filters"), kept)["Location"] == "/?show=open&risk=low"
    one = SavedFilter.objects.get()
    assert (one.name, one.query) == ("Small ones", "show=open&risk=low")
    page = client.get("/?risk=low&show=open").text
    assert "Save this filter" not in page
    assert ">Small ones</a>" in page
    client.post(reverse("change_filter", args=[one.pk]), {"name": "Tiny ones"})
    assert SavedFilter.objects.get().name == "Tiny ones"
    client.post(reverse("change_filter", args=[one.pk]), {"act": "delete"})
    assert not SavedFilter.objects.exists()


def test_a_bad_name_is_refused_at_its_field(client: Client, mara: User, pending: Proposal) -> None:
    client.force_login(mara)
    for name in ("a", "b"):
        client.post(reverse("saved_filters"), {"queue": "risk=low", "name": name})
    one = SavedFilter.objects.get(name="a")
    for name, said in (
        ("", "Give the filter a name."),
        ("b", "You have a filter named “b” already."),
        ("x" * 41, "40"),
        ("a\u202e", "U+202E"),
    ):
        page = client.post(reverse("change_filter", args=[one.pk]), {"name": name})
        assert page.status_code == 422
        assert said in page.text
    page = client.post(reverse("saved_filters"), {"queue": "risk=high", "name": " "})
    assert page.status_code == 422
    assert "Give the filter a name." in page.text
    assert "High risk" in page.text


def test_anothers_filter_is_not_there(client: Client, mara: User, jonas: User) -> None:
    one = SavedFilter.objects.create(user=jonas, name="His", query="risk=low")
    client.force_login(mara)
    assert client.post(reverse("change_filter", args=[one.pk]), {"act": "delete"}).status_code == 404
    assert SavedFilter.objects.exists()


def test_several_are_shown_one_under_another_and_approved_at_one_press(
    client: Client, pending: Proposal, aiko: User, mara: User, jonas: User
) -> None:
    other = create_agent("sales", name="Sales", actor=SYSTEM, documents={"prompt": PROMPT}).documents.get()
    second = propose(other, aiko)
    client.force_login(mara)
    ticked = client.post(reverse("selected"), {"id": [pending.pk, second.pk], "act": "together"})
    page = client.get(ticked["Location"]).text
    assert page.count('<table class="diff') == 2
    shown = [f"{p.pk}:{digest_of(p)}" for p in (pending, second)]
    assert all(f'value="{value}"' in page for value in shown)
    amend(second.pk, user=jonas, text=PROMPT.replace("30 days", "9 days"), note="", digest=digest_of(second))
    result = client.post(reverse("together"), {"shown": [*shown, "x:y", "7"]}, follow=True)
    assert result.redirect_chain == [(reverse("together_done"), 303)]
    assert "1 of 2 approved" in result.text
    assert "Jonas Weber changed this to revision 2 meanwhile. Nothing was recorded." in result.text
    assert [d.revision.proposal for d in Decision.objects.all()] == [pending]


def test_nothing_risky_is_offered_together(client: Client, three: list[Proposal], mara: User) -> None:
    client.force_login(mara)
    page = client.get(f"{reverse('together')}?id={three[1].pk}&id=nothing").text
    assert "High risk: it is decided on its own page." in page
    assert "Approve " not in page.partition("<dialog")[0]


def test_deciding_together_asks_no_more_questions_for_more(
    client: Client, prompt: Document, aiko: User, mara: User
) -> None:
    client.force_login(mara)
    keys, counts = [propose(prompt, aiko).pk], []
    for number in range(6):
        made = create_agent(f"a{number}", name="A", actor=SYSTEM, documents={"prompt": PROMPT})
        keys.append(propose(made.documents.get(), aiko).pk)
        if number in (0, 5):
            address = reverse("together") + "?" + "&".join(f"id={key}" for key in keys)
            client.get(address)
            with CaptureQueriesContext(connection) as asked:
                assert client.get(address).text.count('<table class="diff') == len(keys)
            counts.append(len(asked))
    assert counts[0] == counts[1] < 25


def test_a_team_is_asked_in_the_browser_and_its_list_is_a_filter(
    client: Client, pending: Proposal, mara: User, jonas: User
) -> None:
    team = create_team("Billing", members=[jonas], actor=SYSTEM)
    client.force_login(mara)
    answer = client.post(reverse("assign", args=[pending.pk]), {"to": f"team:{team.pk}"}, follow=True)
    assert "Assigned to team Billing." in answer.text
    assert "Assigned to <b>team Billing</b>" in answer.text
    page = client.get(f"/?show=open&who=team:{team.pk}").text
    assert "for <b>team Billing</b>" in page
    assert "Assigned to Billing" in page
    assert client.get("/?show=open&who=team:x").status_code == 200
    client.force_login(jonas)
    assert "for <b>team Billing</b>" in client.get("/?show=open&who=me").text
