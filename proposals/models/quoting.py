"""Which agents' drafts may quote what people corrected."""

from django.db import models
from django.db.models import Q

from agents.models import Agent

LEAST = 2
MOST = 100


class Quoting(models.Model):
    """Drafts for this agent may quote a correction that at least `sources` distinct sources made in the same words.

    Without a row they quote nothing.
    """

    agent = models.OneToOneField(Agent, on_delete=models.PROTECT, related_name="quoting")
    sources = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name_plural = "quoting"
        constraints = [
            models.CheckConstraint(condition=Q(sources__gte=LEAST, sources__lte=MOST), name="quoting_takes_several"),
        ]

    def __str__(self) -> str:
        return str(self.agent)
