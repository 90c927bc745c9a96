"""python -m bench.health [--runs N] [--new N] [--rounds N]: how long counting runs takes, and the pages that show them.

Stores N runs and a tenth as many reports over 90 days of four agents, counts them all, then N new ones of the last
hours and late ones of the last days, then one report that is withdrawn; prints how long each pass took, and asks for
the pages through the real web server. Server time runs as in `bench.pages`; of a pass, `python` is this process's time
on a processor, and the rest is PostgreSQL's.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
import psycopg

from bench.board import PROMPT, Board
from bench.pages.__main__ import show
from bench.pages.visit import Page, Visitor

AGENTS = ("support", "sales", "coding", "travel")
TOOLS, TASKS, VERSIONS = 12, 30, 25

_RUNS = """
    INSERT INTO feedback_run (
        agent_id, external_id, digest, source, version, at, received_at, document, task, tool, success, error,
        error_type, latency_ms, quality, cost_usd, model, input_hash, output_hash)
    SELECT (%(agents)s::bigint[])[1 + floor(r * r * 4)::int], %(name)s || g, '\\x00', '\\x00',
           1 + g %% %(versions)s, at, now(), 'system-prompt', 'task ' || floor(power(random(), 2) * %(tasks)s),
           CASE WHEN g %% 3 = 0 THEN '' ELSE 'tool ' || g %% %(tools)s END, g %% 13 <> 0, '', '',
           exp(7 + random() + random() + random()), CASE WHEN g %% 4 = 0 THEN 1 + floor(random() * 5) END,
           0.01 * random(), '', md5((g %% 100)::text), md5((g %% 300)::text)
    FROM (
        SELECT g, random() AS r, now() - (%(count)s - g) * %(over)s::interval / %(count)s AS at
        FROM generate_series(1, %(count)s) g
    ) AS run
"""
_FEEDBACK = """
    INSERT INTO feedback_feedback (
        agent_id, external_id, digest, source, version, at, received_at, mined_at, run_id, rating, reason_code, reason,
        correction, expected, predicted, input, output, edited_output)
    SELECT agent_id, 'f' || id, '\\x00', '\\x00', version, at + interval '1 minute', now(), now(), external_id,
           CASE WHEN id % 30 < 10 THEN 'positive' ELSE 'negative' END, '', '', '',
           CASE WHEN id % 100 = 0 THEN 'refund' ELSE '' END, CASE WHEN id % 100 = 0 THEN 'order' ELSE '' END,
           '', '', ''
    FROM feedback_run WHERE id % 10 = 0
"""


class CountedBoard(Board):
    """The servers, with four agents and many versions."""

    def serve(self) -> None:
        self.manage("collectstatic", "--noinput", "--verbosity", "0")
        prompt = self.folder / "prompt.md"
        prompt.write_text(PROMPT)
        for slug in AGENTS:
            self.manage("create_agent", slug, "--document", f"system-prompt={prompt}")
        self.port = self.web("web", "bench.pages.timed:application")


def main() -> None:
    """Fill, count, ask."""
    parser = argparse.ArgumentParser(prog="python -m bench.health", description=__doc__)
    parser.add_argument("--runs", type=int, default=5_000_000, help="runs stored")
    parser.add_argument("--new", type=int, default=100_000, help="new runs, and late ones")
    parser.add_argument("--rounds", type=int, default=20, help="how often each page is asked for")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="countersign-health-") as folder, CountedBoard(Path(folder)) as board:
        os.environ |= board.env | {"DJANGO_SETTINGS_MODULE": "reviewapp.settings"}
        django.setup()
        with psycopg.connect(board.url, autocommit=True) as database:
            _fill(database, "r", options.runs, "90 days")
            database.execute(_FEEDBACK)
            _timed("Filled", lambda: database.execute("VACUUM ANALYZE"))
            _pass(f"All {options.runs:,} runs")
            _fill(database, "new", options.new, "3 hours")
            _pass(f"{options.new:,} new runs of the last 3 hours")
            _fill(database, "late", options.new, "7 days")
            _pass(f"{options.new:,} late runs of the last 7 days")
            _withdraw()
            _pass("One report withdrawn")
            database.execute("VACUUM ANALYZE")
        show(f"{options.runs + 2 * options.new:,} runs", _pages(board.port, options.rounds))


def _fill(database: psycopg.Connection[Any], name: str, count: int, over: str) -> None:
    started = time.perf_counter()
    agents = [pk for (pk,) in database.execute("SELECT id FROM agents_agent ORDER BY id")]
    what = {"name": name, "count": count, "over": over, "agents": agents}
    database.execute(_RUNS, what | {"versions": VERSIONS, "tasks": TASKS, "tools": TOOLS})
    print(f"Stored {count:,} runs in {time.perf_counter() - started:.0f} s.", flush=True)


def _timed(what: str, call: Callable[[], object]) -> None:
    started = time.perf_counter()
    call()
    print(f"{what} in {time.perf_counter() - started:.1f} s.", flush=True)


def _pass(what: str) -> None:
    from django.db.models import F

    from feedback.actions.rollups import count_runs
    from feedback.models import Mark

    started, worked = time.perf_counter(), time.process_time()
    hours = count_runs()
    took, worked = time.perf_counter() - started, time.process_time() - worked
    print(f"{what}: {hours:,} hours counted in {took:.2f} s, {worked:.2f} s of it python.", flush=True)
    # As if two minutes had passed and no transaction were open: what was counted is not looked at again.
    Mark.objects.update(upto=F("next_upto"), fence=None)


def _withdraw() -> None:
    from audit.record import COMMAND_LINE
    from feedback.actions.withdraw import withdraw_feedback
    from feedback.models import Feedback

    withdraw_feedback(Feedback.objects.latest("pk").pk, actor=COMMAND_LINE)


def _pages(port: int, rounds: int) -> list[Page]:
    from django.test import Client

    from people.accounts import create_person
    from people.roles import Role

    client = Client()
    mara = create_person("mara", name="Mara Muster", roles=[Role.REVIEWER])
    client.force_login(mara, backend="people.backends.ByRole")
    visitor = Visitor(port, client.cookies["sessionid"].value)
    addresses = {
        "agents": "/agents/",
        "agent, a month": "/agents/support/",
        "agent, a week": "/agents/support/?range=week",
        "agent, a day": "/agents/support/?range=day",
        "agent, by latency": "/agents/support/?sort=latency",
        "agent, the quietest": "/agents/travel/",
    }
    return [visitor.visit(name, [address], rounds) for name, address in addresses.items()]


if __name__ == "__main__":
    main()
