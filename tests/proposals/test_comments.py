"""Who may say what about a change, and what becomes of it."""

import pytest
from django.db import IntegrityError, InternalError, transaction

from agents.models import Document
from agents.versions import sha256
from audit.models import AuditEntry
from people.models import User
from proposals import queue
from proposals.actions import comments, decisions, proposals
from proposals.actions.comments import Spot, Wording
from proposals.authority import policies
from proposals.exceptions import Invalid, NotAllowed, NotPending, Outdated, ReviewError
from proposals.models import Comment, Proposal, Revision, Thread
from tests.cast import PROMPT, digest_of, propose

pytestmark = pytest.mark.django_db

LINE = PROMPT.splitlines().index("- Refunds are possible within 30 days of purchase.") + 1
NEW, OLD = Thread.Side.NEW, Thread.Side.OLD


def say(proposal: Proposal, user: User, text: str = "Since when?", line: int = LINE, side: Thread.Side = NEW) -> Thread:
    return comments.open_thread(proposal.pk, user=user, spot=Spot(1, side, line, line), text=text)


def suggest(proposal: Proposal, user: User, wording: str) -> Comment:
    over = f"{PROMPT.replace('30 days', '14 days').splitlines()[LINE - 1]}\n"
    spot = Spot(1, NEW, LINE, LINE)
    made = comments.open_thread(proposal.pk, user=user, spot=spot, text="", wording=Wording(wording, sha256(over)))
    return made.comments.get()


def amend(proposal: Proposal, user: User, old: str, new: str) -> Revision:
    text = proposal.revisions.latest("number").text.replace(old, new)
    return proposals.amend(proposal.pk, user=user, text=text, note="", digest=digest_of(proposal))


def verbs() -> list[str]:
    return list(AuditEntry.objects.filter(target_kind="thread").order_by("pk").values_list("verb", flat=True))


def test_a_comment_keeps_the_line_it_is_about(pending: Proposal, jonas: User) -> None:
    thread = say(pending, jonas)
    assert thread.quote == "- Refunds are possible within 14 days of purchase.\n"
    assert (thread.section, thread.place) == ("Refunds", LINE)
    assert verbs() == ["comment.added"]


def test_a_removed_line_can_be_talked_about(pending: Proposal, jonas: User) -> None:
    assert "30 days" in say(pending, jonas, side=OLD).quote


def test_only_who_may_propose_comments(pending: Proposal, luis: User, aiko: User, ada: User) -> None:
    with pytest.raises(NotAllowed, match="Commenting needs the role"):
        say(pending, luis)
    for person in (aiko, ada):
        say(pending, person)
    assert verbs() == ["comment.added"] * 2


def test_a_decided_proposal_takes_no_comment_but_its_threads_can_be_settled(
    pending: Proposal, mara: User, jonas: User
) -> None:
    thread = say(pending, jonas)
    decisions.approve(pending.pk, user=mara, digest=digest_of(pending))
    for act in (
        lambda: say(pending, jonas, "Too late"),
        lambda: comments.reply(thread.pk, user=jonas, text="Too late"),
    ):
        with pytest.raises(NotPending, match="This proposal is approved; comments on it are closed"):
            act()
    assert Comment.objects.count() == 1
    comments.resolve(thread.pk, user=jonas)
    assert Thread.objects.get().resolved_by == jonas


@pytest.mark.parametrize(
    ("text", "spot", "field"),
    [
        ("  ", Spot(1, NEW, 1, 1), "text"),
        ("a\0b", Spot(1, NEW, 1, 1), "text"),
        ("x" * 5001, Spot(1, NEW, 1, 1), "text"),
        ("Hm", Spot(1, NEW, 999, 999), "line"),
        ("Hm", Spot(1, NEW, 3, 2), "line"),
        ("Hm", Spot(9, NEW, 1, 1), "line"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_field(
    pending: Proposal, jonas: User, text: str, spot: Spot, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        comments.open_thread(pending.pk, user=jonas, spot=spot, text=text)
    assert refused.value.field == field
    assert verbs() == []


def test_the_same_words_sent_twice_are_one_comment(pending: Proposal, jonas: User) -> None:
    first = say(pending, jonas)
    assert say(pending, jonas) == first
    comments.reply(first.pk, user=jonas, text="And why?")
    comments.reply(first.pk, user=jonas, text="And why?")
    assert Comment.objects.count() == 2


def test_a_thread_is_settled_by_who_opened_it_the_author_or_a_reviewer(
    pending: Proposal, prompt: Document, aiko: User, jonas: User, mara: User, ada: User
) -> None:
    thread = say(pending, jonas)
    for person in (jonas, aiko, mara):
        comments.resolve(thread.pk, user=person)
        comments.reopen(thread.pk, user=person)
    strangers_own = say(propose(prompt, mara, new="21 days"), jonas)
    with pytest.raises(NotAllowed, match="Only who opened the thread"):
        comments.resolve(strangers_own.pk, user=aiko)
    assert verbs() == ["comment.added", *["comment.resolved", "comment.reopened"] * 3, "comment.added"]


def test_a_thread_is_resolved_once(pending: Proposal, jonas: User, mara: User) -> None:
    thread = say(pending, jonas)
    comments.resolve(thread.pk, user=jonas)
    with pytest.raises(NotPending, match="resolved this thread already"):
        comments.resolve(thread.pk, user=mara)
    comments.reopen(thread.pk, user=mara)
    with pytest.raises(NotPending, match="open already"):
        comments.reopen(thread.pk, user=jonas)


def test_threads_follow_their_lines_and_become_orphans(pending: Proposal, aiko: User, jonas: User) -> None:
    below, gone, cut = say(pending, jonas), say(pending, jonas, line=4), say(pending, jonas, side=OLD)
    amend(pending, aiko, "## Role\nYou answer questions about orders.\n", "## Role\n")
    for thread in (below, gone, cut):
        thread.refresh_from_db()
    assert [below.place, gone.place, cut.place] == [LINE - 1, None, LINE]
    amend(pending, aiko, "## Role\n", "## Role\nYou answer questions about orders.\n")
    gone.refresh_from_db()
    assert gone.place == 4


def test_a_comment_on_an_older_revision_finds_its_line(pending: Proposal, aiko: User, jonas: User) -> None:
    amend(pending, aiko, "# Support agent\n", "# Support agent\n\nBe kind.\n")
    thread = say(pending, jonas)
    assert (thread.revision.number, thread.line, thread.place) == (1, LINE, LINE + 2)


def test_a_suggestion_is_applied_credited_and_counted(pending: Proposal, mara: User, jonas: User, ada: User) -> None:
    comment = suggest(pending, mara, "- Refunds are possible within 14 days.")
    revision = comments.apply_suggestion(comment.pk, user=jonas, digest=digest_of(pending))
    assert "within 14 days.\n- Check" in revision.text
    assert (revision.author, revision.note) == (jonas, "Wording by Mara Okafor")
    assert [str(coauthor.person) for coauthor in revision.coauthors.all()] == ["Mara Okafor"]
    fresh = Proposal.objects.for_page().get(pk=pending.pk)
    assert policies.conflict_of_interest(mara, fresh) == "Revision 2 has wording that you suggested."
    assert not queue.waiting_for(mara)
    assert queue.waiting_for(ada)
    with pytest.raises(NotAllowed, match="wording that you suggested"):
        decisions.approve(pending.pk, user=mara, digest=revision.digest)
    assert Thread.objects.get().resolved_by == jonas
    assert verbs() == ["comment.added", "suggestion.applied"]
    with pytest.raises(NotPending, match="applied already"):
        comments.apply_suggestion(comment.pk, user=jonas, digest=revision.digest)


def test_a_suggested_wording_can_be_no_line_or_several(pending: Proposal, mara: User, jonas: User) -> None:
    comment = suggest(pending, mara, "- Refunds: 14 days.\n- No exceptions.")
    revision = comments.apply_suggestion(comment.pk, user=jonas, digest=digest_of(pending))
    assert "- Refunds: 14 days.\n- No exceptions.\n- Check" in revision.text
    thread = Thread.objects.get()
    assert (thread.place, thread.end_place) == (LINE, LINE + 1)
    over = sha256("- Refunds: 14 days.\n- No exceptions.\n")
    comment = comments.reply(thread.pk, user=mara, text="Or nothing", wording=Wording("", over))
    revision = comments.apply_suggestion(comment.pk, user=jonas, digest=revision.digest)
    assert "## Refunds\n- Check" in revision.text


def test_a_suggestion_for_lines_that_changed_is_not_applied(
    pending: Proposal, aiko: User, mara: User, jonas: User
) -> None:
    comment = suggest(pending, mara, "- Refunds are possible within 14 days.")
    stale = digest_of(pending)
    amend(pending, aiko, "Never ask", "Do not ask")
    with pytest.raises(Outdated):
        comments.apply_suggestion(comment.pk, user=jonas, digest=stale)
    amend(pending, aiko, "14 days of purchase", "14 days of delivery")
    with pytest.raises(Outdated, match="lines changed after"):
        comments.apply_suggestion(comment.pk, user=jonas, digest=digest_of(pending))
    with pytest.raises(Outdated, match="while you wrote"):
        comments.reply(comment.thread_id, user=mara, text="", wording=Wording("Else.", sha256(comment.thread.quote)))


def test_lines_left_as_they_are_suggest_nothing(pending: Proposal, mara: User) -> None:
    with pytest.raises(Invalid, match="Write a comment, or suggest"):
        suggest(pending, mara, "- Refunds are possible within 14 days of purchase.\r\n".rstrip())


def test_removed_lines_take_no_wording(pending: Proposal, mara: User) -> None:
    with pytest.raises(ReviewError, match="not in the proposed text"):
        comments.open_thread(
            pending.pk, user=mara, spot=Spot(1, OLD, LINE, LINE), text="", wording=Wording("x", sha256(""))
        )


def test_the_database_keeps_what_was_said(pending: Proposal, jonas: User) -> None:
    say(pending, jonas)
    with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
        Comment.objects.update(text="I never said that.")
