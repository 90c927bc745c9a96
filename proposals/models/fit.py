"""How a change fits a version that came after it was written."""

from collections.abc import Sequence

from django.db import models

from agents.models import Version
from proposals.diffs.merging import Conflict
from proposals.models.proposal import Revision


class Fit(models.Model):
    """What came of merging a revision with `version`, the last one it was merged with.

    The texts of neither ever change, so it holds for as long as that version is the one asked about. `conflicts` has
    the shape of `proposals.diffs.merging.Conflict`; `applies` says that there is none, and that something is left to
    change.
    """

    revision = models.OneToOneField(Revision, on_delete=models.PROTECT, related_name="fit")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+", db_index=False)
    applies = models.BooleanField()
    conflicts = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.revision} on {self.version}"

    @property
    def met(self) -> Sequence[Conflict]:
        """The places that both changed, in order."""
        return [Conflict(**stored) for stored in self.conflicts]
