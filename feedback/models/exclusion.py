"""What people hold should not count as evidence."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone

from feedback.models.report import OF_ONE_REPORT, Feedback, Run, the_one


class Exclusion(models.Model):
    """One person's word that one report does not count, and, once it is taken back, whose word that was.

    `Report.excluded_at` is what mining and counting look at; this row says who and why. `patterns` are those that
    the miner had put the report in, to give it back to them; where one is merged into another, that one counts it.
    """

    feedback = models.ForeignKey(
        Feedback, on_delete=models.PROTECT, null=True, related_name="exclusions", db_index=False
    )
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="exclusions", db_index=False)
    reason = models.TextField()
    patterns = ArrayField(models.BigIntegerField(), default=list)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="exclusions")
    at = models.DateTimeField(default=timezone.now)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=OF_ONE_REPORT, name="exclusion_is_of_feedback_or_run"),
            models.CheckConstraint(condition=~Q(reason=""), name="exclusion_has_reason"),
            models.UniqueConstraint("feedback", name="exclusion_feedback_once", condition=Q(lifted_at=None)),
            models.UniqueConstraint("run", name="exclusion_run_once", condition=Q(lifted_at=None)),
        ]
        indexes = [GinIndex(fields=["patterns"], name="exclusion_by_pattern", condition=Q(lifted_at=None))]

    def __str__(self) -> str:
        return f"exclusion {self.pk}"

    @property
    def report(self) -> Feedback | Run:
        """The one of the two that is set."""
        return the_one(self.feedback, self.run)
