"""Check the whole log."""

from typing import Any

from django.core.management.base import BaseCommand

from audit.verify import verify


class Command(BaseCommand):
    help = "Walk the audit log from its first entry; exit 0 and print the head, or 1 and name the first bad entry."

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = verify()
        if verdict.fault:
            self.stderr.write(f"Entry {verdict.fault.sequence} is bad: {verdict.fault.problem}.")
            self.stderr.write(f"The {verdict.entries} entries before it are sound.")
            raise SystemExit(1)
        self.stdout.write(f"{verdict.entries} entries are sound. Head: {verdict.entries} {verdict.head.hex()}")
