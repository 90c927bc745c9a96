"""python -m bench.poisoning [--trials N] [--reports N] [--seed N]: what it takes to bring about a draft nobody needs.

Each trial is an agent with N honest reports of two weeks: what customers of a bank asked (tests/data), by twenty owners
of keys. Among them an attacker tells, in ever other words and for ever other users, of something that never happened.
Shown is in how many trials a draft was made by itself of which most reports are the attacker's, with the 95 % interval
(Wilson), for one key, ten keys of one owner, and ten owners, by the attacker's share of all reports.
"""

import argparse
import csv
import math
import os
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import django

from bench.board import PROMPT, Board

if TYPE_CHECKING:
    from agents.models import Agent, ApiKey
    from feedback.models import Feedback

HONEST_OWNERS = 20
DAYS = 14
SHARES = (0.01, 0.03, 0.05, 0.1, 0.3)
MOST = SHARES[-1:]
TEXTS = Path(__file__).parents[1] / "tests" / "data" / "banking77_sample.csv"
OPENINGS = (
    "it told me that gift wrapping costs extra",
    "the price for gift wrapping was wrong",
    "gift wrapping is free but the answer says otherwise",
    "wrong again about gift wrapping",
    "I was charged for gift wrapping because of this answer",
    "the bot says gift wrapping is not free",
)
ENDINGS = (
    "and I had to call", "which is not what the shop says", "for the second time", "please correct it",
    "my order was late because of it", "my sister got the same answer", "nobody noticed", "so I cancelled",
)  # fmt: skip


@dataclass(frozen=True)
class Attack:
    """Who attacks: so many keys of so many owners, with these shares of all reports in turn.

    `per` is what the rule counts as one source.
    """

    name: str
    keys: int
    owners: int
    shares: Sequence[float]
    per: str = "owner"


ATTACKS = (
    Attack("one key", 1, 1, MOST),
    Attack("ten keys of one owner", 10, 1, MOST),
    Attack("ten owners", 10, 10, SHARES),
    Attack("one key, where end users are counted", 1, 1, SHARES[1::2], per="user"),
)


def trial(attack: Attack, share: float, reports: int, rng: random.Random) -> bool:
    """Whether the attacker brought a draft about. The caller undoes what is stored."""
    from agents.versions import create_agent
    from audit.record import SYSTEM
    from feedback.actions.mining import mine
    from feedback.models import Feedback
    from proposals.actions.drafting import draft_all_due
    from proposals.models import ProposalEvidence

    agent = create_agent("poisoned", name="Poisoned", actor=SYSTEM, documents={"system-prompt": PROMPT})
    honest = _keys(agent, "honest", HONEST_OWNERS, HONEST_OWNERS)
    hostile = _keys(agent, "hostile", attack.keys, attack.owners)
    count = max(1, round(reports * share))
    said = [(text, honest[rng.randrange(len(honest))]) for text in _asked(reports - count, rng)]
    said += [(text, hostile[number % len(hostile)]) for number, text in enumerate(_told(count, rng))]
    Feedback.objects.bulk_create(
        _report(agent, number, text, key, rng) for number, (text, key) in enumerate(rng.sample(said, len(said)))
    )
    mine(agent)
    draft_all_due(within=600)
    names = {key.pk for key in hostile}
    behind: dict[int, list[bool]] = {}
    for proposal, key in ProposalEvidence.objects.values_list("proposal", "feedback__key"):
        behind.setdefault(proposal, []).append(key in names)
    return any(sum(theirs) * 2 > len(theirs) for theirs in behind.values())


def _keys(agent: "Agent", name: str, count: int, owners: int) -> "list[ApiKey]":
    from agents import keys
    from audit.record import SYSTEM
    from people.models import User

    people = [User.objects.create_user(f"{name}-{number}") for number in range(owners)]
    return [keys.create(agent, ["ingest"], owner=people[n % owners], actor=SYSTEM)[0] for n in range(count)]


def _report(agent: "Agent", number: int, text: str, key: "ApiKey", rng: random.Random) -> "Feedback":
    from django.utils import timezone

    from feedback.ingest.rows import hashed, source
    from feedback.models import Feedback

    return Feedback(
        agent=agent,
        key=key,
        external_id=f"f{number}",
        digest=b"",
        source=source(key.party, hashed(f"user {number}")),
        at=timezone.now() - timedelta(days=rng.random() * DAYS),
        rating="negative",
        reason=text,
    )


def _asked(count: int, rng: random.Random) -> list[str]:
    with TEXTS.open(newline="") as rows:
        texts = [row["text"] for row in csv.DictReader(rows)]
    return [rng.choice(texts) for _ in range(count)]


def _told(count: int, rng: random.Random) -> Iterator[str]:
    for _ in range(count):
        yield f"{rng.choice(OPENINGS)} {rng.choice(ENDINGS)}"


def interval(found: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share, by Wilson."""
    z, share = 1.96, found / of
    middle, wide = share + z * z / (2 * of), z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return max(0.0, (middle - wide) / (1 + z * z / of)), min(1.0, (middle + wide) / (1 + z * z / of))


def measure(attack: Attack, share: float, trials: int, reports: int, seed: int) -> int:
    """In how many trials the attacker brought a draft about; nothing of them stays stored."""
    from django.conf import settings
    from django.db import transaction

    settings.COUNTERSIGN_COUNT_USERS, found = attack.per == "user", 0
    for number in range(trials):
        with transaction.atomic():
            found += trial(attack, share, reports, random.Random(f"{seed} {number} {share}"))
            transaction.set_rollback(True)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.poisoning", description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--reports", type=int, default=300, help="reports of a trial, the attacker's among them")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="countersign-poisoning-") as folder, _Database(Path(folder)) as board:
        os.environ |= board.env | {"DJANGO_SETTINGS_MODULE": "reviewapp.settings"}
        django.setup()
        print("| attacker | share of the reports | trials with a draft of theirs | 95 % interval |")
        print("|---|---|---|---|")
        for attack in ATTACKS:
            for share in attack.shares:
                found = measure(attack, share, options.trials, options.reports, options.seed)
                low, high = interval(found, options.trials)
                said = f"{found} of {options.trials} | {low:.0%} to {high:.0%}"
                print(f"| {attack.name} | {share:.0%} | {said} |", flush=True)


class _Database(Board):
    """The database alone."""

    def serve(self) -> None:
        """Nothing is asked of it over HTTP."""


if __name__ == "__main__":
    main()
