"""taint PREFIX: what rests on the reports of an API key."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.models import ApiKey
from feedback.models import Quarantine
from proposals.grounds.taint import Shaken, resting_on

AT_ONCE = 200


class Command(BaseCommand):
    help = (
        "List what is open or live and has evidence from an API key; what may fall below the sources it takes is first."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prefix", metavar="PREFIX", help="the public part, between the two underscores")

    def handle(self, *args: Any, **options: Any) -> None:
        key = ApiKey.objects.filter(prefix=options["prefix"]).first()
        if key is None:
            raise CommandError(f"There is no key “{options['prefix']}”.")
        quarantine, page = Quarantine.objects.in_force().filter(key=key).first(), None
        while page is None or page.next is not None:
            page = resting_on(key, quarantine, before=page.next if page else None, limit=AT_ONCE)
            self._print(page.rows)

    def _print(self, rows: Sequence[Shaken]) -> None:
        for one in rows:
            what = f"version {one.number}" if one.number else one.proposal.get_status_display().lower()
            counts = f"{one.left} of {one.sources} sources left, {one.least} needed"
            mark = "falls" if one.falls else "stands"
            where = f"{one.proposal.document.agent.slug}/{one.proposal.document.slug}"
            self.stdout.write(f"{mark}\t{one.proposal.pk}\t{where}\t{what}\t{counts}\t{one.proposal.title}")
