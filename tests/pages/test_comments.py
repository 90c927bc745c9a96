"""The talk about a change on its page, without script and with htmx."""

from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.urls import reverse

from agents.keys import create
from agents.models import Document
from agents.versions import sha256
from audit.record import SYSTEM
from people.models import User
from proposals.actions import comments, decisions, proposals
from proposals.actions.comments import Spot, Wording
from proposals.models import Comment, Proposal, Thread
from tests.cast import PROMPT, digest_of, propose

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

LINE = PROMPT.splitlines().index("- Refunds are possible within 30 days of purchase.") + 1
NOW = "- Refunds are possible within 14 days of purchase.\n"
NEW = Thread.Side.NEW
HTMX = {"HX-Request": "true"}


@pytest.fixture
def page(pending: Proposal) -> str:
    return reverse("proposal", args=[pending.pk])


def said(proposal: Proposal, user: User, text: str = "Since when?", wording: str | None = None) -> Thread:
    suggestion = None if wording is None else Wording(wording, sha256(NOW))
    spot = Spot(1, NEW, LINE, LINE)
    return comments.open_thread(proposal.pk, user=user, spot=spot, text=text, wording=suggestion)


def post(client: Client, proposal: Proposal, headers: dict[str, str] | None = None, **typed: object) -> "Answer":
    form = {"revision": 1, "side": "new", "line": LINE, "end": LINE, "text": "Since when?", **typed}
    return client.post(reverse("comment", args=[proposal.pk]), form, headers=headers)


@pytest.mark.parametrize("view", ["inline", "side", "full"])
def test_every_line_has_a_link_that_shows_the_form_below_it(client: Client, mara: User, page: str, view: str) -> None:
    client.force_login(mara)
    text = client.get(f"{page}?view={view}&lines=all").text
    assert f'comment={LINE}" aria-label="Comment on line {LINE}"' in text
    assert "Comment</button>" not in text
    assert "Comment</button>" in client.get(f"{page}?view={view}&comment={LINE}").text


@pytest.mark.parametrize("asked", ["999", "0", "-1", "x", "old", "9" * 400, "%00", "old999", "²"])
def test_a_line_that_is_not_there_has_no_form(client: Client, mara: User, page: str, asked: str) -> None:
    client.force_login(mara)
    response = client.get(f"{page}?comment={asked}")
    assert response.status_code == 200
    assert "Comment</button>" not in response.text


def test_who_only_reads_sees_the_talk_and_no_form(
    client: Client, luis: User, jonas: User, pending: Proposal, page: str
) -> None:
    said(pending, jonas)
    client.force_login(luis)
    text = client.get(f"{page}?comment={LINE}").text
    assert "Since when?" in text
    assert "1 unresolved thread<" in text
    for act in ("Comment</button>", "Reply</button>", "Resolve</button>", 'aria-label="Comment on line'):
        assert act not in text
    assert post(client, pending).status_code == 403


def test_a_comment_leads_back_to_its_thread_in_the_same_view(
    client: Client, mara: User, pending: Proposal, page: str
) -> None:
    client.force_login(mara)
    form = {"revision": 1, "side": "old", "line": LINE, "end": LINE, "text": "Who said <b>30</b>\u202e?"}
    response = client.post(reverse("comment", args=[pending.pk]) + "?view=side", form)
    assert response.status_code == 303
    assert response["Location"] == f"{page}?view=side#thread-{Thread.objects.get().pk}"
    text = client.get(f"{page}?view=side").text
    assert "Who said &lt;b&gt;30&lt;/b&gt;" in text
    assert "U+202E" in text


def test_htmx_gets_the_form_and_the_thread_alone(client: Client, mara: User, pending: Proposal, page: str) -> None:
    client.force_login(mara)
    form = client.get(f"{page}?comment={LINE}", headers={**HTMX, "HX-Boosted": "true"}).text
    assert form.strip().startswith('<tr class="talk">')
    thread = post(client, pending, HTMX)
    assert thread.status_code == 200
    assert 'id="unresolved" hx-swap-oob="true"' in thread.text
    assert "<html" not in thread.text


@pytest.mark.parametrize("headers", [{}, {**HTMX, "HX-Boosted": "true"}])
def test_a_line_pressed_on_an_older_page_is_the_line_that_was_shown_there(
    client: Client, mara: User, jonas: User, pending: Proposal, page: str, headers: dict[str, str]
) -> None:
    text = PROMPT.replace("30 days", "21 days").replace("# ", "Read this first.\n\n# ", 1)
    proposals.amend(pending.pk, user=jonas, text=text, note="", digest=digest_of(pending))
    client.force_login(mara)
    form = client.get(f"{page}?revision=1&comment={LINE}", headers=headers).text
    assert "of revision 1, which was changed meanwhile" in form
    assert 'name="revision" value="1"' in form
    post(client, pending, text="This one.")
    assert Thread.objects.get().quote == NOW


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_was_typed_survives_a_refusal(
    client: Client, mara: User, pending: Proposal, headers: dict[str, str]
) -> None:
    client.force_login(mara)
    long = "x" * 5001
    response = post(client, pending, headers, text=long)
    assert response.status_code == 422
    assert "at most 5000 characters" in response.text
    assert long in response.text
    response = post(client, pending, headers, text="", suggestion=NOW, over=sha256(NOW))
    assert response.status_code == 422
    assert "Write a comment, or suggest a wording." in response.text
    assert not Comment.objects.exists()


def test_odd_forms_are_refused_in_words(client: Client, mara: User, pending: Proposal) -> None:
    client.force_login(mara)
    wrong = [("line", "²"), ("line", "9" * 30), ("side", "<i>"), ("revision", ""), ("end", "-1"), ("text", "a\0b")]
    for field, value in wrong:
        assert post(client, pending, None, **{field: value}).status_code == 422, (field, value)
    assert client.post(reverse("comment", args=[pending.pk])).status_code == 422
    assert client.post(reverse("comment", args=[999]), {"text": "x"}).status_code == 404


def test_one_line_more_keeps_what_was_typed(client: Client, mara: User, pending: Proposal) -> None:
    client.force_login(mara)
    text = post(client, pending, text="Both?", suggestion="Mine", over="x", more="1").text
    assert f"Comment on lines {LINE} to {LINE + 1}" in text
    assert "Both?" in text
    assert "Mine\n- Check the order date" in text
    assert not Comment.objects.exists()


def test_reply_resolve_and_reopen(client: Client, mara: User, jonas: User, pending: Proposal, page: str) -> None:
    thread = said(pending, jonas)
    client.force_login(mara)
    for name, sent in [("reply", {"text": "Since May."}), ("resolve", {}), ("reopen_thread", {}), ("resolve", {})]:
        assert client.post(reverse(name, args=[thread.pk]), sent).status_code == 303
    text = client.get(page).text
    assert "Since May." in text
    assert "<summary>Resolved by Mara Okafor" in text
    response = client.post(reverse("resolve", args=[thread.pk]))
    assert response.status_code == 409
    assert "Somebody resolved this thread already." in response.text
    assert client.post(reverse("reply", args=[thread.pk]), {"text": " "}).status_code == 422


def test_a_suggestion_is_applied_with_one_click(
    client: Client, mara: User, jonas: User, pending: Proposal, page: str
) -> None:
    thread = said(pending, mara, wording="- Refunds are possible within 14 days.")
    client.force_login(jonas)
    assert "Apply this wording" in client.get(page).text
    address = reverse("apply_suggestion", args=[thread.comments.get().pk])
    assert client.post(address, {"digest": "old"}).status_code == 409
    assert client.post(address, {"digest": digest_of(pending)}).status_code == 303
    text = client.get(page).text
    assert "in the words of <b>Mara Okafor</b>" in text
    assert "Wording by Mara Okafor" in text
    assert "Applied in revision 2." in text
    client.force_login(mara)
    assert "Revision 2 has wording that you suggested." in client.get(page).text


def test_a_wording_typed_over_lines_that_changed_is_shown_again(
    client: Client, mara: User, aiko: User, pending: Proposal
) -> None:
    thread = said(pending, mara)
    text = PROMPT.replace("30 days", "14 working days")
    proposals.amend(pending.pk, user=aiko, text=text, note="", digest=digest_of(pending))
    client.force_login(mara)
    address, typed = reverse("reply", args=[thread.pk]), {"text": "", "suggestion": "Mine", "over": sha256(NOW)}
    response = client.post(address, typed)
    assert response.status_code == 409
    assert "The lines changed while you wrote." in response.text
    assert ">\nMine</textarea>" in response.text
    assert sha256("- Refunds are possible within 14 working days of purchase.\n") in response.text


def test_lost_lines_are_quoted_above_the_change(
    client: Client, mara: User, jonas: User, aiko: User, pending: Proposal, page: str
) -> None:
    said(pending, jonas)
    text = PROMPT.replace("- Refunds are possible within 30 days of purchase.", "- Ask a colleague.")
    proposals.amend(pending.pk, user=aiko, text=text, note="", digest=digest_of(pending))
    client.force_login(mara)
    shown = client.get(page).text
    assert f"On line {LINE} of revision 1, Refunds; the text has that line no more:" in shown
    assert shown.index("within 14 days of purchase") < shown.index('<table class="diff')


def test_comments_on_a_decided_proposal_are_read_only(
    client: Client, mara: User, jonas: User, pending: Proposal, page: str
) -> None:
    said(pending, jonas)
    decisions.approve(pending.pk, user=mara, digest=digest_of(pending))
    client.force_login(jonas)
    text = client.get(f"{page}?comment={LINE}").text
    assert "Since when?" in text
    assert "Reply</button>" not in text
    response = post(client, pending, text="Too late")
    assert response.status_code == 409
    assert "comments on it are closed" in response.text
    assert "Too late" in response.text


def test_the_queue_counts_unresolved_threads(client: Client, mara: User, jonas: User, pending: Proposal) -> None:
    said(pending, jonas)
    comments.resolve(said(pending, jonas, "Settled").pk, user=jonas)
    client.force_login(mara)
    assert "proposed by Aiko Tanaka · 1 unresolved thread ·" in client.get("/").text


def test_the_api_tells_the_talk(client: Client, mara: User, jonas: User, prompt: Document) -> None:
    proposal = propose(prompt, jonas)
    thread = said(proposal, mara, wording="- Refunds: 14 days.")
    made = comments.apply_suggestion(thread.comments.get().pk, user=jonas, digest=digest_of(proposal))
    _, key = create(prompt.agent, ["read"], actor=SYSTEM, owner=jonas)
    answer = client.get(f"/api/v1/proposals/{proposal.pk}", headers={"Authorization": f"Bearer {key}"}).json()
    assert answer["revisions"][1]["coauthors"] == ["Mara Okafor"]
    told = answer["threads"][0]
    assert (told["line"], told["line_now"], told["quote"]) == (LINE, LINE, NOW)
    assert told["comments"][0]["suggestion"] == "- Refunds: 14 days.\n"
    assert told["comments"][0]["applied_in_revision"] == made.number
