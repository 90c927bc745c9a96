"""Brings the database and the static files up to date."""

import hashlib
import os
import sys
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from agents.models import Agent
from people.signin import one_time_link
from reviewapp import rights

_UNUSED: Final = ["account/*", "mfa/*", "admin/css/vendor/*", "admin/js/vendor/*"]
"""Of allauth, whose pages are not mounted, and of Django's admin, in which nothing is edited."""


class Command(BaseCommand):
    help = "Migrate the database and collect the static files: run it before starting or updating any other process."
    requires_system_checks = []  # a deployment runs `check --deploy`; every start need not

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--static-only", action="store_true", help="only collect the static files; needs no database"
        )
        parser.add_argument("--demo", action="store_true", help="load the sample data if there is no agent yet")
        parser.add_argument("--sign-in-link", metavar="URL", help="print a one-time sign-in link for this address")

    def handle(self, *args: Any, **options: Any) -> None:
        collect_static()
        if options["static_only"]:
            return
        call_command("migrate", interactive=False, verbosity=options["verbosity"], stdout=sys.stderr)
        if settings.COUNTERSIGN_DATABASE_ROLE:
            give_rights(settings.COUNTERSIGN_DATABASE_ROLE)
        if options["demo"] and not Agent.objects.exists():
            load_sample_data()
        if options["sign_in_link"]:
            self.stdout.write(one_time_link(options["sign_in_link"]))


def give_rights(role: str) -> None:
    """As `rights.give`; ends the command where that cannot be done."""
    try:
        rights.give(role)
    except rights.CannotGive as error:
        raise CommandError(str(error)) from None


def load_sample_data() -> None:
    """Load all of the sample data or, when killed half-way, none; remember that this board is a demonstration."""
    with transaction.atomic():
        call_command("load_sample_data", stdout=sys.stderr)
    settings.DATA_DIR.joinpath("demo").touch()


def collect_static() -> None:
    """Collect the static files into STATIC_ROOT when they differ from what was collected last."""
    note = Path(settings.STATIC_ROOT, ".collected")
    now = _fingerprint()
    if note.exists() and note.read_text() == now:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0, ignore_patterns=_UNUSED)
    note.write_text(now)


def _fingerprint() -> str:
    """A digest of the name, size and time of every source file, and of what makes of them what is sent."""
    digest = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            state = os.stat(storage.path(name))
            digest.update(f"{storage.path(name)}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()
