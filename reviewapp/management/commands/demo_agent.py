"""An agent to try rollouts with: start it, approve what it proposes, and watch the pages."""

import os
import time
from dataclasses import replace
from random import Random
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from people.signin import first_admin
from reviewapp.demo import setting
from reviewapp.demo.agent import DemoAgent, Refused
from reviewapp.demo.behaviour import SCENARIOS
from reviewapp.demo.calling import Calls, CannotReach
from reviewapp.supervise import StopRequested, stop_on_signals

PULSE_S: Final = 2.0
SAY_EVERY_S: Final = 20.0


class Command(BaseCommand):
    help = (
        "Run an agent that proposes a change, works and reports over REST until its rollout has ended. "
        "Without COUNTERSIGN_KEY it makes the agent “demo” with a plan of minutes, and lends itself a key."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "behaviour",
            choices=list(SCENARIOS),
            help="its change makes it better, worse or unsafe, or it has too few runs to tell",
        )
        parser.add_argument("--address", help="the board (COUNTERSIGN_ADDRESS)")
        parser.add_argument("--agent", default=setting.SLUG, help="with a key of your own: the agent it works as")
        parser.add_argument("--document", help="the document it proposes a change of (named as the behaviour)")
        parser.add_argument("--runs-a-minute", type=float, help="how busy it is")
        parser.add_argument("--minutes", type=float, default=60.0, help="when to stop at the latest (60)")

    def handle(self, *args: Any, **options: Any) -> None:
        stop_on_signals()
        try:
            self._with_key(options)
        except StopRequested:
            self._say("Stopped.")
        except (CannotReach, Refused) as error:
            raise CommandError(str(error)) from None

    def _with_key(self, options: dict[str, Any]) -> None:
        own = os.environ.get("COUNTERSIGN_KEY")
        document = options["document"] or options["behaviour"]
        if own:
            return self._run(options, own, options["agent"], document)
        admin = first_admin()
        setting.prepare(document, user=admin)
        with setting.lent_key(owner=admin) as key:
            return self._run(options, key, setting.SLUG, document)

    def _run(self, options: dict[str, Any], key: str, agent: str, document: str) -> None:
        scenario = SCENARIOS[options["behaviour"]]
        if options["runs_a_minute"]:
            scenario = replace(scenario, runs_a_minute=options["runs_a_minute"])
        calls = Calls((options["address"] or settings.COUNTERSIGN_ADDRESS).rstrip("/"), key)
        try:
            demo = DemoAgent(agent, document, scenario, calls, self._say, Random())  # noqa: S311
            demo.propose()
            self._work(demo, time.monotonic() + options["minutes"] * 60)
        finally:
            calls.close()

    def _work(self, demo: DemoAgent, until: float) -> None:
        """As many runs as its pace makes due, in pulses; those it is late with are left out, as nobody asked then."""
        owed, last, said_at = 0.0, time.monotonic(), time.monotonic()
        while demo.look() and time.monotonic() < until:
            time.sleep(PULSE_S)
            now = time.monotonic()
            owed, last = owed + (now - last) * demo.scenario.runs_a_minute / 60, now
            demo.work(min(int(owed), int(demo.scenario.runs_a_minute / 6) + 1))
            owed -= int(owed)
            if now - said_at > SAY_EVERY_S:
                said_at = now
                self._say(demo.in_words())
        self._say(demo.in_words())

    def _say(self, line: str) -> None:
        self.stdout.write(f"{time.strftime('%H:%M:%S', time.gmtime())} {line}")
        self.stdout.flush()
