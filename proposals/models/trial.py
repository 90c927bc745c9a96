"""What the agent answered to past inputs under a proposed text, as tools outside report it."""

from typing import Final

from django.db import models
from django.utils import timezone

from agents.models import ApiKey
from feedback.models import Feedback
from proposals.models.proposal import Proposal, Revision


class TrialQuerySet(models.QuerySet["Trial"]):
    """Reads that speak."""

    def of(self, proposal: Proposal) -> "TrialQuerySet":
        """Under any of its revisions, the newest first, without what no longer counts as evidence."""
        found = self.filter(revision__proposal=proposal, feedback__withdrawn_at=None, feedback__excluded_at=None)
        found = found.filter(feedback__erased_at=None)
        found = found.select_related("feedback", "revision", "key").defer("revision__text", "revision__diff")
        return found.order_by("-revision__number", "feedback", "pk")


class Trial(models.Model):
    """One new output for one real case, under the text of one revision; append-only, the database refuses
    changes but that it is emptied when the report is erased.

    Nobody here ran the agent: it is what the holder of `key` says. `marks` is the difference from the output that was
    reported, in the shape of `proposals.diffs`, computed once.
    """

    MAX_OUTPUT: Final = 10_000
    MAX_MODEL: Final = 100

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="trials", db_index=False)
    feedback = models.ForeignKey(Feedback, on_delete=models.PROTECT, related_name="+")
    model = models.CharField(max_length=MAX_MODEL, blank=True)
    output = models.TextField()
    marks = models.JSONField()
    key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    objects = TrialQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint("revision", "feedback", "model", name="trial_once_per_case_and_model")]

    def __str__(self) -> str:
        return f"output for {self.feedback} under {self.revision}"
