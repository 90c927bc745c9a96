"""What reviewers ask the drafter to write again."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from proposals.models.atmostone import AtMostOne
from proposals.models.proposal import Proposal, Revision


class RedraftQuerySet(models.QuerySet["Redraft"]):
    """Reads that speak."""

    def due(self) -> "RedraftQuerySet":
        """Those the drafter has not looked at, the longest waiting first."""
        return self.filter(done_at=None).order_by("pk")

    def made_for(self, person: Any) -> "RedraftQuerySet":
        """Those of which a revision came, asked for by this person (or by whom an outer query names)."""
        return self.filter(asked_by=person, made__isnull=False).order_by("pk")


class Redraft(models.Model):
    """One person's wish that the drafter writes its draft again, and what came of it: a revision, or why there is none.

    The row is the outbox: it is due until `done_at` is set, in the transaction that redrafts or declines. `about` is
    the heading to move to, the rule to merge with, or the words to use. Whoever asked cannot approve what was made.
    """

    class Ask(models.TextChoices):
        SHORTER = "shorter", "Make it shorter"
        MOVE = "move", "Move it to the section"
        MERGE = "merge", "Merge it with the rule"
        WORDING = "wording", "Use my wording"
        CURRENT = "current", "Draft it anew on the current version"

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="redrafts", db_index=False)
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+")
    ask = models.CharField(max_length=7, choices=Ask)
    about = models.TextField(blank=True)
    note = models.TextField(blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="redrafts")
    at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True)
    made = AtMostOne(Revision, on_delete=models.PROTECT, null=True, related_name="redraft")
    why_not = models.TextField(blank=True)

    objects = RedraftQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("proposal", name="redraft_one_due", condition=Q(done_at=None)),
            models.CheckConstraint(
                condition=Q(done_at=None, made=None, why_not="")
                | Q(done_at__isnull=False, made__isnull=False, why_not="")
                | (Q(done_at__isnull=False, made=None) & ~Q(why_not="")),
                name="redraft_is_due_made_or_declined",
            ),
        ]
        indexes = [models.Index(fields=["proposal", "asked_by"], name="redraft_by_proposal")]

    def __str__(self) -> str:
        return f"{self.asked_by} asked to redraft {self.proposal_id}"

    @property
    def is_due(self) -> bool:
        return self.done_at is None

    @property
    def in_words(self) -> str:
        """“shorter”, “move it to the section Tone”, “use the wording “…””."""
        said = {
            self.Ask.SHORTER: "shorter",
            self.Ask.MOVE: f"in the section “{self.about}”",
            self.Ask.MERGE: f"merged with “{self.about}”",
            self.Ask.WORDING: f"as “{self.about}”",
            self.Ask.CURRENT: "on the current version",
        }
        return said[self.Ask(self.ask)]
