"""How many runs an agent had, rolled up, so that rates need no counting."""

from django.db import models

from agents.models import Agent


class RunDay(models.Model):
    """The runs of one agent on one day (UTC), counted anew whenever some of that day came in."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="run_days", db_index=False)
    day = models.DateField()
    runs = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint("agent", "day", name="run_day_once")]

    def __str__(self) -> str:
        return f"{self.runs} runs on {self.day}"


class Mark(models.Model):
    """How far into a table of reports some work has got: everything up to this key was seen. One row per work."""

    work = models.CharField(max_length=20, unique=True)
    upto = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.work} up to {self.upto}"
