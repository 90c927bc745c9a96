"""What somebody asked to have erased."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Erasure(models.Model):
    """A wish to erase what came from one end user or unit. The row is the outbox: a worker carries it out.

    `subject` is the keyed hash of the name, as reports have it, and goes with the rest. What came in before it is
    carried out is erased; what comes in later under the same name is stored again.
    """

    subject = models.BinaryField(max_length=16, null=True)
    asked_by = models.CharField(max_length=200)
    asked_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True)
    feedback = models.PositiveIntegerField(default=0)
    runs = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-pk"]
        permissions = [("erase_subject", "Can erase what came from one end user")]
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at=None, subject__isnull=False) | Q(done_at__isnull=False, subject=None),
                name="erasure_forgets_whom_when_done",
            ),
        ]
        indexes = [models.Index(fields=["id"], name="erasure_waiting", condition=Q(done_at=None))]

    def __str__(self) -> str:
        return f"erasure {self.pk}"
