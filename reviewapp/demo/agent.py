"""The demo agent at work: sessions that read their instructions, runs that report, now and then a thumb.

It knows what it is served and nothing else: which version does better is in its behaviour, as with a real agent.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from reviewapp.demo.behaviour import Doing, Scenario, run, session, thumb
from reviewapp.demo.calling import Call

MOST_AT_ONCE: Final = 200
"""Runs reported in one call."""
_LIVE: Final = ("running", "waiting")


class Refused(Exception):
    """Raised when the board takes a call for wrong; the message has its answer."""


@dataclass
class Tally:
    """What became of the runs under one version."""

    runs: int = 0
    failed: int = 0

    def __str__(self) -> str:
        good = 100 * (self.runs - self.failed) / self.runs if self.runs else 0.0
        return f"{self.runs:,} runs, {good:.1f}\u00a0% good"


@dataclass
class DemoAgent:
    """One agent that works on one document; `call` reaches the board, `say` tells who watches."""

    agent: str
    document: str
    scenario: Scenario
    call: Call
    say: Callable[[str], None]
    random: Random
    done: dict[int, Tally] = field(default_factory=dict)
    proposal: int | None = None
    rollout: int | None = None
    state: str = ""

    def propose(self) -> None:
        """Propose the scenario's rule for the current text, unless its rollout runs or its proposal waits already."""
        current = self._instructions("")
        found = self._rollouts()
        if found and found[0]["state"] in _LIVE:
            self.rollout, self.proposal = found[0]["id"], found[0]["proposal"]
            self.say(f"Rollout {self.rollout} runs already: {found[0]['url']}")
            return
        rounds = str(current["content"]).count(self.scenario.rule)
        rule = self.scenario.rule if not rounds else f"{self.scenario.rule} (Once more, {rounds + 1}.)"
        status, answer = self.call("POST", "/proposals", {
            "agent": self.agent, "document": self.document, "base_version": current["version"],
            "content": f"{current['content'].rstrip()}\n- {rule}\n", "title": self.scenario.title,
            "rationale": self.scenario.rationale,
        })  # fmt: skip
        if status == 409:
            answer = self._proposed_before(answer)
        elif status != 201:
            raise Refused(f"POST /proposals: {status} {answer}")
        self.proposal = answer["id"]
        self.say(f"Proposed: {answer['url']} – approve it with “Start a canary”.")

    def _proposed_before(self, refusal: Any) -> dict[str, Any]:
        found = self._ok("GET", f"/proposals?agent={self.agent}", None)["items"]
        mine = {"document": self.document, "title": self.scenario.title, "state": "pending"}
        same = [one for one in found if mine.items() <= one.items()]
        if not same:
            raise Refused(f"POST /proposals: {refusal}")
        return dict(same[0])

    def work(self, runs: int) -> None:
        """So many runs in sessions of their own, reported as they would be."""
        told: list[dict[str, Any]] = []
        thumbs: list[dict[str, Any]] = []
        while len(told) < runs:
            unit, count = session(self.random)
            served = self._instructions(unit)
            doing = self._doing(served)
            for _ in range(min(count, runs - len(told))):
                one = run(self.random, doing)
                told.append(one | {"document": self.document, "version": served["version"], "unit": unit})
                tally = self.done.setdefault(served["version"], Tally())
                tally.runs, tally.failed = tally.runs + 1, tally.failed + (not one["success"])
                said = thumb(self.random, doing, one["id"])
                if said:
                    thumbs.append(said | {"version": served["version"], "user": unit})
            if len(told) >= MOST_AT_ONCE:
                self._report(told, thumbs)
                runs, told, thumbs = runs - len(told), [], []
        self._report(told, thumbs)

    def look(self) -> bool:
        """Say where the rollout stands if that is news; False once there is nothing more to wait for."""
        if self.rollout is None:
            return self._is_undecided()
        now = self._ok("GET", f"/rollouts/{self.rollout}", None)
        share = f"{round(now['share'] * 100)}\u00a0%"
        news = f"Rollout {now['id']}: {now['state']} at {share}{', asks: ' + now['asks'] if now['asks'] else ''}"
        if news != self.state:
            self.state = news
            self.say(f"{news}. {now['reason'] or now['verdict'] or 'No verdict yet.'}")
        return now["state"] in _LIVE

    def in_words(self) -> str:
        """What was done under each version."""
        return " · ".join(f"version {number}: {tally}" for number, tally in sorted(self.done.items()))

    def _is_undecided(self) -> bool:
        if self.proposal is None:
            return True
        state = self._ok("GET", f"/proposals/{self.proposal}", None)["state"]
        if state == "approved":
            found = [one["id"] for one in self._rollouts() if one["proposal"] == self.proposal]
            if found:
                self.rollout = found[0]
                return True
            self.say("Approved without a canary: everybody has it.")
        elif state in ("rejected", "withdrawn"):
            self.say(f"The proposal was {state}.")
        return state not in ("approved", "rejected", "withdrawn")

    def _rollouts(self) -> list[dict[str, Any]]:
        """Those of the document, the newest first."""
        found: list[dict[str, Any]] = self._ok("GET", f"/agents/{self.agent}/documents/{self.document}/rollouts", None)[
            "items"
        ]
        return found

    def _instructions(self, unit: str) -> dict[str, Any]:
        asked = f"?unit={unit}" if unit else ""
        served: dict[str, Any] = self._ok("GET", f"/agents/{self.agent}/instructions/{self.document}{asked}", None)
        if served["rollout"] and self.rollout is None:
            self.rollout = served["rollout"]["id"]
        return served

    def _doing(self, served: dict[str, Any]) -> Doing:
        has_it = self.scenario.rule in served["content"]
        return self.scenario.candidate if has_it else self.scenario.current

    def _report(self, runs: list[dict[str, Any]], thumbs: list[dict[str, Any]]) -> None:
        for path, reports in (("/runs", runs), ("/feedback", thumbs)):
            if reports:
                answer = self._ok("POST", path, reports)
                if answer["rejected"]:
                    raise Refused(f"POST {path}: {answer['rejected'][0]}")

    def _ok(self, method: str, path: str, body: Any) -> Any:
        status, answer = self.call(method, path, body)
        if status >= 300:
            raise Refused(f"{method} {path}: {status} {answer}")
        return answer
