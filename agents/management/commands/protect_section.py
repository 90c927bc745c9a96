"""protect_section AGENT DOCUMENT HEADING [--owner USERNAME …] [--team NAME …]"""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from agents.management.lookup import document_named
from agents.protection import CannotProtect, protect
from audit.record import COMMAND_LINE
from people.management.lookup import person_named, team_named


class Command(BaseCommand):
    help = "Protects a section: machines leave it alone, people need two approvals, one an owner's."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("agent", metavar="AGENT")
        parser.add_argument("document", metavar="DOCUMENT")
        parser.add_argument("heading", metavar="HEADING", help="as it stands in the current text, without the #")
        parser.add_argument(
            "--owner", action="append", default=[], metavar="USERNAME", help="may be given several times"
        )
        parser.add_argument(
            "--team",
            action="append",
            default=[],
            metavar="NAME",
            help="each member is an owner; may be given several times",
        )

    def handle(
        self, *, agent: str, document: str, heading: str, owner: list[str], team: list[str], **options: object
    ) -> None:
        owners, teams = [person_named(username) for username in owner], [team_named(name) for name in team]
        try:
            section = protect(document_named(agent, document), heading, owners=owners, teams=teams, actor=COMMAND_LINE)
        except CannotProtect as refusal:
            raise CommandError(str(refusal)) from None
        named = dict.fromkeys([*owner, *(f"team {one}" for one in teams)])
        self.stdout.write(f"{section} is protected; owned by {', '.join(named)}.")
