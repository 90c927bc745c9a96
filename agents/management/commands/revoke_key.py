"""revoke_key PREFIX"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents import keys
from agents.models import ApiKey
from audit.record import COMMAND_LINE


class Command(BaseCommand):
    help = "End an API key for good. Running servers refuse it within a second."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prefix", metavar="PREFIX", help="the public part, between the two underscores")

    def handle(self, *args: Any, **options: Any) -> None:
        prefix = options["prefix"]
        try:
            revoked = keys.revoke(prefix, actor=COMMAND_LINE)
        except ApiKey.DoesNotExist:
            raise CommandError(f"There is no key “{prefix}”.") from None
        self.stdout.write(f"Key {prefix} is revoked." if revoked else f"Key {prefix} was revoked before.")
