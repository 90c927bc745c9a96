"""Talk about lines of a change: comment, reply, resolve, reopen, and take over a suggested wording."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from agents.models import Document
from agents.sections import lines_of, parse
from agents.versions import sha256
from audit.record import Actor, record
from people.models import User
from proposals import diffs
from proposals.actions.anchoring import place_of, put
from proposals.actions.locking import lock, newest
from proposals.actions.proposals import amend
from proposals.authority import policies
from proposals.diffs import Diff
from proposals.diffs.anchors import Follower, Place
from proposals.exceptions import Invalid, NotAllowed, NotPending, Outdated
from proposals.models import Coauthor, Comment, Proposal, Revision, Thread

MAX_SUGGESTION = 20_000
MAX_COMMENTS = 1_000
"""On one proposal: its page shows them all."""

AGAIN = timedelta(minutes=1)
"""The same words by the same person at the same place within this time are one comment, sent twice."""


@dataclass(frozen=True, slots=True)
class Spot:
    """The lines a comment is about, as its author saw them: `line` to `end` on one side of a revision."""

    revision: int
    side: Thread.Side
    line: int
    end: int


@dataclass(frozen=True, slots=True)
class Wording:
    """What somebody would write in place of lines they saw; `over` is the SHA-256 of those. "" removes the lines."""

    text: str
    over: str


@transaction.atomic
def open_thread(proposal_id: int, *, user: User, spot: Spot, text: str, wording: Wording | None = None) -> Thread:
    """Comment on lines of a revision, which may be older than the newest.

    A `wording` that is the lines themselves suggests nothing.
    Raises NotAllowed, NotPending, Invalid (field text, suggestion or line).
    """
    proposal = _open_for(proposal_id, user)
    revision = proposal.revisions.select_related("base_version").filter(number=spot.revision).first()
    if revision is None:
        raise Invalid("line", "There is no such revision.")
    quote = quoted(revision, spot)
    text, suggestion = _clean(text, wording, quote if spot.side == Thread.Side.NEW else None)
    same = Thread.objects.filter(
        revision=revision, side=spot.side, line=spot.line, end_line=spot.end, author=user, at__gt=_just_now()
    )
    said = Comment.objects.filter(thread__in=same, **_words(text, suggestion)).select_related("thread").first()
    if said:
        return said.thread
    thread = Thread(
        proposal=proposal,
        revision=revision,
        side=spot.side,
        line=spot.line,
        end_line=spot.end,
        quote=quote,
        section=_section(proposal, _side_text(revision, spot.side), spot.line),
        author=user,
    )
    put(thread, _place_now(revision, newest(proposal), spot, quote))
    thread.save()
    _add(thread, proposal, user, text, suggestion, quote)
    return thread


@transaction.atomic
def reply(thread_id: int, *, user: User, text: str, wording: Wording | None = None) -> Comment:
    """Add to a thread; a resolved one stays resolved. Raises NotAllowed, NotPending, Invalid, Outdated."""
    thread, proposal = _lock_thread(thread_id, user)
    lines = lines_now(thread, newest(proposal))
    text, suggestion = _clean(text, wording, lines)
    said = thread.comments.filter(author=user, at__gt=_just_now(), **_words(text, suggestion)).first()
    if said:
        return said
    return _add(thread, proposal, user, text, suggestion, lines)


@transaction.atomic
def resolve(thread_id: int, *, user: User) -> Thread:
    """Settle a thread. Raises NotAllowed, NotPending when it is settled already."""
    thread, proposal = _lock_thread(thread_id, user, settles=True)
    changed = Thread.objects.filter(pk=thread.pk, resolved_at=None).update(resolved_at=timezone.now(), resolved_by=user)
    if not changed:
        raise NotPending("Somebody resolved this thread already.")
    _record("comment.resolved", thread, proposal, user)
    return thread


@transaction.atomic
def reopen(thread_id: int, *, user: User) -> Thread:
    """Take up a settled thread again. Raises NotAllowed, NotPending when it is open."""
    thread, proposal = _lock_thread(thread_id, user, settles=True)
    settled = Thread.objects.filter(pk=thread.pk, resolved_at__isnull=False)
    if not settled.update(resolved_at=None, resolved_by=None):
        raise NotPending("This thread is open already.")
    _record("comment.reopened", thread, proposal, user)
    return thread


@transaction.atomic
def apply_suggestion(comment_id: int, *, user: User, digest: str) -> Revision:
    """Make a revision with the suggested wording, as `amend` does, and settle the thread.

    Both the person who applies it and the one who suggested it are authors of the revision. `digest` is that of the
    revision it is applied to. Raises NotAllowed, NotPending, Invalid, and Outdated when the text or the lines changed.
    """
    comment = Comment.objects.select_related("thread", "author").get(pk=comment_id)
    thread, proposal = _lock_thread(comment.thread_id, user)
    if Coauthor.objects.filter(comment=comment).exists():
        raise NotPending("This wording was applied already.")
    seen, place = newest(proposal), place_of(thread)
    if not place or not is_current(comment, lines_now(thread, seen)):
        raise Outdated("The lines changed after this wording was suggested. Nothing was changed.")
    lines, wording = lines_of(seen.text), lines_of(comment.suggestion)
    text = "".join([*lines[: place.start - 1], *wording, *lines[place.end :]])
    revision = amend(proposal.pk, user=user, text=text, note=f"Wording by {comment.author}", digest=digest)
    Coauthor.objects.create(revision=revision, person=comment.author, comment=comment)
    put(thread, Place(place.start, place.start + len(wording) - 1) if wording else None)
    now = {"place": thread.place, "end_place": thread.end_place}
    Thread.objects.filter(pk=thread.pk).update(resolved_at=timezone.now(), resolved_by=user, **now)
    facts = {"revision": revision.number, "comment": comment.pk, "worded_by": str(comment.author)}
    _record("suggestion.applied", thread, proposal, user, facts)
    return revision


def quoted(revision: Revision, spot: Spot) -> str:
    """The lines of a spot, to the character. Raises Invalid("line") when the revision has no such lines."""
    lines = lines_of(_side_text(revision, spot.side))
    if not 1 <= spot.line <= spot.end <= len(lines):
        raise Invalid("line", "The text has no such line.")
    return "".join(lines[spot.line - 1 : spot.end])


def lines_now(thread: Thread, revision: Revision) -> str | None:
    """The lines of the newest revision that a wording can be suggested for; None when there are none."""
    place = place_of(thread)
    if thread.side != Thread.Side.NEW or place is None:
        return None
    return "".join(lines_of(revision.text)[place.start - 1 : place.end])


def is_current(comment: Comment, lines: str | None) -> bool:
    """Whether its suggestion is about the lines as they are now."""
    return comment.marks is not None and lines is not None and Diff.from_json(comment.marks).before == lines


def _side_text(revision: Revision, side: str) -> str:
    return revision.text if side == Thread.Side.NEW else revision.base_version.text


def _section(proposal: Proposal, text: str, line: int) -> str:
    if proposal.document.kind != Document.Kind.PROMPT:
        return ""
    return next((section.heading for section in parse(text) if section.start < line <= section.end), "")


def _place_now(seen: Revision, now: Revision, spot: Spot, quote: str) -> Place | None:
    place = Place(spot.line, spot.end)
    if seen == now:
        return place
    return Follower(_side_text(seen, spot.side), _side_text(now, spot.side)).follow(place, quote)


def _open_for(proposal_id: int, user: User) -> Proposal:
    """Lock, then refuse whoever may not and what is decided: a decision and a comment come one after the other."""
    proposal = lock(proposal_id, by=user)
    _require(policies.may_comment(user, proposal), proposal)
    return proposal


def _lock_thread(thread_id: int, user: User, *, settles: bool = False) -> tuple[Thread, Proposal]:
    proposal_id = Thread.objects.values_list("proposal", flat=True).get(pk=thread_id)
    proposal = lock(proposal_id, by=user) if settles else _open_for(proposal_id, user)
    thread = Thread.objects.select_related("revision").get(pk=thread_id)
    if settles and not (leave := policies.may_resolve(user, thread, proposal)).allowed:
        raise NotAllowed(leave.why)
    return thread, proposal


def _require(leave: policies.Leave, proposal: Proposal) -> None:
    if not leave.allowed:
        raise NotAllowed(leave.why) if proposal.is_open else NotPending(leave.why)


def _clean(text: str, wording: Wording | None, lines: str | None) -> tuple[str, str | None]:
    """What is kept of it; `lines` are those a wording is suggested for."""
    text, suggestion = text.strip(), _suggestion(wording)
    for field, value in (("text", text), ("suggestion", suggestion or "")):
        if "\x00" in value:
            raise Invalid(field, "The text contains a NUL character; remove it.")
    if len(text) > Comment.MAX_TEXT:
        raise Invalid("text", f"The comment has {len(text):,} characters; at most {Comment.MAX_TEXT:,} are allowed.")
    if suggestion is not None and lines is None:
        raise Invalid("suggestion", "These lines are not in the proposed text, so no wording can take their place.")
    if wording and suggestion is not None and wording.over != sha256(lines or ""):
        raise Outdated("The lines changed while you wrote. Nothing was recorded; look at your wording again.")
    if suggestion and len(suggestion) > MAX_SUGGESTION:
        raise Invalid("suggestion", f"A suggested wording has at most {MAX_SUGGESTION:,} characters.")
    if not text and suggestion is None:
        raise Invalid("text", "Write a comment, or suggest a wording.")
    return text, suggestion


def _words(text: str, suggestion: str | None) -> dict[str, Any]:
    """What a comment of these very words has in its columns."""
    return {"text": text, "suggestion": suggestion or "", "marks__isnull": suggestion is None}


def _suggestion(wording: Wording | None) -> str | None:
    """Whole lines; None where they are those it was written over."""
    if wording is None:
        return None
    text = wording.text.replace("\r\n", "\n").replace("\r", "\n")
    if wording.over in (sha256(text), sha256(text + "\n")):
        return None
    return text + "\n" if text and not text.endswith("\n") else text


def _just_now() -> datetime:
    return timezone.now() - AGAIN


def _add(
    thread: Thread, proposal: Proposal, user: User, text: str, suggestion: str | None, lines: str | None
) -> Comment:
    if Comment.objects.filter(thread__proposal=proposal).count() >= MAX_COMMENTS:
        raise NotPending(f"This proposal has {MAX_COMMENTS:,} comments, which is all it can hold.")
    marks = None if suggestion is None else diffs.compute(lines or "", suggestion).to_json()
    comment = Comment.objects.create(thread=thread, author=user, text=text, suggestion=suggestion or "", marks=marks)
    facts: dict[str, object] = {"revision": thread.revision.number, "comment": comment.pk, "text": text}
    _record("comment.added", thread, proposal, user, facts | {"suggestion": suggestion})
    return comment


def _record(verb: str, thread: Thread, proposal: Proposal, user: User, after: dict[str, object] | None = None) -> None:
    record(
        verb,
        actor=Actor.person(user),
        target=thread,
        agent=proposal.document.agent.slug,
        document=proposal.document.slug,
        proposal=proposal.pk,
        after={"side": thread.side, "line": thread.line, "end_line": thread.end_line, **(after or {})},
    )
