"""The talks about a change as its page shows them: below their lines, or above the change where those are gone."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Self

from agents.compiled import Compiled, hold, key
from people.models import User
from proposals.actions.comments import Spot, is_current, lines_now, quoted
from proposals.authority import policies
from proposals.diffs import Diff, Row
from proposals.exceptions import Invalid
from proposals.forms.proposals import CommentForm, ReplyForm, TypedForm
from proposals.models import Comment, Proposal, Revision, Thread

At = tuple[str, int]
"""A side and a line of it, as a difference numbers them."""

MAX_DIGITS = 7


@dataclass(frozen=True, slots=True)
class Remark:
    """One comment; `rows` is the difference its suggestion makes, `why_not` says why it cannot be applied now."""

    comment: Comment
    rows: tuple[Row, ...]
    why_not: str


@dataclass(frozen=True, slots=True)
class Talk:
    """One thread, and what this person may do about it; `form` is the reply, None for who may not write."""

    thread: Thread
    remarks: tuple[Remark, ...]
    form: TypedForm | None
    may_resolve: bool
    digest: str
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Talks:
    """All threads of a proposal; `here` by the line they end at. `form` is the comment somebody is about to write.

    `link` is the address of this page, up to the line whose form it is to show; empty for who may not write.
    """

    here: Mapping[At, tuple[Talk, ...]] = field(default_factory=dict)
    elsewhere: tuple[Talk, ...] = ()
    touched: frozenset[At] = frozenset()
    form: CommentForm | None = None
    form_at: At | None = None
    unresolved: int = 0
    first_unresolved: int | None = None
    link: str = ""
    query: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.here and self.form_at is None

    def below(self, *rows: Row | None) -> tuple[Talk, ...]:
        """The talks about lines that end at one of these rows, each once."""
        ends = dict.fromkeys(at for row in rows for at in _ends(row) if at in self.here)
        return tuple(talk for at in ends for talk in self.here[at])

    def asks(self, *rows: Row | None) -> bool:
        """Whether the form stands below one of these rows."""
        return self.form_at is not None and any(self.form_at == at for row in rows for at in _ends(row))

    def touches(self, row: Row) -> bool:
        """Whether somebody talks about this row, or is about to."""
        return any(at in self.touched for at in _ends(row))

    def without(self, rows: Sequence[Row]) -> Self:
        """The same where lines that are cut are not shown: what is said about them stands elsewhere."""
        cut = {("old", row.old) for row in rows if row.kind == "cut"}
        moved = [talk for at, talks in self.here.items() if at in cut for talk in talks]
        here = {at: talks for at, talks in self.here.items() if at not in cut}
        return replace(self, here=here, elsewhere=(*self.elsewhere, *moved))


NO_TALKS = Talks()
_THREADS: Final = Compiled(lambda: Thread.objects.named().filter(proposal=key("proposal")).order_by("pk"))
_COMMENTS: Final = Compiled(lambda: Comment.objects.named().filter(thread__proposal=key("proposal")).order_by("pk"))


def threads_of(proposal: Proposal) -> list[Thread]:
    """All of them with their comments and all they name, in two queries, oldest first."""
    threads, comments = _THREADS.ask(proposal=proposal.pk), defaultdict[int, list[Comment]](list)
    for comment in _COMMENTS.ask(proposal=proposal.pk):
        comments[comment.thread_id].append(comment)
    for thread in threads:
        hold(thread, "comments", comments[thread.pk])
    hold(proposal, "threads", threads)
    return threads


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed and could not be kept: a comment, or with `thread` a reply to that."""

    form: TypedForm | None = None
    thread: int | None = None
    refusal: str = ""


def _ends(row: Row | None) -> Iterator[At]:
    if row and row.old:
        yield "old", row.old
    if row and row.new:
        yield "new", row.new


def talks_of(
    proposal: Proposal,
    revision: Revision,
    user: User,
    *,
    asked: str = "",
    seen: Revision | None = None,
    query: str = "",
    typed: Typed | None = None,
    any_yet: bool = True,
) -> Talks:
    """The talks about `revision`, the newest; `asked` names the line to write about, of the revision that was `seen`,
    `query` keeps the view. Where it is known that there are none, `any_yet` saves the question.
    """
    typed = typed or Typed()
    threads = threads_of(proposal) if any_yet else ()
    talks = [talk_of(thread, proposal, revision, user, typed) for thread in threads]
    open_ones = [talk.thread.pk for talk in talks if talk.thread.resolved_at is None]
    here: dict[At, tuple[Talk, ...]] = {}
    for talk in talks:
        if talk.thread.end_place:
            at = (talk.thread.side, talk.thread.end_place)
            here[at] = (*here.get(at, ()), talk)
    writes = policies.may_comment(user, proposal).allowed
    form = typed.form if isinstance(typed.form, CommentForm) else _asked(seen or revision, asked) if writes else None
    spot = spot_of(form) if form else None
    form_at = (spot.side.value, spot.end) if spot and spot.revision == revision.number else None
    return Talks(
        here=here,
        elsewhere=tuple(talk for talk in talks if not talk.thread.end_place),
        touched=frozenset([*_touched(talk.thread for talk in talks), *([form_at] if form_at else [])]),
        form=form,
        form_at=form_at,
        unresolved=len(open_ones),
        first_unresolved=next(iter(open_ones), None),
        # Somebody may have amended the text since the page was made; a line is one of the revision that was on it.
        link=f"?{query}{'&' if query else ''}revision={revision.number}&comment=" if writes else "",
        query=f"?{query}" if query else "",
    )


def talk_of(thread: Thread, proposal: Proposal, revision: Revision, user: User, typed: Typed | None = None) -> Talk:
    """One thread as this person sees it."""
    typed = typed if typed and typed.thread == thread.pk else Typed()
    writes = policies.may_comment(user, proposal).allowed
    lines, closed = lines_now(thread, revision), _why_nothing_applies(proposal)
    return Talk(
        thread=thread,
        remarks=tuple(
            Remark(
                comment,
                Diff.from_json(comment.marks).rows if comment.marks else (),
                closed or ("" if is_current(comment, lines) else "The lines changed since; it no longer fits."),
            )
            for comment in thread.comments.all()
        ),
        form=_reply(thread, lines, typed.form) if writes else None,
        may_resolve=policies.may_resolve(user, thread, proposal).allowed,
        digest=revision.digest,
        refusal=typed.refusal,
    )


def _why_nothing_applies(proposal: Proposal) -> str:
    """Why no wording can be applied to this proposal now; empty where one could be."""
    if proposal.status == Proposal.Status.IN_EFFECT:
        return "It is in effect, so its text stays; propose a change instead."
    return "The document moved on; this has to be brought up to date first." if proposal.is_stale else ""


def _touched(threads: Iterable[Thread]) -> Iterator[At]:
    for thread in threads:
        if thread.place and thread.end_place:
            yield from ((thread.side, line) for line in range(thread.place, thread.end_place + 1))


def _reply(thread: Thread, lines: str | None, typed: TypedForm | None) -> ReplyForm:
    """A reply as it was typed, or an empty one, over the lines as they are now."""
    form = typed if isinstance(typed, ReplyForm) else ReplyForm(auto_id=f"t{thread.pk}_%s")
    return form.for_lines(lines)


def _asked(revision: Revision, asked: str) -> CommentForm | None:
    """The form for “12”, a line of the text, or “old12”, one of the version it changes; None for anything else."""
    side = Thread.Side.OLD if asked.startswith("old") else Thread.Side.NEW
    number = asked.removeprefix("old")
    if not (number.isascii() and number.isdigit() and len(number) <= MAX_DIGITS):
        return None
    return form_for(revision, Spot(revision.number, side, int(number), int(number)))


def form_for(revision: Revision, spot: Spot) -> CommentForm | None:
    """An empty form for these lines; None where there are no such lines."""
    lines = _lines(revision, spot)
    if lines is None:
        return None
    start = {"revision": spot.revision, "side": spot.side.value, "line": spot.line, "end": spot.end}
    return CommentForm(initial=start).for_lines(lines if spot.side == Thread.Side.NEW else None)


def widened(form: CommentForm, revision: Revision, spot: Spot) -> CommentForm:
    """The form with one line more, and with all that was typed; the same at the end of the text."""
    wider = replace(spot, end=spot.end + 1)
    before, after = _lines(revision, spot), _lines(revision, wider)
    if before is None or after is None:
        return form
    typed = {name: form[name].value() for name in form.fields} | {"end": wider.end}
    if typed.get("suggestion") is not None:
        typed["suggestion"] = f"{typed['suggestion']}\n{after[len(before) :]}".removesuffix("\n")
    return CommentForm(initial=typed).for_lines(after if spot.side == Thread.Side.NEW else None)


def spot_of(form: CommentForm) -> Spot | None:
    """The lines the form is about, as far as it says."""
    values = [form[name].value() for name in ("revision", "line", "end")]
    texts = [str(value) for value in values]
    if not all(text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS for text in texts):
        return None
    number, line, end = map(int, texts)
    side = Thread.Side.OLD if form["side"].value() == Thread.Side.OLD else Thread.Side.NEW
    return Spot(number, side, line, end)


def _lines(revision: Revision, spot: Spot) -> str | None:
    try:
        return quoted(revision, spot)
    except Invalid:
        return None
