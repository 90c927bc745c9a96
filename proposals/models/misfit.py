"""What could not be moved onto a version, so that it is not tried again and again."""

from django.db import models

from agents.models import Version
from proposals.models.proposal import Revision


class Misfit(models.Model):
    """A revision whose change meets another in `version`, the last one it was tried on. Only people can settle that."""

    revision = models.OneToOneField(Revision, on_delete=models.PROTECT, related_name="misfit")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+", db_index=False)

    def __str__(self) -> str:
        return f"{self.revision} does not fit {self.version}"
