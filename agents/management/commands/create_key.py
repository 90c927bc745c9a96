"""create_key AGENT|--all --scope ingest --scope read …"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents import keys
from agents.management.lookup import agent_named
from agents.models import ApiKey
from agents.networks import parse_networks
from audit.record import COMMAND_LINE
from people.management.lookup import person_named
from people.signin import first_admin

_BY_DEFAULT = ", the first admin. Choose with --owner: nobody approves what their own keys propose or mostly report"

ON_PROBATION = (
    "Its owner is new where others report already, so what it reports carries no pattern by itself at first: it is on "
    "probation. --probation-days 0 makes one that is not."
)


class Command(BaseCommand):
    help = "Make an API key and print it, once, as the only line on standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("agent", nargs="?", metavar="AGENT", help="the slug of the agent the key is bound to")
        parser.add_argument("--all", action="store_true", help="a key for every agent")
        parser.add_argument(
            "--scope", action="append", required=True, choices=ApiKey.Scope.values, help="may be given several times"
        )
        parser.add_argument(
            "--owner", metavar="USERNAME", help="whose voice its reports count as; the first admin if not given"
        )
        parser.add_argument("--label", default="", help="what it is for, as shown in lists and in the log")
        parser.add_argument(
            "--from", dest="networks", default="", metavar="NETWORKS", help="where it may be used from, with commas"
        )
        parser.add_argument("--calls-a-minute", type=int, metavar="NUMBER", help="0 for no limit; else the board's")
        parser.add_argument("--calls-a-day", type=int, metavar="NUMBER", help="in the same way")
        parser.add_argument("--probation-days", type=int, metavar="DAYS", help="0 for none; else the usual one")
        parser.add_argument("--probation-reports", type=int, metavar="NUMBER", help="in the same way")
        parser.add_argument("--expires-days", type=int, default=keys.DEFAULT_DAYS, metavar="DAYS")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["agent"]) == options["all"]:
            raise CommandError("Name one agent, or say --all.")
        owner = person_named(options["owner"]) if options["owner"] else first_admin()
        try:
            rules = keys.Rules(parse_networks(options["networks"]), options["calls_a_minute"], options["calls_a_day"])
            key, token = keys.create(
                agent_named(options["agent"]) if options["agent"] else None,
                options["scope"],
                actor=COMMAND_LINE,
                label=options["label"],
                owner=owner,
                days=options["expires_days"],
                rules=rules,
                probation=_probation(options["probation_days"], options["probation_reports"]),
            )
        except ValueError as error:
            raise CommandError(str(error)) from None
        until = f"{key.expires_at:%Y-%m-%d}" if key.expires_at else "for good"
        self.stderr.write(
            f"Key {key.prefix} ({', '.join(key.scopes)}), valid until {until}. It is shown only this once."
        )
        self.stderr.write(f"It belongs to {owner.username}{'' if options['owner'] else _BY_DEFAULT}.")
        if key.probation_until:
            self.stderr.write(ON_PROBATION)
        self.stdout.write(token)


def _probation(days: int | None, reports: int | None) -> keys.Probation | None:
    """What was asked for; None for the usual one. Raises ValueError."""
    found = keys.Probation.wished(days, reports)
    if found and not (0 <= found.days <= keys.LONGEST_PROBATION and 0 <= found.reports <= keys.MOST_CALLS):
        raise ValueError(f"A probation lasts 0 to {keys.LONGEST_PROBATION} days, and 0 reports or more.")
    return found
