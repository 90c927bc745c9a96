"""What changed between two revisions of one proposal, above all since a reviewer last looked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.urls import reverse

from agents.models import whole_of
from people.models import User
from proposals.actions.stepping import step
from proposals.diffs import Diff
from proposals.models import Decision, Proposal, Revision
from proposals.reviewing import shown


@dataclass(frozen=True, slots=True)
class Interdiff:
    """The difference from the text of `before` to that of `after`, laid out in lines; `left_out` are more than a part
    holds.
    """

    before: Revision
    after: Revision
    difference: Diff
    lines: Sequence[shown.Line]
    left_out: int = 0

    @property
    def moved(self) -> bool:
        """Whether they stand on different versions, so that the difference holds what those changed, too."""
        return self.before.base_version_id != self.after.base_version_id

    @property
    def is_same_change(self) -> bool:
        """Whether it was only moved: the difference is what came in with the version, and nothing of its own."""
        return self.moved and _own(self.before) == _own(self.after)

    @property
    def address(self) -> str:
        """Where the two are compared on a page of their own."""
        return f"{reverse('revision', args=[self.after.proposal_id, self.after.number])}?from={self.before.number}"


def _own(revision: Revision) -> list[object]:
    """What a revision changes of the version it stands on, wherever that is."""
    return [(row.kind, row.segments) for row in Diff.from_json(revision.diff).rows if row.kind != "equal"]


def between(proposal: Proposal, before: Revision, after: Revision, *, opened: Collection[int] = ()) -> Interdiff:
    """Any two revisions of one proposal, the folds that start at `opened` unfolded."""
    protected = [section.heading for section in proposal.document.sections.all() if section.is_protected]
    difference = step(before, after, protected)
    part = shown.part(shown.inline(difference.rows, opened=opened), {})
    return Interdiff(before, after, difference, part.lines, part.whole - part.last)


def since(
    proposal: Proposal,
    newest: Revision,
    user: User,
    *,
    digest: str = "",
    seen: int = 0,
    asked: int = 0,
    opened: Collection[int] = (),
) -> Interdiff | None:
    """From the revision this person saw last to the newest; None when that is the newest, or they saw none.

    They saw the one whose `digest` they sent, else the one with the number `seen`, else the one they last decided on;
    and they know what they wrote themselves. Before all of these goes the one `asked` for. Folds that start at
    `opened` are unfolded.
    """
    if newest.number == 1:
        return None
    own = max((one.number for one in proposal.revisions.all() if one.author_id == user.pk), default=0)
    seen = asked or max(seen, own)
    texts = proposal.revisions.select_related("base_version", "author", "author_key")
    texts = texts.defer("text", "diff", *whole_of("base_version"))
    before = (
        (texts.filter(digest=digest).last() if digest else None)
        or (texts.filter(number=seen).first() if seen else None)
        or _decided_on(proposal, user)
    )
    return between(proposal, before, newest, opened=opened) if before and before.number < newest.number else None


def _decided_on(proposal: Proposal, user: User) -> Revision | None:
    last = Decision.objects.filter(revision__proposal=proposal, actor=user).order_by("-pk")
    last = last.select_related("revision__base_version", "revision__author", "revision__author_key")
    found = last.defer("revision__text", "revision__diff", *whole_of("revision__base_version")).first()
    return found.revision if found else None
