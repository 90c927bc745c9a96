"""What agents report: runs and feedback. Rows are written set-based by `feedback.ingest`, never one ORM save each."""

from typing import Final

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from agents.models import Agent, ApiKey

OF_ONE_REPORT: Final = Q(feedback__isnull=False, run=None) | Q(feedback=None, run__isnull=False)
"""What a row that stands for one report points at: feedback, or a run, and not both."""


class Report(models.Model):
    """What runs and feedback have in common.

    `external_id` is the client's own id (or ours, when it gave none), unique per agent; `digest` is the keyed
    BLAKE2b-256 of the canonical body, so that a retry is told from a different report under the same id, and nobody who
    holds only the database can try out what was sent. `source` stands for (owner of the key, hashed end user or unit):
    support is counted in sources. `mined_at` is null while the miner has still to look at the row: the row itself is
    the outbox.
    """

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, db_index=False)
    key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, null=True, db_index=False)
    external_id = models.CharField(max_length=64)
    digest = models.BinaryField(max_length=32)
    source = models.BinaryField(max_length=16)
    version = models.PositiveIntegerField(null=True)
    metadata = models.JSONField(null=True)
    at = models.DateTimeField()
    received_at = models.DateTimeField(db_default=Now())
    mined_at = models.DateTimeField(null=True)
    excluded_at = models.DateTimeField(
        null=True, help_text="Since when a reviewer holds that it does not count, or its key is in quarantine."
    )
    # Without the database's own check, which every report that comes in would pay for; quarantines are never deleted.
    quarantine = models.ForeignKey(
        "feedback.Quarantine",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    erased_at = models.DateTimeField(null=True, help_text="Since when only what is counted is left of it.")
    masked = models.JSONField(null=True, help_text="How much of what kind was masked before it was stored, if any.")

    class Meta:
        abstract = True


class RunQuerySet(models.QuerySet["Run"]):
    """Reads that speak."""

    def unmined(self) -> "RunQuerySet":
        """Failures the miner has not looked at, oldest first."""
        return self.filter(mined_at=None, success=False).order_by("pk")


class Run(Report):
    """One execution of an agent."""

    document = models.CharField(max_length=80, blank=True)
    unit_hash = models.BinaryField(max_length=16, null=True)
    task = models.CharField(max_length=200, blank=True)
    tool = models.CharField(max_length=200, blank=True)
    success = models.BooleanField()
    error = models.TextField(blank=True)
    error_type = models.CharField(max_length=200, blank=True)
    latency_ms = models.FloatField(null=True)
    quality = models.FloatField(null=True)
    cost_usd = models.FloatField(null=True)
    model = models.CharField(max_length=200, blank=True)
    input_hash = models.CharField(max_length=128, blank=True)
    output_hash = models.CharField(max_length=128, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("agent", "external_id", name="run_id_unique_per_agent"),
            models.CheckConstraint(
                condition=Q(quality__isnull=True) | Q(quality__gte=1, quality__lte=5),
                name="run_quality_1_to_5",
            ),
        ]
        indexes = [
            models.Index(fields=["agent", "-at"], include=["success"], name="run_by_agent_and_time"),
            models.Index(fields=["agent", "tool", "-at"], name="run_by_tool_and_time", condition=~Q(tool="")),
            models.Index(fields=["id"], name="run_unmined", condition=Q(mined_at=None, success=False)),
        ]

    def __str__(self) -> str:
        return f"run {self.external_id}"


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    """Reads that speak."""

    def unmined(self) -> "FeedbackQuerySet":
        """Reports the miner has not looked at, oldest first."""
        return self.filter(mined_at=None).order_by("pk")

    def counted(self) -> "FeedbackQuerySet":
        """Everything that was neither withdrawn nor excluded."""
        return self.filter(withdrawn_at=None, excluded_at=None)

    def praise(self) -> "FeedbackQuerySet":
        """What people were content with and that counts, newest first."""
        return self.counted().filter(rating=Feedback.Rating.POSITIVE).order_by("-at")


class Feedback(Report):
    """One report about a run."""

    class Rating(models.TextChoices):
        POSITIVE = "positive", "Thumbs up"
        NEGATIVE = "negative", "Thumbs down"

    class Reason(models.TextChoices):
        WRONG = "wrong", "Wrong"
        OUTDATED = "outdated", "Outdated"
        UNSAFE = "unsafe", "Unsafe"
        INCOMPLETE = "incomplete", "Incomplete"
        TOO_LONG = "too_long", "Too long"
        TOO_SHORT = "too_short", "Too short"
        STYLE = "style", "Style"
        FORMAT = "format", "Format"
        WRONG_TOOL = "wrong_tool", "Wrong tool"
        SLOW = "slow", "Slow"
        REFUSED = "refused", "Refused"
        OTHER = "other", "Other"

    run_id = models.CharField(
        max_length=64, blank=True, help_text="The run's id as the agent gave it; may arrive first."
    )
    rating = models.CharField(max_length=8, choices=Rating, blank=True)
    reason_code = models.CharField(max_length=12, choices=Reason, blank=True)
    reason = models.TextField(blank=True)
    correction = models.TextField(blank=True)
    signals = models.JSONField(null=True)
    expected = models.CharField(max_length=200, blank=True)
    predicted = models.CharField(max_length=200, blank=True)
    input = models.TextField(blank=True)
    output = models.TextField(blank=True)
    edited_output = models.TextField(blank=True)
    user_hash = models.BinaryField(max_length=16, null=True)
    withdrawn_at = models.DateTimeField(null=True)

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "feedback"
        constraints = [models.UniqueConstraint("agent", "external_id", name="feedback_id_unique_per_agent")]
        indexes = [
            models.Index(
                fields=["agent", "-at"],
                include=["rating", "excluded_at", "withdrawn_at"],  # what a day's count asks for
                name="feedback_by_agent_and_time",
            ),
            models.Index(fields=["id"], name="feedback_unmined", condition=Q(mined_at=None)),
            models.Index(fields=["id"], name="feedback_withdrawn", condition=Q(withdrawn_at__isnull=False)),
            models.Index(fields=["agent", "-at"], name="feedback_praise", condition=Q(rating="positive")),
            models.Index(fields=["agent", "-at"], name="feedback_labels", condition=~Q(expected="")),
            models.Index(fields=["agent", "run_id"], name="feedback_by_run", condition=~Q(run_id="")),
            models.Index(fields=["agent", "-at"], name="feedback_signals", condition=Q(signals__isnull=False)),
            models.Index(fields=["agent", "run_id"], name="feedback_bad_runs", condition=Q(rating="negative")),
        ]

    def __str__(self) -> str:
        return f"feedback {self.external_id}"


def the_one(feedback: Feedback | None, run: Run | None) -> Feedback | Run:
    """The one of the two that is set. Raises ValueError for a row that is `OF_ONE_REPORT` no more."""
    report = feedback or run
    if report is None:
        raise ValueError("This points at no report.")
    return report
