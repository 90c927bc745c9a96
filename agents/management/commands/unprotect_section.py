"""unprotect_section AGENT DOCUMENT HEADING"""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from agents.management.lookup import document_named
from agents.models import Section
from agents.protection import unprotect
from audit.record import COMMAND_LINE


class Command(BaseCommand):
    help = "Makes a protected section one like any other."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("agent", metavar="AGENT")
        parser.add_argument("document", metavar="DOCUMENT")
        parser.add_argument("heading", metavar="HEADING", help="as it was when it was protected")

    def handle(self, *, agent: str, document: str, heading: str, **options: object) -> None:
        found = document_named(agent, document)
        try:
            lifted = unprotect(found, heading, actor=COMMAND_LINE)
        except Section.DoesNotExist:
            protected = ", ".join(found.sections.filter(is_protected=True).values_list("heading", flat=True))
            raise CommandError(f"“{heading}” was never protected. Protected are: {protected or 'none'}.") from None
        self.stdout.write(f"{heading} is no longer protected." if lifted else f"{heading} was not protected.")
