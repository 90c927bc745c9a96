"""Changes of settings that began without waiting for a person: what is allowed, and what began so."""

from typing import Any

from django.db import models
from django.utils import timezone

from agents.models import Document
from proposals.models.atmostone import AtMostOne
from proposals.models.proposal import Proposal, Revision
from proposals.safe import Category, Rules


class SafeRules(models.Model):
    """What may start by itself in a document of settings. Without a row nothing may."""

    document = models.OneToOneField(Document, on_delete=models.PROTECT, related_name="safe_rules")
    kept = models.JSONField(help_text="See `proposals.safe.Rules`.")

    class Meta:
        verbose_name_plural = "safe rules"

    def __str__(self) -> str:
        return f"{self.document.agent} / {self.document}"

    @property
    def rules(self) -> Rules:
        return Rules.from_json(self.kept)


class SelfStart(models.Model):
    """One canary that Countersign began unasked, under which rule; append-only, the database refuses changes.

    Its proposal is in effect, to be confirmed, until a person confirms or undoes it. Nobody can promote it before.
    """

    proposal = AtMostOne(Proposal, on_delete=models.PROTECT, related_name="self_start")
    revision = models.OneToOneField(Revision, on_delete=models.PROTECT, related_name="+")
    category = models.CharField(max_length=9, choices=[(one.value, one.value) for one in Category])
    key = models.TextField(help_text="The key that changed, after those above it, with dots between them.")
    was = models.TextField()
    now = models.TextField()
    rules = models.JSONField(help_text="The rules in force then, see `proposals.safe.Rules`.")
    at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"{self.key} from {self.was} to {self.now}"

    @classmethod
    def of(cls, proposal: Proposal) -> "SelfStart | None":
        """That of a proposal, if it started by itself. One query unless it was joined in."""
        found: SelfStart | None = proposal.self_start
        return found

    @property
    def rule(self) -> str:
        """The rule in words, as it was then."""
        kept: dict[str, Any] = {**self.rules, "allowed": {self.category: self.rules["allowed"][self.category]}}
        return Rules.from_json(kept).in_words.partition(";")[0]
