"""What people say about lines of a change."""

from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from proposals.models.proposal import Proposal, Revision


class ThreadQuerySet(models.QuerySet["Thread"]):
    """Reads that speak."""

    def unresolved(self) -> "ThreadQuerySet":
        return self.filter(resolved_at=None)

    def named(self) -> "ThreadQuerySet":
        """With whom and what they name."""
        return self.select_related("author", "resolved_by", "revision").defer("revision__text", "revision__diff")

    def for_page(self) -> "ThreadQuerySet":
        """With their comments and all they name, in two queries, oldest first."""
        return self.named().prefetch_related(models.Prefetch("comments", Comment.objects.named())).order_by("pk")


class CommentQuerySet(models.QuerySet["Comment"]):
    """Reads that speak."""

    def named(self) -> "CommentQuerySet":
        """With whom and what they name."""
        found = self.select_related("author", "applied__revision")
        return found.defer("applied__revision__text", "applied__revision__diff")


class Thread(models.Model):
    """A talk about some lines of one revision.

    `revision`, `side`, `line`, `end_line` and `quote` say where it was opened and never change: side "old" counts the
    lines of the revision's base version, side "new" those of the revision itself. `place` and `end_place` are the
    lines of the newest revision, on the same side, that it is about now; both None where those lines are gone.
    """

    class Side(models.TextChoices):
        OLD = "old", "before the change"
        NEW = "new", "after the change"

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="threads")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+")
    side = models.CharField(max_length=3, choices=Side)
    line = models.PositiveIntegerField()
    end_line = models.PositiveIntegerField()
    quote = models.TextField(help_text="The lines as they were, line breaks included.")
    section = models.TextField(blank=True, help_text="The heading they stood under.")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="threads")
    at = models.DateTimeField(default=timezone.now)
    place = models.PositiveIntegerField(null=True)
    end_place = models.PositiveIntegerField(null=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    objects = ThreadQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(line__gte=1, end_line__gte=F("line")), name="thread_has_lines"),
            models.CheckConstraint(
                condition=Q(place=None, end_place=None) | Q(place__gte=1, end_place__gte=F("place")),
                name="thread_is_placed_or_orphan",
            ),
            models.CheckConstraint(
                condition=Q(resolved_at=None, resolved_by=None)
                | Q(resolved_at__isnull=False, resolved_by__isnull=False),
                name="thread_resolved_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lines} of proposal {self.proposal_id}"

    @property
    def lines(self) -> str:
        """“line 12” or “lines 12 to 14”, as they were numbered when it was opened."""
        return f"line {self.line}" if self.line == self.end_line else f"lines {self.line} to {self.end_line}"


class Comment(models.Model):
    """One contribution to a thread; append-only, the database refuses changes.

    `marks` is the difference that the suggested wording makes to the thread's lines, in the shape of
    `proposals.diffs`, computed once; None where its author suggests nothing. `suggestion` is that wording, "" to drop
    the lines.
    """

    MAX_TEXT: Final = 5_000

    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="comments")
    text = models.TextField(blank=True)
    suggestion = models.TextField(blank=True)
    marks = models.JSONField(null=True)
    at = models.DateTimeField(default=timezone.now)

    objects = CommentQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(text="") | Q(marks__isnull=False), name="comment_says_or_suggests_something"
            ),
            models.CheckConstraint(
                condition=Q(suggestion="") | Q(marks__isnull=False),
                name="comment_suggestion_has_marks",
            ),
        ]

    def __str__(self) -> str:
        return f"comment {self.pk} on {self.thread}"

    @property
    def application(self) -> "Coauthor | None":
        """Where its suggestion was taken over."""
        return getattr(self, "applied", None)


class Coauthor(models.Model):
    """Whose suggested wording a revision took over; append-only. They are an author of it like who saved it."""

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="coauthors")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="coauthored")
    comment = models.OneToOneField(Comment, on_delete=models.PROTECT, related_name="applied")

    def __str__(self) -> str:
        return f"{self.person} in {self.revision}"

    @classmethod
    def of(cls, proposal: Proposal) -> "QuerySet[Coauthor]":
        """Of any of its revisions, oldest first."""
        return cls.objects.filter(revision__proposal=proposal).select_related("revision").order_by("pk")
