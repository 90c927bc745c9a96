"""What the running program notes about itself."""

from django.db import models
from django.db.models.functions import Now

from audit.numbers import counted


class Retention(models.Model):
    """How many days one kind of record is kept; without a number, for good. See `reviewapp.retention`."""

    class Kind(models.TextChoices):
        FEEDBACK = "feedback", "Words of feedback"
        RUNS = "runs", "Words of runs"
        SINGLE = "single", "Single runs"
        HOURS = "hours", "Sums by hour"
        SEEN = "seen", "Reading marks"
        NOTICES = "notices", "Notices"

    kind = models.CharField(max_length=10, choices=Kind, unique=True)
    days = models.PositiveSmallIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {counted(self.days, 'day') if self.days else 'for good'}"


class Heartbeat(models.Model):
    """The last sign of life of the worker and of the scheduler, by the database's clock."""

    class Process(models.TextChoices):
        WORKER = "worker", "worker"
        SCHEDULER = "scheduler", "scheduler"

    process = models.CharField(max_length=16, choices=Process, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.process} at {self.at:%H:%M:%S}"

    @classmethod
    def beat(cls, process: Process) -> None:
        """Note that this process is alive now."""
        cls.objects.update_or_create(process=process, defaults={"at": Now()})
