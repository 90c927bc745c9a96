"""Documents that many small changes born of feedback add up in."""

from django.db import models
from django.db.models import Q

from agents.models import Document
from audit.numbers import counted, percent


class DriftQuerySet(models.QuerySet["Drift"]):
    """Reads that speak."""

    def now(self) -> "DriftQuerySet":
        """Those that hold at present."""
        return self.filter(ended_at=None)


class Drift(models.Model):
    """From `since` until `ended_at` the document drifted: see `proposals.actions.drifting` for when it does.

    `changes` so many, `words` that they brought and took together, of `of` that the text has.
    """

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="drifts")
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    changes = models.PositiveIntegerField()
    words = models.PositiveIntegerField()
    of = models.PositiveIntegerField()

    objects = DriftQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("document", name="drift_one_of_a_document_at_a_time", condition=Q(ended_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.document} drifts"

    @classmethod
    def at_present(cls, document_id: int) -> "Drift | None":
        """The one of this document that holds at present. One query."""
        return cls.objects.now().select_related("document__agent").filter(document=document_id).first()

    @property
    def in_words(self) -> str:
        """“4 changes born of feedback in 14 days, together as many words as 31 % of it”"""
        share = percent(self.words / (self.of or 1))
        return f"{counted(self.changes, 'change')} born of feedback in 14 days, together as many words as {share} of it"
