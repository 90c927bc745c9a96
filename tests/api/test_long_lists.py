"""Long lists go in by COPY: what was sent is what is stored, and a known id costs nobody else anything."""

from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connections

from agents.models import Agent
from feedback.ingest.storing import WORTH_COPYING
from feedback.models import Feedback, Run
from tests.api.conftest import Caller, MakeCaller

pytestmark = pytest.mark.django_db(transaction=True)

HOSTILE = (
    'plain "quoted" \\ back\\slash \\n \\" \\\\" \\N \\.',
    "line\nline\r\nline\rtab\tfeed\fback\b",
    "null",
    "\n\\.\n",
    "],[ ]\n[ , ',' \"",
    "ünïcode → 🙂 \u2028 \x7f",
    " edges ",
    "\\",
    '"',
)


@pytest.fixture
def sender(make_caller: MakeCaller, coder: Agent) -> Caller:
    return make_caller(coder)


def reports(texts: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {
            "id": f"report {number}",
            "reason": texts[number % len(texts)],
            "metadata": {"said": texts[0], "n": [None, 1.5]},
        }
        for number in range(WORTH_COPYING + 50)
    ]


@pytest.mark.parametrize("texts", [HOSTILE, (*HOSTILE, "bell \x07, unit \x1f")], ids=["by COPY", "by INSERT"])
def test_every_character_arrives_as_it_was_sent(sender: Caller, texts: tuple[str, ...]) -> None:
    sent = reports(texts)
    assert sender.post("/feedback", sent).json() == {"accepted": len(sent), "duplicates": 0, "rejected": []}
    stored = {row.external_id: row for row in Feedback.objects.all()}
    assert all(stored[one["id"]].reason == one["reason"] for one in sent)
    assert all(row.metadata == sent[0]["metadata"] and row.signals is None for row in stored.values())
    assert sender.post("/feedback", sent).json() == {"accepted": 0, "duplicates": len(sent), "rejected": []}


def test_numbers_truths_and_absences_arrive_as_they_were_sent(sender: Caller) -> None:
    sent = [{"success": number % 2 == 0, "latency_ms": number / 3} for number in range(WORTH_COPYING)]
    assert sender.post("/runs", sent).json()["accepted"] == len(sent)
    stored = Run.objects.order_by("latency_ms").values_list("success", "latency_ms", "quality", "unit_hash", "error")
    assert list(stored) == [(one["success"], one["latency_ms"], None, None, "") for one in sent]


def test_a_known_id_in_a_long_list_keeps_nothing_else_out(sender: Caller) -> None:
    sent = reports(("wrong",))
    sender.post("/feedback", sent[7])
    sender.post("/feedback", {**sent[9], "reason": "something else"})
    found = sender.post("/feedback", sent).json()
    assert (found["accepted"], found["duplicates"]) == (len(sent) - 2, 1)
    assert [one["index"] for one in found["rejected"]] == [9]
    assert Feedback.objects.count() == len(sent)


def test_the_same_long_list_sent_six_times_at_once_is_stored_once(sender: Caller) -> None:
    sent = reports(("wrong",))
    found: list[dict[str, Any]] = []
    ready = Barrier(6)

    def send(ordered: list[dict[str, Any]]) -> None:
        ready.wait()
        found.append(sender.post("/feedback", ordered).json())
        connections.close_all()

    threads = [Thread(target=send, args=(sent[::step],)) for step in (1, -1) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one["accepted"] for one in found) == len(sent) == Feedback.objects.count()
    assert sum(one["duplicates"] for one in found) == 5 * len(sent)
