"""Keys whose reports are held out of every count."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from agents.models import ApiKey
from feedback.models.report import OF_ONE_REPORT, Feedback, Run


class QuarantineQuerySet(models.QuerySet["Quarantine"]):
    """Reads that speak."""

    def in_force(self) -> "QuarantineQuerySet":
        """Those that hold reports, and go on to."""
        return self.filter(lifted_at=None)


class Quarantine(models.Model):
    """The reports that came in with one key in a window of time do not count, until that is lifted.

    `since` is null for “from the first on”, `until` for “and all that comes still”. `excluded_at` of each report is
    what mining and counting look at; its `quarantine` says why. A worker goes through the reports, both ways, and
    leaves in `looked` how far it got, out of `of`; `done_at` is null while that is going on.
    """

    key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="quarantines")
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    reason = models.TextField()
    by = models.CharField(max_length=200)
    at = models.DateTimeField(default=timezone.now)
    lifted_by = models.CharField(max_length=200, blank=True)
    lifted_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    looked = models.PositiveBigIntegerField(default=0)
    of = models.PositiveBigIntegerField(default=0)
    feedback = models.PositiveBigIntegerField(default=0, help_text="Held out now.")
    runs = models.PositiveBigIntegerField(default=0, help_text="Held out now.")

    objects = QuarantineQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint("key", name="quarantine_one_in_force", condition=Q(lifted_at=None)),
            models.CheckConstraint(condition=~Q(reason=""), name="quarantine_says_why"),
        ]
        indexes = [models.Index(fields=["id"], name="quarantine_due", condition=Q(done_at=None))]

    def __str__(self) -> str:
        return str(self.key)

    @property
    def percent(self) -> int:
        """How much of the way is done."""
        return min(99, 100 * self.looked // self.of) if self.of else 0


class HeldEvidence(models.Model):
    """Where a report counted when it was held out: the miner's group, and how well it fitted; to give it back there."""

    quarantine = models.ForeignKey(Quarantine, on_delete=models.CASCADE, related_name="held", db_index=False)
    feedback = models.ForeignKey(Feedback, on_delete=models.PROTECT, null=True, related_name="+")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="+")
    group = models.BigIntegerField()
    similarity = models.FloatField(null=True)
    threshold = models.FloatField(null=True)

    class Meta:
        verbose_name_plural = "held evidence"
        constraints = [
            models.CheckConstraint(condition=OF_ONE_REPORT, name="held_evidence_is_feedback_or_run"),
        ]

    def __str__(self) -> str:
        return f"held of group {self.group}"
