"""What was counted: sums over hours and days, so that nothing that is shown needs to count what ever happened."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from agents.models import Agent


class Tally(models.Model):
    """The runs of one agent in one hour or day (UTC), whole or in one place, and the feedback given in that time.

    Of each kind but `ALL` only the MOST names with most runs and feedback have a row of their own; what else there was
    stands together in one row with `is_rest`. `name` is a document, a task or a tool, "" where none was named;
    `version` is 0 where none was, and for every kind but `VERSION`. `steps` and `counts` are a `Sketch` of latencies.
    """

    MOST = 20

    class Kind(models.TextChoices):
        ALL = "all", "Everything"
        VERSION = "version", "Version"
        TASK = "task", "Task"
        TOOL = "tool", "Tool"

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=7, choices=Kind)
    name = models.CharField(max_length=200)
    version = models.PositiveIntegerField()
    is_rest = models.BooleanField()
    runs = models.PositiveBigIntegerField()
    successes = models.PositiveBigIntegerField()
    rated = models.PositiveBigIntegerField()
    quality_sum = models.FloatField()
    priced = models.PositiveBigIntegerField()
    cost_sum = models.FloatField()
    reports = models.PositiveBigIntegerField()
    positive = models.PositiveBigIntegerField()
    negative = models.PositiveBigIntegerField()
    steps = ArrayField(models.SmallIntegerField())
    counts = ArrayField(models.PositiveBigIntegerField())

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.runs} runs"


class TallyHour(Tally):
    """One hour, counted anew from runs and feedback whenever any of it changed."""

    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint("agent", "kind", "at", "name", "version", "is_rest", name="tally_hour_once")
        ]


class TallyDay(Tally):
    """One day (UTC), added up from its hours whenever one of them changed."""

    at = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint("agent", "kind", "at", "name", "version", "is_rest", name="tally_day_once")
        ]


class RecountDue(models.Model):
    """An hour of an agent that has to be counted anew, since something in it came, went or was excluded.

    Rows are only added and removed, never changed: whoever adds one waits for nobody.
    """

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+", db_index=False)
    hour = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["agent", "hour"], name="recount_due_by_hour")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}:00"


class Mark(models.Model):
    """How far into a table of reports some work has got: everything up to `upto` was seen. One row per work.

    `next_upto` is where it will move as soon as no transaction older than `fence` is open any more, and `fenced_at`
    is when that was noted.
    """

    work = models.CharField(max_length=20, unique=True)
    upto = models.BigIntegerField(default=0)
    next_upto = models.BigIntegerField(default=0)
    fence = models.BigIntegerField(null=True)
    fenced_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.work} up to {self.upto}"
