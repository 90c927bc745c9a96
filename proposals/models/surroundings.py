"""What stands around a change: the rest of the text, and what people were content with."""

from django.db import models

from feedback.models import Feedback
from proposals.checking.pile import Finding, Size
from proposals.models.proposal import Revision


class Surroundings(models.Model):
    """The size of the text before and after a revision, and what its new rules repeat or contradict.

    Computed with the revision, never in a request. `findings` has the shape of `proposals.checking.pile.Finding`.
    """

    revision = models.OneToOneField(Revision, on_delete=models.PROTECT, related_name="surroundings")
    words_before = models.PositiveIntegerField()
    words_after = models.PositiveIntegerField()
    tokens_before = models.PositiveIntegerField()
    tokens_after = models.PositiveIntegerField()
    rules_before = models.PositiveIntegerField()
    rules_after = models.PositiveIntegerField()
    findings = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"surroundings of {self.revision}"

    @property
    def before(self) -> Size:
        return Size(self.words_before, self.tokens_before, self.rules_before)

    @property
    def after(self) -> Size:
        return Size(self.words_after, self.tokens_after, self.rules_after)

    @property
    def found(self) -> list[Finding]:
        """The findings, in the order found."""
        return [Finding.from_json(stored) for stored in self.findings]


class CounterExample(models.Model):
    """Praise that speaks of what a revision changes, and that the change might harm. `likeness` is 0 to 1."""

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="counter_examples")
    feedback = models.ForeignKey(Feedback, on_delete=models.PROTECT, related_name="+", db_index=False)
    likeness = models.FloatField()

    class Meta:
        ordering = ["-likeness", "pk"]
        constraints = [models.UniqueConstraint("revision", "feedback", name="counter_example_once_per_revision")]

    def __str__(self) -> str:
        return f"{self.feedback} against {self.revision}"
