"""From when on hours are counted again: what lies before is final, so the rows it was counted from may go.

A late report of a final hour, or one that is withdrawn, is kept as any other but changes no sum any more.
"""

from datetime import UTC, datetime

from django.db import transaction

from feedback.actions.rollups import FINAL, RUN_HOURS, count_runs, final_until
from feedback.models import Mark, RecountDue


def make_final(before: datetime) -> datetime:
    """Count what is due, and no hour of a day (UTC) that began before this one again; from when on hours are counted.

    That is an earlier day where hours before it still wait to be counted, and never one earlier than before.
    """
    count_runs()
    day = before.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with transaction.atomic():
        Mark.objects.get_or_create(work=RUN_HOURS)
        Mark.objects.select_for_update().get(work=RUN_HOURS)  # nobody counts meanwhile
        until = final_until()
        if day <= until or RecountDue.objects.filter(hour__lt=day, hour__gte=until).exists():
            return min(day, until)
        Mark.objects.update_or_create(work=FINAL, defaults={"upto": int(day.timestamp())})
    return day
