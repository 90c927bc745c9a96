"""What changed from one revision to a later one."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from proposals.models.proposal import Revision


class Step(models.Model):
    """The difference from the text of `before` to that of `after`, with the lines marked that were in the sections
    `protected`. Its shape is that of `proposals.diffs`.
    """

    before = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+", db_index=False)
    after = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="steps")
    protected = ArrayField(models.TextField())
    diff = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint("before", "after", name="step_once_per_pair")]

    def __str__(self) -> str:
        return f"{self.before} to {self.after}"
