"""quarantine_key PREFIX --reason WHY [--since TIME] [--until TIME] [--revoke] | --lift"""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.models import ApiKey
from agents.times import parse_time
from audit.record import COMMAND_LINE
from feedback.actions import quarantine
from feedback.exceptions import QuarantineError


class Command(BaseCommand):
    help = (
        "Have the reports that came in with an API key count no more, or, with --lift, count again; recounts at once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prefix", metavar="PREFIX", help="the public part, between the two underscores")
        parser.add_argument("--reason", default="", help="why; it stays on the log")
        parser.add_argument("--since", type=_time, metavar="TIME", help="came in from then on (2026-05-03T10:42:00Z)")
        parser.add_argument("--until", type=_time, metavar="TIME", help="came in before; else also what still comes")
        parser.add_argument("--revoke", action="store_true", help="end the key in the same moment")
        parser.add_argument("--lift", action="store_true", help="count them again")

    def handle(self, *args: Any, **options: Any) -> None:
        prefix = options["prefix"]
        try:
            if options["lift"]:
                found = quarantine.lift(prefix, actor=COMMAND_LINE)
            else:
                wish = {name: options[name] for name in ("reason", "since", "until", "revoke")}
                found = quarantine.quarantine(prefix, actor=COMMAND_LINE, **wish)
        except ApiKey.DoesNotExist:
            raise CommandError(f"There is no key “{prefix}”.") from None
        except QuarantineError as refusal:
            raise CommandError(str(refusal)) from None
        before = (found.feedback, found.runs)
        quarantine.settle(found.pk, tell=self._progress)
        found.refresh_from_db()
        feedback, runs = before if options["lift"] else (found.feedback, found.runs)
        what = "again" if options["lift"] else "no more"
        self.stdout.write(f"{feedback} reports and {runs} runs of {prefix} count {what}.")

    def _progress(self, looked: int, of: int) -> None:
        if of > 1:
            self.stderr.write(f"{100 * looked // of} % of the reports looked at")


def _time(written: str) -> datetime:
    try:
        return parse_time(written)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
