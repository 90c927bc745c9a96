"""What recurs, with its evidence and the counts that are kept up as evidence comes and goes."""

from django.db import models
from django.db.models import Q

from agents.models import Agent
from feedback.models.report import Feedback, Run


class PatternQuerySet(models.QuerySet["Pattern"]):
    """Reads that speak."""

    def shown(self) -> "PatternQuerySet":
        """Everything that recurs; a candidate is not shown before it does."""
        return self.exclude(status=Pattern.Status.CANDIDATE)

    def due(self) -> "PatternQuerySet":
        """Patterns the drafter has to look at, the longest waiting first."""
        return self.filter(draft_due_at__isnull=False).order_by("draft_due_at", "pk")


class Pattern(models.Model):
    """Feedback or errors that recur for one agent.

    The row is made with its first item, as a candidate, and keeps its identity for good. `support` counts items,
    `sources` distinct sources; both are kept up in the transaction that links the evidence. `draft_due_at` is the
    drafter's outbox: set when there is something to draft from, cleared in the transaction that drafts or declines.
    """

    class Kind(models.TextChoices):
        COMPLAINT = "complaint", "Complaint"
        CORRECTION = "correction", "Correction"
        ERROR = "error", "Error"
        MISLABEL = "mislabel", "Mislabel"
        SUCCESS = "success", "Praise"

    class Status(models.TextChoices):
        CANDIDATE = "candidate", "Candidate"
        OPEN = "open", "Open"
        PROPOSED = "proposed", "Proposed"
        WATCHING = "watching", "Watching"
        RESOLVED = "resolved", "Resolved"
        DISMISSED = "dismissed", "Dismissed"

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="patterns")
    kind = models.CharField(max_length=10, choices=Kind)
    status = models.CharField(max_length=10, choices=Status, default=Status.CANDIDATE)
    label = models.CharField(max_length=200, blank=True)
    terms = models.JSONField(default=list)
    named_support = models.PositiveIntegerField(
        default=0, help_text="The support when label and terms were last found."
    )
    signature = models.CharField(max_length=500, blank=True, help_text="What items of an exact-match kind share.")
    centroid = models.BinaryField(default=bytes)
    grouped = models.PositiveIntegerField(
        default=0, help_text="Items the centroid stands for, withdrawn ones included."
    )
    support = models.PositiveIntegerField(default=0)
    sources = models.PositiveIntegerField(default=0)
    first_seen = models.DateTimeField(null=True)
    last_seen = models.DateTimeField(null=True)
    draft_due_at = models.DateTimeField(null=True)
    dismissed_reason = models.TextField(blank=True)
    draft_note = models.TextField(blank=True, help_text="Why the drafter declined, when it last did.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PatternQuerySet.as_manager()

    class Meta:
        permissions = [
            ("curate_pattern", "Can dismiss patterns and draft from them"),
            ("mine_now", "Can start mining by hand"),
        ]
        constraints = [
            models.UniqueConstraint(
                "agent", "kind", "signature", name="pattern_signature_unique", condition=~Q(signature="")
            ),
        ]
        indexes = [
            models.Index(fields=["agent", "kind"], name="pattern_by_agent_and_kind"),
            models.Index(fields=["status", "-last_seen"], name="pattern_by_status"),
            models.Index(fields=["draft_due_at"], name="pattern_draft_due", condition=Q(draft_due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.label or f"{self.get_kind_display()} {self.pk}"

    @property
    def span_days(self) -> int | None:
        """Over how many calendar days, in UTC, its reports came; None before the first."""
        if self.first_seen is None or self.last_seen is None:
            return None
        return (self.last_seen.date() - self.first_seen.date()).days + 1


class Evidence(models.Model):
    """One report that belongs to one pattern. `source` and `at` are the report's, copied for counting."""

    pattern = models.ForeignKey(Pattern, on_delete=models.PROTECT, related_name="evidence")
    feedback = models.ForeignKey(Feedback, on_delete=models.PROTECT, null=True, related_name="evidence")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="evidence")
    source = models.BinaryField(max_length=16)
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "evidence"
        constraints = [
            models.CheckConstraint(
                condition=Q(feedback__isnull=False, run=None) | Q(feedback=None, run__isnull=False),
                name="evidence_is_feedback_or_run",
            ),
            models.UniqueConstraint("pattern", "feedback", name="evidence_feedback_once_per_pattern"),
            models.UniqueConstraint("pattern", "run", name="evidence_run_once_per_pattern"),
        ]
        indexes = [models.Index(fields=["pattern", "-at"], name="evidence_by_pattern_and_time")]

    def __str__(self) -> str:
        return f"evidence {self.pk} of pattern {self.pattern_id}"

    @property
    def report(self) -> Feedback | Run:
        """The one of the two that is set."""
        report = self.feedback or self.run
        if report is None:  # the constraint says this cannot be
            raise ValueError(f"{self} points at nothing")
        return report


class PatternSource(models.Model):
    """How many items one source gave to one pattern: a rollup, so that sources need no counting."""

    pattern = models.ForeignKey(Pattern, on_delete=models.CASCADE, related_name="source_counts", db_index=False)
    source = models.BinaryField(max_length=16)
    items = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint("pattern", "source", name="pattern_source_once")]
        indexes = [models.Index(fields=["pattern", "-items"], name="pattern_source_loudest")]

    def __str__(self) -> str:
        return f"{self.items} of pattern {self.pattern_id}"


class PatternDay(models.Model):
    """How many items one pattern got on one day (UTC): the trend, rolled up."""

    pattern = models.ForeignKey(Pattern, on_delete=models.CASCADE, related_name="days", db_index=False)
    day = models.DateField()
    items = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint("pattern", "day", name="pattern_day_once")]

    def __str__(self) -> str:
        return f"{self.items} on {self.day}"
