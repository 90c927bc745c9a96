"""Erasing an end user takes their words from all that was made of them."""

from collections.abc import Sequence

import pytest
import redis
from django.conf import LazySettings
from django.conf import settings as board
from django.db import connection
from django.test import Client

from agents import keys
from agents.models import Agent
from agents.versions import create_agent
from audit.record import COMMAND_LINE, SYSTEM
from audit.verify import verify
from feedback.actions import erasure
from feedback.actions.across import link_across
from feedback.actions.consolidation import consolidate
from feedback.actions.exclusion import exclude
from feedback.actions.mining import mine
from feedback.actions.patterns import rename
from feedback.actions.rollups import count_runs
from feedback.ingest.rows import hashed, source
from feedback.models import Evidence, Feedback, Pattern, PatternSource, Run, SharedPattern
from people.models import User
from proposals.actions.drafting import draft
from proposals.models import Proposal
from reviewapp.models import Retention
from reviewapp.retention import WAYS
from tests.api.conftest import ALL_SCOPES, Caller
from tests.cast import COMPLAINTS

WORD = "zyxgrumpel"
WHO = f"{WORD}@example.org"
PEOPLE = ["ben", "cem", "dora", WHO]
ERROR = "the ledger of customers refused the connection"


@pytest.fixture
def caller(db: None, ada: User, support: Agent) -> Caller:
    create_agent("billing", name="Billing", actor=SYSTEM)
    return Caller(keys.create(None, ALL_SCOPES, owner=ada, actor=COMMAND_LINE)[1], Client())


def said(who: str, word: str) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Reports and runs of one person of every kind, with a word in all that is text."""
    told: list[dict[str, object]] = [
        {"reason": f"{COMPLAINTS[PEOPLE.index(who)]} {word}", "input": f"Hello {word}", "output": f"No {word}"},
        {"output": f"It takes 30 days {word}", "correction": f"It takes 14 days {word}", "reason": word or "so"},
        {"output": f"Dear {word}", "edited_output": f"Very dear {word}"},
        {"expected": f"refund {word}", "predicted": "billing", "input": word or "money"},
        {"expected": "refund", "predicted": f"billing {word}"},
        {"expected": f"refund {word}", "predicted": f"billing {word}"},
        {"rating": "positive", "reason": f"the tone of the answers is lovely {word}"},
        {"reason": f"withdrawn {word}", "expected": f"gone {word}", "predicted": "there"},
        {"reason": f"excluded {word}"},
    ]
    held = {"agent": "support", "user": who, "rating": "negative", "metadata": {word or "who": [word]}}
    failed = {"unit": who, "success": False, "input_hash": word, "output_hash": word, "metadata": {word or "a": word}}
    runs = [failed | {"agent": agent, "error": f"{ERROR} {word}".strip()} for agent in ("support", "billing")]
    return [held | one for one in told], [*runs, failed | {"agent": "support", "success": True}]


def report_all(caller: Caller, mara: User) -> None:
    """Three people, and one who has the word everywhere; what recurs, also at two agents, and a report that counts no
    more of either sort.
    """
    for who in PEOPLE:
        reports, runs = said(who, WORD if who == WHO else "")
        for number, one in enumerate(reports):
            assert caller.post("/feedback", one | {"id": f"f{number}-{who[:3]}"}).status_code == 201
        assert caller.post("/runs", runs).json()["accepted"] == 3
    for agent in Agent.objects.all():
        mine(agent)
    assert caller.delete("/feedback/f7-zyx?agent=support").status_code in (200, 204)
    exclude(Feedback.objects.get(external_id="f8-zyx"), user=mara, reason="It is noise.")
    consolidate(Agent.objects.get(slug="support"))
    link_across()
    count_runs()


def left(*words: str) -> list[str]:
    """The tables that hold one of these, or its bytes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        spelled = [f"%{form}%" for word in words for form in (word, word.encode().hex())]
        found = []
        for table in tables:
            cursor.execute(f'SELECT 1 FROM "{table}" t WHERE lower(t::text) LIKE ANY(%s) LIMIT 1', [spelled])  # noqa: S608
            found += [table] if cursor.fetchone() else []
    valkey = redis.from_url(str(board.CACHES["default"]["LOCATION"]))
    return found + [str(key) for key in valkey.scan_iter() if any(word in str(valkey.dump(key)) for word in words)]


def hashes(person: User) -> Sequence[str]:
    name = hashed(WHO)
    return [name.hex(), source(f"person:{person.pk}", name).hex()]


def erase() -> None:
    erasure.ask(WHO, actor=COMMAND_LINE)
    assert erasure.carry_out() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("least", [3, 1])
def test_no_word_and_no_hash_is_left_anywhere(
    least: int, caller: Caller, mara: User, ada: User, settings: LazySettings
) -> None:
    settings.COUNTERSIGN_MIN_SOURCES = least
    report_all(caller, mara)
    held = Pattern.objects.filter(label__icontains=WORD)
    assert held.exists() is (least == 1)  # one of them shows it, and the log does not
    if named := held.first():
        rename(named.pk, user=mara, label="Something else")
        rename(named.pk, user=mara, label="")
        assert SharedPattern.objects.filter(label__icontains=WORD).exists()
    else:
        made = draft(Pattern.objects.shown().filter(kind="complaint").order_by("-sources")[0].pk, requested_by=mara)
        assert isinstance(made, Proposal)
        assert made.name_on_log == made.title
        settings.COUNTERSIGN_MIN_SOURCES = 2
        assert made.name_on_log == f"Proposal {made.pk}"
    assert not [table for table in left(WORD) if table.startswith(("audit_", "proposals_", "notices_"))]
    assert {"feedback_feedback", "feedback_run", "feedback_pattern"} <= set(left(WORD))
    erase()
    count_runs()
    assert left(WORD, *hashes(ada)) == []
    assert verify().fault is None


@pytest.mark.django_db(transaction=True)
def test_what_others_said_too_stays_named(caller: Caller, mara: User) -> None:
    report_all(caller, mara)
    shown = Pattern.objects.shown().order_by("pk")
    before = list(shown.values_list("pk", "kind", "signature", "support", "sources", "status"))
    named = list(shown.exclude(signature="").values_list("label"))
    assert {kind for _, kind, *_ in before} == {"complaint", "correction", "error", "mislabel", "success"}
    erase()
    assert list(shown.values_list("pk", "kind", "signature", "support", "sources", "status")) == before
    assert list(shown.exclude(signature="").values_list("label")) == named
    assert not shown.filter(label="").exists()
    for again in Agent.objects.all():
        mine(again)
        consolidate(again)
    link_across()
    assert list(shown.values_list("pk", "kind", "signature", "support", "sources", "status")) == before


@pytest.mark.django_db(transaction=True)
def test_what_retention_took_the_words_of_is_found_by_its_source(caller: Caller, mara: User, ada: User) -> None:
    report_all(caller, mara)
    for kind, table in ((Retention.Kind.FEEDBACK, Feedback), (Retention.Kind.RUNS, Run)):
        WAYS[kind].take(list(table.objects.values_list("pk", flat=True)))
    assert {"feedback_feedback", "feedback_run", "feedback_evidence", "feedback_patternsource"} <= set(
        left(hashes(ada)[1])
    )
    counted = sorted(PatternSource.objects.values_list("pattern", "items"))
    erase()
    assert left(WORD, *hashes(ada)) == []
    assert sorted(PatternSource.objects.values_list("pattern", "items")) == counted
    assert set(Evidence.objects.values_list("source")) == set(PatternSource.objects.values_list("source"))
