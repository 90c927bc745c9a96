"""Says whether a process of the board has given a sign of life, for container health checks."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from reviewapp import health
from reviewapp.models import Heartbeat


class Command(BaseCommand):
    help = "Exit 0 if the worker or the scheduler has given a sign of life lately, else 1 and one sentence."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("process", choices=Heartbeat.Process.values)

    def handle(self, *args: Any, **options: Any) -> None:
        silent = [line for line in health.degraded() if line.startswith(f"The {options['process']} ")]
        for sentence in silent:
            self.stderr.write(sentence)
        sys.exit(1 if silent else 0)
