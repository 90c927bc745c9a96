"""Erasing an end user: words and hashes go, counts and the log stay true."""

from threading import Barrier, Thread

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents import keys
from agents.models import Agent, Document
from audit.models import AuditEntry
from audit.record import COMMAND_LINE
from audit.verify import verify
from feedback.actions import erasure
from feedback.actions.consolidation import consolidate
from feedback.actions.mining import mine
from feedback.actions.rollups import count_runs
from feedback.ingest.rows import hashed
from feedback.models import Erasure, Evidence, Feedback, Pattern, PatternSource, Run, TallyHour, TextPoint
from people.models import User
from proposals.models import JudgedUnit, Proposal, Trial
from reviewapp.models import Retention
from reviewapp.retention import WAYS
from tests.api.conftest import ALL_SCOPES, Caller

REASON = "It told me that the bank answers within three days, and it never did."
NAMES = ["anna", "ben", "cem", "dora"]


@pytest.fixture
def caller(db: None, ada: User, support: Agent) -> Caller:
    _, token = keys.create(None, ALL_SCOPES, owner=ada, actor=COMMAND_LINE)
    return Caller(token, Client())


@pytest.fixture
def reported(caller: Caller) -> None:
    """Four people complain of the same, each after a run."""
    for name in NAMES:
        run = {
            "agent": "support",
            "id": f"r-{name}",
            "unit": name,
            "success": False,
            "error": "the bank does not answer",
        }
        words = {"reason": REASON, "input": f"I am {name}", "metadata": {"who": name}, "rating": "negative"}
        assert caller.post("/runs", [run]).status_code == 207
        body = {"agent": "support", "id": f"f-{name}", "user": name, "run_id": f"r-{name}", **words}
        assert caller.post("/feedback", body).status_code == 201


def counts() -> list[object]:
    """All that is counted of reports."""
    mine_sources = list(Pattern.objects.order_by("pk").values_list("support", "sources", "status"))
    by_source = sorted(PatternSource.objects.values_list("pattern", "items"))
    sources = len(set(Feedback.objects.values_list("source")) | set(Run.objects.values_list("source")))
    tallies = sorted(map(str, TallyHour.objects.values_list("runs", "successes")))
    return [mine_sources, by_source, sources, Evidence.objects.count(), tallies]


@pytest.mark.django_db(transaction=True)
def test_words_and_hashes_go_and_every_count_stays(support: Agent, reported: None) -> None:
    mine(support)
    count_runs()
    before = counts()
    erasure.ask("anna", actor=COMMAND_LINE)
    assert erasure.carry_out() == 1
    count_runs()
    assert counts() == before
    gone, run = Feedback.objects.get(external_id="f-anna"), Run.objects.get(external_id="r-anna")
    assert (gone.reason, gone.input, gone.metadata, gone.user_hash) == ("", "", None, None)
    assert (run.error, run.unit_hash, gone.rating) == ("", None, "negative")
    assert not TextPoint.objects.filter(feedback=gone).exists()
    assert Feedback.objects.get(external_id="f-ben").reason == REASON
    left = bytes(hashed("anna"))
    for row in [*Feedback.objects.all(), *Run.objects.all()]:
        assert left not in (row.source, getattr(row, "user_hash", b""), getattr(row, "unit_hash", b""))
    assert set(Evidence.objects.values_list("source")) == set(PatternSource.objects.values_list("source"))


@pytest.mark.django_db(transaction=True)
def test_the_log_tells_that_it_was_done_and_not_of_whom(support: Agent, reported: None) -> None:
    erasure.ask("anna", actor=COMMAND_LINE)
    erasure.carry_out()
    entry = AuditEntry.objects.get(verb="subject.erased")
    assert entry.fact["after"] == {"feedback": 1, "runs": 1}
    assert not AuditEntry.objects.filter(body__icontains="anna").exists()
    assert verify().fault is None
    assert Erasure.objects.get().subject is None


@pytest.mark.django_db(transaction=True)
def test_mining_and_the_nightly_look_go_on_with_what_is_left(support: Agent, reported: None, caller: Caller) -> None:
    erasure.ask("anna", actor=COMMAND_LINE)
    erasure.carry_out()
    mine(support)
    mine(support)
    consolidate(support)
    assert set(Pattern.objects.values_list("kind", "support")) == {("complaint", 3), ("error", 3)}
    again = {"agent": "support", "id": "f-anna", "user": "anna", "reason": REASON}
    assert caller.post("/feedback", again).status_code == 409


@pytest.mark.django_db(transaction=True)
def test_a_miner_at_the_same_time_leaves_no_old_source(support: Agent, reported: None) -> None:
    erasure.ask("anna", actor=COMMAND_LINE)
    together = Barrier(2, timeout=20)

    def at_once(work: object, *args: object) -> None:
        together.wait()
        try:
            work(*args)  # type: ignore[operator]
        finally:
            connection.close()

    threads = [Thread(target=at_once, args=[mine, support]), Thread(target=at_once, args=[erasure.carry_out])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    known = {bytes(one) for (one,) in [*Feedback.objects.values_list("source"), *Run.objects.values_list("source")]}
    assert {bytes(one) for (one,) in Evidence.objects.values_list("source")} <= known
    assert {bytes(one) for (one,) in PatternSource.objects.values_list("source")} <= known


@pytest.mark.django_db(transaction=True)
def test_two_workers_erase_once(support: Agent, reported: None) -> None:
    erasure.ask("anna", actor=COMMAND_LINE)
    done: list[int] = []

    def work() -> None:
        done.append(erasure.carry_out())
        connection.close()

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [0, 1]
    assert AuditEntry.objects.filter(verb="subject.erased").count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_a_tool_handed_in_for_them_goes_and_nothing_else_of_it_can_change(
    support: Agent, reported: None, pending: Proposal, ada: User
) -> None:
    key, _ = keys.create(support, ["propose"], owner=ada, actor=COMMAND_LINE)
    assert pending.revision is not None
    case = Feedback.objects.get(external_id="f-anna")
    Trial.objects.create(revision=pending.revision, feedback=case, output="Dear Anna", marks={"rows": []}, key=key)
    erasure.ask("anna", actor=COMMAND_LINE)
    erasure.carry_out()
    assert Trial.objects.values_list("output", "marks").get() == ("", {})
    assert not Trial.objects.of(pending).exists()
    assert not JudgedUnit.objects.filter(unit_hash=hashed("anna")).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("taken", ["f-anna", "f-anna-again"])
def test_what_retention_took_before_can_still_be_withdrawn(
    support: Agent, reported: None, caller: Caller, taken: str
) -> None:
    again = {"agent": "support", "id": "f-anna-again", "user": "anna", "reason": REASON, "rating": "negative"}
    assert caller.post("/feedback", again).status_code == 201
    mine(support)
    pattern = Evidence.objects.get(feedback__external_id=taken).pattern
    before = (pattern.support, pattern.sources)
    WAYS[Retention.Kind.FEEDBACK].take(list(Feedback.objects.filter(external_id=taken).values_list("pk", flat=True)))
    erasure.ask("anna", actor=COMMAND_LINE)
    assert erasure.carry_out() == 1
    for report, left in [(taken, (before[0] - 1, before[1])), (other_of(taken), (before[0] - 2, before[1] - 1))]:
        assert caller.delete(f"/feedback/{report}?agent=support").status_code in (200, 204)
        pattern.refresh_from_db()
        assert (pattern.support, pattern.sources) == left


def other_of(report: str) -> str:
    return "f-anna-again" if report == "f-anna" else "f-anna"


@pytest.mark.django_db(transaction=True)
def test_by_command(support: Agent, reported: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("erase_subject", "ben")
    assert "Erased 1 report and 1 run." in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_by_key_of_all_agents_alone(support: Agent, reported: None, caller: Caller, ada: User) -> None:
    wish = caller.post("/erasures", {"name": "cem"})
    assert (wish.status_code, wish.json()["done_at"]) == (202, None)
    erasure.carry_out()
    done = caller.get(f"/erasures/{wish.json()['id']}").json()
    assert (done["feedback"], done["runs"]) == (1, 1)
    assert caller.post("/erasures", {"name": ""}).status_code == 422
    assert caller.get("/erasures/999999").status_code == 404
    bound = Caller(keys.create(support, ["admin"], owner=ada, actor=COMMAND_LINE)[1], Client())
    assert bound.post("/erasures", {"name": "cem"}).status_code == 403


@pytest.mark.django_db
def test_by_page_after_a_fresh_proof(client: Client, prompt: Document, ada: User, mara: User) -> None:
    client.force_login(ada)
    session = client.session
    session["proved_at"] = 0.0
    session.save()
    assert client.get(reverse("erase")).status_code == 303
    session["proved_at"] = timezone.now().timestamp()
    session.save()
    assert "Give the user or unit" in client.post(reverse("erase"), {"name": ""}).text
    assert client.post(reverse("erase"), {"name": "anna"}).status_code == 303
    assert Erasure.objects.get().asked_by == "Ada Brandt"
    assert "within a minute" in client.get(reverse("erase")).text
