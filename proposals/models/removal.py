"""Proposals to take a rule out again."""

from django.db import models

from feedback.models import Pattern
from proposals.models.proposal import Proposal


class Removal(models.Model):
    """Why a rule is proposed for removal: `origin` brought it, and its pattern has been silent since `silent_since`.

    `silent_since` is empty when nothing supports the pattern any more. One rule is proposed for removal once for each
    silence, whatever became of it.
    """

    proposal = models.OneToOneField(Proposal, on_delete=models.PROTECT, related_name="removal")
    origin = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="removals")
    pattern = models.ForeignKey(Pattern, on_delete=models.PROTECT, related_name="removals")
    line = models.TextField()
    silent_since = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("origin", "silent_since", name="removal_once_per_silence", nulls_distinct=False),
        ]

    def __str__(self) -> str:
        return f"removal of what proposal {self.origin_id} brought"
