"""What machines and people say of a revision."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from proposals.models.proposal import Proposal, Revision


class Check(models.Model):
    """One machine verdict on a revision. A check that could not run says so; it never counts as passed."""

    class Verdict(models.TextChoices):
        PASS = "pass", "Passed"
        WARN = "warn", "Look at this"
        FAIL = "fail", "Blocks approval"
        SKIPPED = "skipped", "Skipped"

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="checks")
    name = models.CharField(max_length=40)
    verdict = models.CharField(max_length=7, choices=Verdict)
    message = models.TextField()
    asks = models.BooleanField(default=False, help_text="Whoever approves says why what was found may stand.")

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint("revision", "name", name="check_once_per_revision")]

    def __str__(self) -> str:
        return f"{self.name}: {self.verdict}"


class Decision(models.Model):
    """One person's word on one revision; append-only, the database refuses changes."""

    class Verdict(models.TextChoices):
        APPROVE = "approve", "approved"
        REQUEST_CHANGES = "request_changes", "requested changes"
        REJECT = "reject", "rejected"

    class Reason(models.TextChoices):
        NOT_A_PROBLEM = "not_a_problem", "Not a problem"
        WRONG_FIX = "wrong_fix", "The wrong fix for it"
        WRONG_PLACE = "wrong_place", "Belongs elsewhere"
        TOO_RISKY = "too_risky", "Too risky"
        DUPLICATE = "duplicate", "Already covered"
        OTHER = "other", "Another reason"

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="decisions")
    digest = models.CharField(max_length=64)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="decisions")
    verdict = models.CharField(max_length=15, choices=Verdict)
    reason = models.CharField(max_length=13, choices=Reason, blank=True)
    note = models.TextField(blank=True)
    answers = models.JSONField(default=dict, help_text="Why what a check found may stand, by the name of the check.")
    single_operator = models.BooleanField(
        default=False,
        help_text="Four eyes or the policy would have asked for more; the single-operator setting did not.",
    )
    seen_at = models.DateTimeField(null=True, help_text="When its actor first opened the revision they approved.")
    evidence_opened_at = models.DateTimeField(null=True, help_text="When its actor first opened the evidence.")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                "revision", "actor", name="decision_one_approval_each", condition=Q(verdict="approve")
            ),
            models.CheckConstraint(
                condition=~Q(verdict="reject") | (~Q(reason="") & ~Q(note="")),
                name="decision_needs_reason_when_rejecting",
            ),
            models.CheckConstraint(
                condition=~Q(verdict="request_changes") | ~Q(note=""), name="decision_needs_note_when_asking"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.get_verdict_display()} {self.revision}"

    @property
    def seconds(self) -> int | None:
        """From first opening the revision to the decision, in whole seconds; None where that was not kept."""
        return max(0, round((self.at - self.seen_at).total_seconds())) if self.seen_at else None

    @property
    def attention(self) -> dict[str, object]:
        """As the log keeps it: how long the revision was before them, and when they opened the evidence."""
        opened = self.evidence_opened_at
        known = {"seconds": self.seconds, "evidence_opened": opened and opened.isoformat(timespec="seconds")}
        return {name: value for name, value in known.items() if value is not None}

    @property
    def answered(self) -> list[tuple[str, str]]:
        """What the checks found, by name, and why it may stand."""
        return sorted(self.answers.items())

    @property
    def proposal(self) -> Proposal:
        return self.revision.proposal
