"""python -m drills.recovery [--rounds N] [--seed N]: Valkey emptied while agents report, and what is wrong taken back.

A board runs as `manage.py up` starts it, and agents report all the time while Valkey is emptied again and again: what
was acknowledged is mined within a minute. Then a person rolls a document back in the browser's way, by its page and
its form: the older text is served within two seconds of the click. Then candidates that fail are rolled out, and the
worker is killed as soon as the last of their runs is stored: the version before is served within a minute.
"""

import argparse
import json
import os
import re
import signal
import tempfile
import time
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import redis

from drills.kills import PROMPT, Board, running

if TYPE_CHECKING:
    from agents.models import Document

BY_HAND_S: Final = 2.0
BY_ITSELF_S: Final = 60.0
UNITS: Final = 400
"""Of which half get the candidate: a loss of all their runs is beyond doubt."""

_HIDDEN: Final = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
SERVED: Final = "/api/v1/agents/orders/instructions/prompt"


def main() -> None:
    """All three, one after the other; ends at the first that does not hold."""
    parser = argparse.ArgumentParser(prog="python -m drills.recovery", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="how often each is done")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="countersign-recovery-") as folder, running(Path(folder)) as board:
        print(emptied(board, options.rounds, Random(options.seed)), flush=True)
        scene = Scene(board)
        print(by_hand(scene, options.rounds), flush=True)
        print(by_itself(scene, options.rounds), flush=True)


def emptied(board: Board, rounds: int, random: Random) -> str:
    """Empty Valkey again and again, while four agents report. Raises AssertionError."""
    valkey = redis.Redis.from_url(board.servers["REDIS_URL"])
    with board.reported() as reports:
        for _ in range(rounds):
            time.sleep(random.uniform(0.2, 2.0))
            valkey.flushall()
    waited = board.finish()
    found = board.look(reports)
    told = (
        f"{len(reports.stored):,} reports acknowledged, none lost, none twice, all mined {waited:.0f} s after the last"
    )
    return f"Valkey emptied {rounds} times: {told}; {found}"


class Scene:
    """An agent of its own with one document, whoever may change it, and a key that reads and reports."""

    def __init__(self, board: Board) -> None:
        self.board = board
        os.environ |= board.servers | {"DATA_DIR": str(board.folder), "DJANGO_SETTINGS_MODULE": "reviewapp.settings"}
        import django

        django.setup()
        prompt = board.folder / "prompt.md"
        prompt.write_text(PROMPT)
        board.manage("create_agent", "orders", "--document", f"prompt={prompt}")
        limits = ("--calls-a-minute", "1000000", "--calls-a-day", "10000000")
        self._key = board.manage("create_key", "orders", "--scope", "ingest", "--scope", "read", *limits)
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        board.manage("create_person", "olaf", "--role", "reviewer")
        self.submit(board.manage("create_person", "ruth", "--role", "reviewer", "--url", board.url), {})

    @property
    def document(self) -> "Document":
        from agents.models import Document

        return Document.objects.select_related("agent", "current").get(agent__slug="orders")

    def submit(self, address: str, fields: dict[str, str]) -> str:
        """Open a page, fill in its form, and send it; the page that comes of it."""
        page = self.open(address)
        return self.send(address, dict(_HIDDEN.findall(page)) | fields)

    def open(self, address: str) -> str:
        with self._browser.open(address, timeout=20) as answer:
            return str(answer.read().decode())

    def send(self, address: str, fields: dict[str, str]) -> str:
        request = urllib.request.Request(address, urlencode(fields).encode(), {"Referer": address})  # noqa: S310
        with self._browser.open(request, timeout=20) as answer:
            return str(answer.read().decode())

    def served(self, unit: str = "") -> dict[str, Any]:
        """What an agent gets now."""
        found: dict[str, Any] = self.call(f"{SERVED}?{urlencode({'unit': unit})}" if unit else SERVED)
        return found

    def call(self, path: str, body: object = None) -> Any:
        """One call of the API."""
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        sent = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.board.url + path, sent, headers)  # noqa: S310 (always http)
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 (always http)
            return json.loads(answer.read())


def by_hand(scene: Scene, rounds: int) -> str:
    """Go back to the first version, again and again. Raises AssertionError."""
    took = sorted(_back(scene, number) for number in range(rounds))
    assert took[-1] <= BY_HAND_S, f"{took[-1]:.1f} s until the older text was served"
    return f"{rounds} rollbacks by hand: the older text was served {_told(took)} after the click."


def _back(scene: Scene, number: int) -> float:
    _release(scene, f"{PROMPT}- Round {number}.\n", start="at_once")
    assert scene.served()["content"] != PROMPT
    address = f"{scene.board.url}/agents/orders/prompt/roll-back/?to=1"
    fields = dict(_HIDDEN.findall(scene.open(address))) | {"reason": "It was better before."}
    clicked = time.monotonic()
    scene.send(address, fields)
    return _until(lambda: scene.served()["content"] == PROMPT, clicked, BY_HAND_S * 5)


def by_itself(scene: Scene, rounds: int) -> str:
    """Candidates that fail, each judged by a worker that was killed just then. Raises AssertionError."""
    _plan()
    took = sorted(_taken_back(scene, number) for number in range(rounds))
    assert took[-1] <= BY_ITSELF_S, f"{took[-1]:.1f} s until the failing candidate was served to nobody"
    return f"{rounds} failing candidates: taken back {_told(took)} after the last run, the worker killed meanwhile."


def _taken_back(scene: Scene, number: int) -> float:
    _release(scene, f"{PROMPT}- Candidate {number}.\n", start="canary")
    units = [f"u{number}-{unit}" for unit in range(UNITS)]
    served = {unit: scene.served(unit) for unit in units}
    candidate = next(unit for unit in units if (served[unit]["rollout"] or {}).get("arm") == "candidate")
    runs = [_run(unit, found) for unit, found in served.items()]
    scene.call("/api/v1/runs", runs)
    stored = time.monotonic()
    _kill_worker(scene.board)
    return _until(lambda: scene.served(candidate)["rollout"] is None, stored, BY_ITSELF_S * 2)


def _run(unit: str, served: dict[str, Any]) -> dict[str, Any]:
    success = served["rollout"]["arm"] == "current"
    whole = {"agent": "orders", "document": "prompt", "version": served["version"], "unit": unit}
    return whole | {"id": f"r-{unit}", "success": success, **({} if success else {"error": "timeout"})}


def _release(scene: Scene, text: str, *, start: str) -> None:
    """Let somebody propose this text, and the reviewer approve it."""
    from people.models import User
    from proposals.actions.decisions import approve
    from proposals.actions.proposals import submit

    document = scene.document
    assert document.current
    proposal = submit(
        document=document,
        base_number=document.current.number,
        text=text,
        title=text.splitlines()[-1],
        rationale="It was missing.",
        user=User.objects.get(username="olaf"),
    )
    assert proposal.revision
    approve(proposal.pk, user=User.objects.get(username="ruth"), digest=proposal.revision.digest, start=start)


def _plan() -> None:
    from proposals.models import RolloutPlan
    from proposals.rules.plans import Plan, Step

    RolloutPlan.objects.create(document=None, plan=Plan(steps=(Step(50, 20, 0),), largest_step=50).to_json())


def _kill_worker(board: Board) -> None:
    worker = board.process_of("worker")
    if worker:
        worker.send_signal(signal.SIGKILL)


def _until(holds: Callable[[], bool], since: float, patience_s: float) -> float:
    """Seconds since then until it holds. Raises AssertionError."""
    while not holds():
        assert time.monotonic() - since < patience_s, f"not within {patience_s:.0f} s"
        time.sleep(0.02)
    return time.monotonic() - since


def _told(took: list[float]) -> str:
    return f"{took[len(took) // 2]:.2f} s at the median and {took[-1]:.2f} s at most"


if __name__ == "__main__":
    main()
