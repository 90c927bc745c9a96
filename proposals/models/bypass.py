"""A change that was published without the approvals it needed."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Length
from django.db.models.lookups import GreaterThanOrEqual
from django.utils import timezone

from proposals.models.atmostone import AtMostOne
from proposals.models.proposal import Proposal, Revision

SHORTEST_REASON = 20


class Bypass(models.Model):
    """One emergency: who published what without its approvals, and why; append-only, the database refuses changes."""

    proposal = AtMostOne(Proposal, on_delete=models.PROTECT, related_name="bypass")
    revision = models.OneToOneField(Revision, on_delete=models.PROTECT, related_name="+")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="bypasses")
    reason = models.TextField()
    missing = models.TextField(help_text="What was missing then, in a sentence.")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "bypasses"
        permissions = [("bypass_review", "Can publish in an emergency without the approvals needed")]
        constraints = [
            models.CheckConstraint(
                condition=GreaterThanOrEqual(Length("reason"), SHORTEST_REASON), name="bypass_says_why_at_length"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.actor} bypassed the review of {self.proposal}"
