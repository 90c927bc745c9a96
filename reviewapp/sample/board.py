"""The board on which the story is told: its people, its agents, and the machine's part of the work."""

from collections.abc import Callable
from datetime import datetime, timedelta
from math import inf
from pathlib import Path
from random import Random
from typing import Final

from agents import keys
from agents.models import Agent, Document, Section
from agents.profiles import set_traffic
from agents.protection import protect
from agents.versions import create_agent, create_document
from audit.record import COMMAND_LINE, Actor
from feedback.actions.mining import mine
from feedback.actions.rollups import count_runs
from feedback.actions.weighing import note_rising
from people.models import User
from people.roles import Role
from people.signin import create_person, first_admin
from proposals.actions.drafting import draft_all_due
from proposals.actions.following import follow
from proposals.actions.source_rules import set_rule
from proposals.actions.watching import watch, watched
from proposals.models import Proposal
from proposals.rules.backing import Rule
from reviewapp.sample import plan
from reviewapp.sample.clock import Clock
from reviewapp.sample.runs import Runs
from reviewapp.sample.traffic import Traffic
from reviewapp.sample.voices import HERE, Voices

CAST: Final = (
    ("mara", "Mara Okafor", Role.REVIEWER),
    ("jonas", "Jonas Weber", Role.REVIEWER),
    ("aiko", "Aiko Tanaka", Role.OPERATOR),
    ("luis", "Luis Romero", Role.AUDITOR),
)

LOOKS_EVERY: Final = timedelta(hours=4)
"""Between looks at a rollout, of which a real board has one every ten seconds."""
Progress = Callable[[int], object]


class Board:
    """Where the story stands. Made at the beginning of the story, by the clock."""

    def __init__(self, clock: Clock, now: datetime, seed: int, progress: Progress) -> None:
        self.clock, self.now, self._seed, self._progress = clock, now, seed, progress
        self.admin = first_admin()
        self.people = {name: create_person(name, name=full, roles=[role]) for name, full, role in CAST}
        clock.move_to(clock.now + timedelta(minutes=24))
        self.support, self.coding = self._support(), self._coding()
        for agent in (self.support, self.coding):
            # Few of those who use them say anything, so the runs a day promise more reports than there are.
            set_traffic(agent.pk, user=self.people["aiko"], reports=3, window_h=7 * 24)
            # One service reports for each, and knows its users.
            set_rule(agent.pk, user=self.admin, rule=Rule(sources=3, share=40, days=1, per="user"))
        self.traffic = {
            name: self._traffic(name, agent) for name, agent in (("support", self.support), ("coding", self.coding))
        }

    def _support(self) -> Agent:
        actor = Actor.person(self.admin)
        agent = create_agent("support", name="Support agent", actor=actor)
        prompt = create_document(
            agent, "system-prompt", text=_text("support/system-prompt.md"), name="System prompt", actor=actor
        )
        settings = _text("support/settings.json")
        create_document(agent, "settings", text=settings, kind=Document.Kind.CONFIG, actor=actor)
        self._protect(prompt, "mara")
        return agent

    def _coding(self) -> Agent:
        actor = Actor.person(self.admin)
        agent = create_agent("coding", name="Coding agent", actor=actor)
        rules = create_document(
            agent, "review-rules", text=_text("coding/review-rules.md"), name="Review rules", actor=actor
        )
        self._protect(rules, "jonas")
        return agent

    def _protect(self, document: Document, owner: str) -> Section:
        return protect(document, "Safety", owners=[self.people[owner]], actor=Actor.person(self.admin))

    def _traffic(self, name: str, agent: Agent) -> Traffic:
        # The secret goes unseen: whoever wants to report makes a key of their own.
        scopes = ["ingest", "read", "propose"]
        owner, label = self.people["aiko"], f"{agent.name}, production"
        key, _secret = keys.create(agent, scopes, owner=owner, actor=COMMAND_LINE, label=label)
        runs, voices = (
            Runs(name, Random(f"{self._seed} {name} runs")),
            Voices(name, Random(f"{self._seed} {name} voices")),
        )
        begin, end = plan.moment(self.now, plan.DAYS), plan.moment(self.now, plan.NOW)
        thumbs = plan.Span("thumb", plan.DAYS, plan.NOW, plan.THUMBS[name])
        silent = plan.Span("silent", plan.DAYS, plan.NOW, plan.SILENT[name])
        return Traffic(
            agent,
            key,
            runs.profile.document,
            runs=runs.usual(plan.RUNS[name], begin, end) + runs.failing(plan.FAILURES[name], self.now),
            voices=[
                *voices.reports(plan.VOICES[name], self.now),
                *voices.thumbs(thumbs, self.now),
                *voices.silent(silent, self.now),
            ],
            random=Random(f"{self._seed} {name}"),
        )

    def person(self, name: str) -> User:
        return self.people[name]

    def document(self, agent: str, slug: str) -> Document:
        """As it is now, with its current version."""
        return Document.objects.select_related("agent", "current").get(agent__slug=agent, slug=slug)

    def pass_until(self, moment: datetime) -> None:
        """Let time pass: reports come in, rollouts are watched, and drafts follow their base."""
        while watched() and moment - self.clock.now > LOOKS_EVERY:
            self._send_until(self.clock.now + LOOKS_EVERY)
        self._send_until(moment)
        follow()

    def _send_until(self, moment: datetime) -> None:
        for traffic in self.traffic.values():
            self._progress(traffic.send_until(moment))
        self.clock.move_to(moment)
        for rollout_id in watched():
            watch(rollout_id)

    def mine(self) -> None:
        """What worker and scheduler do; all of it, however slow the machine, or the story could not go on."""
        for traffic in self.traffic.values():
            mine(traffic.agent)
        count_runs()
        note_rising()
        draft_all_due(within=inf)

    def drafted(self, agent: str, theme: str) -> Proposal:
        """The newest proposal drafted from the pattern about a theme. Raises LookupError."""
        pattern = self.traffic[agent].pattern_about(theme)
        found = pattern.proposals.select_related("revision").order_by("-pk").first()
        if found is None:
            raise LookupError(f"Nothing was drafted about {theme}: {pattern.draft_note}")
        return found


def _text(name: str) -> str:
    return Path(HERE, name).read_text(encoding="utf-8")
