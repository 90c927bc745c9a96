"""give_agent AGENT --team NAME | --everybody"""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from agents.management.lookup import agent_named
from agents.teams import CannotGive, give_to_team
from audit.record import COMMAND_LINE
from people.management.lookup import team_named


class Command(BaseCommand):
    help = "Makes an agent a team's, whose members alone see it and decide on it then, or everybody's."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("agent", metavar="AGENT")
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--team", metavar="NAME", default="")
        whose.add_argument("--everybody", action="store_true")

    def handle(self, *, agent: str, team: str, **options: object) -> None:
        found, to = agent_named(agent), team_named(team) if team else None
        try:
            done = give_to_team(found.pk, to.pk if to else None, actor=COMMAND_LINE)
        except CannotGive as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"{found} is {f'the team {to}’s' if to else 'everybody’s'}{'' if done else ', as before'}.")
