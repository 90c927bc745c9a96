"""rotate_key PREFIX [--overlap-hours N]"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.models import ApiKey
from agents.rotation import OVERLAP_H, rotate
from audit.record import COMMAND_LINE


class Command(BaseCommand):
    help = "Replace an API key, and print the new one, once, as the only line on standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prefix", metavar="PREFIX", help="the public part, between the two underscores")
        parser.add_argument(
            "--overlap-hours",
            type=int,
            default=OVERLAP_H,
            metavar="HOURS",
            help="how long the old one works on; 0 ends it",
        )
        parser.add_argument(
            "--expires-days", type=int, metavar="DAYS", help="the life of the new one; else as the old one's"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        prefix = options["prefix"]
        try:
            key, token = rotate(
                prefix, actor=COMMAND_LINE, overlap_h=options["overlap_hours"], days=options["expires_days"]
            )
        except ApiKey.DoesNotExist:
            raise CommandError(f"There is no key “{prefix}”.") from None
        except ValueError as refusal:
            raise CommandError(str(refusal)) from None
        old = ApiKey.objects.get(prefix=prefix)
        self.stderr.write(f"Key {key.prefix} replaces {prefix}, which works until {old.expires_at:%Y-%m-%d %H:%M} UTC.")
        self.stdout.write(token)
