"""Threads and comments as the API gives them."""

from datetime import datetime

from ninja import Schema
from pydantic import Field

from proposals.models import Comment, Thread


class CommentOut(Schema):
    """What a person said in a thread; `suggestion` is null, or a wording for its lines, "" to drop them."""

    id: int
    by: str
    text: str
    suggestion: str | None
    applied_in_revision: int | None
    at: datetime


class ThreadOut(Schema):
    """Comments on lines of a revision; `side` "old" counts the lines of the version that it changes."""

    id: int
    revision: int
    side: str
    line: int
    end_line: int
    quote: str
    section: str
    line_now: int | None = Field(description="The first of its lines in the newest revision; null when they are gone.")
    resolved_by: str | None
    resolved_at: datetime | None
    comments: list[CommentOut]


def thread_out(thread: Thread) -> ThreadOut:
    """A thread with its comments, as the API gives it."""
    return ThreadOut(
        id=thread.pk,
        revision=thread.revision.number,
        side=thread.side,
        line=thread.line,
        end_line=thread.end_line,
        quote=thread.quote,
        section=thread.section,
        line_now=thread.place,
        resolved_by=str(thread.resolved_by) if thread.resolved_by else None,
        resolved_at=thread.resolved_at,
        comments=[_comment(comment) for comment in thread.comments.all()],
    )


def _comment(comment: Comment) -> CommentOut:
    applied = comment.application
    return CommentOut(
        id=comment.pk,
        by=str(comment.author),
        text=comment.text,
        suggestion=None if comment.marks is None else comment.suggestion,
        applied_in_revision=applied.revision.number if applied else None,
        at=comment.at,
    )
