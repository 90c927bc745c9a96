"""The calls for people's tools: agents, versions, patterns, proposals, the log."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.models import Agent, Document
from agents.versions import create_agent, create_document, publish
from audit.models import AuditEntry
from audit.record import SYSTEM
from feedback.actions.mining import mine
from feedback.models import Evidence, Feedback, Pattern, PatternDay, PatternSource, SharedMember, SharedPattern
from people.models import User
from proposals.models import Proposal
from tests.api.conftest import Caller, MakeCaller
from tests.cast import PROMPT, failure, propose, report


def wish(**more: Any) -> dict[str, Any]:
    """A good body for POST /proposals."""
    return {
        "agent": "support",
        "document": "system-prompt",
        "base_version": 1,
        "content": PROMPT.replace("30 days", "14 days"),
        "title": "Say fourteen days",
        "rationale": "People are told thirty.",
        **more,
    }


def pattern(agent: Agent, *items: Feedback) -> Pattern:
    found = Pattern.objects.create(
        agent=agent, kind="complaint", status="open", label="Refunds", support=len(items), sources=len(items)
    )
    for item in items:
        Evidence.objects.create(pattern=found, feedback=item, source=item.source, at=item.at)
        PatternSource.objects.get_or_create(pattern=found, source=item.source, defaults={"items": 1})
    PatternDay.objects.create(pattern=found, day=timezone.now().date(), items=len(items))
    return found


def seal() -> None:
    """Let the database number the audit entries now; it does so at commit, and these tests never commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_an_agent_shows_its_documents_and_current_versions(caller: Caller, support: Agent) -> None:
    found = caller.get("/agents/support").json()
    document = support.documents.select_related("current").get()
    assert document.current
    shown = {"slug": "system-prompt", "name": document.name, "kind": "prompt", "version": 1}
    assert found["documents"] == [{**shown, "sha256": document.current.sha256}]


def test_an_agent_is_made_with_its_documents(make_caller: MakeCaller, db: None) -> None:
    caller = make_caller(None, "admin", "read")
    response = caller.post("/agents", {"slug": "writer", "documents": {"system-prompt": "# Hi\n"}})
    assert (response.status_code, response.json()["name"]) == (201, "Writer")
    assert Document.objects.get(agent__slug="writer").current
    assert AuditEntry.objects.get(verb="agent.created").actor_kind == "key"
    assert caller.post("/agents", {"slug": "writer"}).status_code == 409


@pytest.mark.parametrize(
    "body", [{}, {"slug": "no spaces"}, {"slug": "x", "extra": 1}, {"slug": "x", "documents": {"a b": ""}}, []]
)
def test_a_bad_agent_is_refused_by_field(make_caller: MakeCaller, db: None, body: Any) -> None:
    response = make_caller(None, "admin").post("/agents", body)
    assert (response.status_code, response["Content-Type"]) == (422, "application/problem+json")
    assert response.json()["errors"]
    assert not Agent.objects.exists()


def test_other_calls_read_bodies_as_strictly_as_reports(make_caller: MakeCaller, db: None) -> None:
    caller = make_caller(None, "admin")
    for body in (b'{"slug":"x","slug":"y"}', b'{"slug":"x","name":"\\u0000"}', b'{"slug":"x","name":"\\ud800"}'):
        assert caller.post_raw("/agents", body).status_code == 422
    assert caller.post_raw("/agents", b"{").status_code == 400
    unseen = caller.post_raw("/agents", b'{"slug":"x","name":"a\\u202eb"}')
    assert (unseen.status_code, unseen.json()["errors"][0]["loc"]) == (422, ["name"])
    assert caller.post_raw("/agents", b"slug=x", "application/x-www-form-urlencoded").status_code == 415
    assert caller.post_raw("/agents", b'{"slug":"' + b"x" * 1_100_000 + b'"}').status_code == 413


def test_versions_are_listed_newest_first_page_by_page(caller: Caller, support: Agent) -> None:
    document = support.documents.select_related("current").get()
    for number in range(4):
        assert document.current
        publish(document, f"# Text {number}\n", base=document.current, actor=SYSTEM, proposal=0)
    path = "/agents/support/documents/system-prompt/versions"
    first = caller.get(f"{path}?limit=3").json()
    rest = caller.get(f"{path}?limit=3&cursor={first['next']}").json()
    assert [item["version"] for item in first["items"] + rest["items"]] == [5, 4, 3, 2, 1]
    assert [item["current"] for item in first["items"]] == [True, False, False]
    assert rest["next"] is None
    assert caller.get(f"{path}/1").json()["content"] == PROMPT
    assert caller.get(f"{path}/9").status_code == 404
    assert caller.get(f"{path}/99999999999999999999").status_code == 404


def test_two_versions_are_compared(caller: Caller, support: Agent) -> None:
    document = support.documents.select_related("current").get()
    assert document.current
    publish(document, PROMPT.replace("30 days", "14 days"), base=document.current, actor=SYSTEM, proposal=0)
    found = caller.get("/agents/support/documents/system-prompt/compare?from=1&to=2").json()
    assert (found["words_added"], found["words_removed"]) == (1, 1)
    assert "+- Refunds are possible within 14 days" in found["diff"]


def test_feedback_is_withdrawn_once_and_kept(caller: Caller, support: Agent) -> None:
    found = pattern(support, report(support, "anna"), report(support, "ben"))
    statuses = [caller.delete("/feedback/f0-anna").status_code for _ in range(2)]
    found.refresh_from_db()
    assert statuses == [204, 204]
    assert Feedback.objects.get(external_id="f0-anna").withdrawn_at
    assert found.support == 1
    assert AuditEntry.objects.filter(verb="feedback.withdrawn").count() == 1
    assert caller.delete("/feedback/nothing").status_code == 404


def test_a_key_for_all_says_whose_feedback_it_withdraws(support: Agent, coder: Agent, make_caller: MakeCaller) -> None:
    caller = make_caller(None, "ingest")
    for agent in (support, coder):
        report(agent, "anna", external_id="a/b ü")
    assert caller.delete("/feedback/a/b%20%C3%BC").status_code == 422
    assert caller.delete("/feedback/a/b%20%C3%BC?agent=coder").status_code == 204
    assert Feedback.objects.get(agent=support).withdrawn_at is None


def test_a_pattern_shows_its_evidence_and_trend(caller: Caller, support: Agent) -> None:
    found = pattern(support, report(support, "anna"), report(support, "ben"))
    shown = caller.get(f"/patterns/{found.pk}").json()
    assert set(shown["feedback"]) == {"f0-anna", "f1-ben"}
    assert (shown["support"], shown["runs"]) == (2, [])
    assert shown["trend"] == [{"day": timezone.now().date().isoformat(), "items": 2}]
    assert caller.get("/patterns/999999").status_code == 404
    assert len(caller.get("/patterns?kind=complaint&status=open").json()["items"]) == 1
    assert caller.get("/patterns?kind=grumble").status_code == 422


def test_a_pattern_says_what_it_amounts_to(caller: Caller, support: Agent) -> None:
    items = [report(support, who, reason="refund deadline", reason_code="wrong", version=2) for who in ("a", "b", "c")]
    found = pattern(support, *items)
    shown = caller.get(f"/patterns/{found.pk}").json()
    assert shown["severity"] == {"level": "high", "sources": 3, "among": 3, "mostly": "wrong answers"}
    assert (shown["versions"], shown["rate"], shown["hints"]) == ([{"version": 2, "items": 3}], None, None)
    assert shown["typical"] in shown["feedback"]
    assert (shown["tools"], shown["least_typical"], shown["related"]) == ([], [], [])


def test_a_key_of_one_agent_is_not_told_of_patterns_of_another(
    support: Agent, coder: Agent, make_caller: MakeCaller
) -> None:
    found, there = (pattern(agent, *(report(agent, who) for who in ("a", "b"))) for agent in (support, coder))
    shared = SharedPattern.objects.create(
        kind="complaint", support=4, sources=2, agents=2, first_seen=timezone.now(), last_seen=timezone.now()
    )
    SharedMember.objects.bulk_create(SharedMember(pattern=one, shared=shared) for one in (found, there))
    everybodys = make_caller(None, "read").get(f"/patterns/{found.pk}").json()
    assert [other["id"] for other in everybodys["related"]] == [there.pk]
    assert make_caller(support, "read").get(f"/patterns/{found.pk}").json()["related"] == []


def test_an_agent_shows_when_drafts_are_made_for_it(caller: Caller, support: Agent) -> None:
    usual = {"runs_a_day": 0, "by_hand": False, "reports": 2, "window_h": 72, "cooldown_h": 12}
    assert caller.get("/agents/support").json()["traffic"] == {"profile": "low", **usual}
    Agent.objects.filter(pk=support.pk).update(traffic="critical", draft_window_h=6)
    shown = caller.get("/agents").json()["items"][-1]["traffic"]
    assert (shown["profile"], shown["reports"], shown["window_h"], shown["by_hand"]) == ("critical", 1, 6, True)


def test_an_agent_proposes_with_evidence(caller: Caller, support: Agent) -> None:
    report(support, "anna")
    response = caller.post("/proposals", wish(evidence=["f0-anna", "f0-anna"]))
    proposal = Proposal.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": proposal.pk,
        "url": f"http://testserver/proposals/{proposal.pk}",
        "state": "pending",
    }
    assert (proposal.origin, proposal.evidence.count()) == ("agent", 1)
    shown = caller.get(f"/proposals/{proposal.pk}").json()
    assert "+- Refunds are possible within 14 days" in shown["diff"]
    assert shown["revisions"][0]["content"] == wish()["content"]
    assert shown["stale"] is False
    assert (shown["risk"], shown["impact"], shown["turn"], shown["assignees"]) == ("medium", 1, "reviewers", [])
    assert "An agent wrote it." in shown["risk_reasons"]


@pytest.mark.parametrize(
    ("more", "status", "kind"),
    [
        ({"base_version": 7}, 409, "stale-base"),
        ({"content": PROMPT}, 422, "invalid-body"),
        ({"title": " "}, 422, "invalid-body"),
        ({"title": "x" * 201}, 422, "invalid-body"),
        ({"rationale": ""}, 422, "invalid-body"),
        ({"evidence": ["nothing"]}, 422, "invalid-body"),
        ({"document": "other"}, 404, "not-found"),
        ({"agent": "other"}, 404, "not-found"),
        ({"approve": True}, 422, "invalid-body"),
    ],
)
def test_a_bad_proposal_is_refused(caller: Caller, more: dict[str, Any], status: int, kind: str) -> None:
    response = caller.post("/proposals", wish(**more))
    assert (response.status_code, response.json()["type"]) == (status, f"/problems/{kind}")
    assert not Proposal.objects.exists()


def test_an_agent_proposes_for_a_pattern(caller: Caller, support: Agent) -> None:
    for who in "abc":
        failure(support, who, "Tool x timed out after 5 s")
        report(support, f"other {who}", reason="the refund window is wrong")
    mine(support)
    pattern, gone = Pattern.objects.filter(agent=support).order_by("kind")[::-1]
    assert caller.post("/proposals", wish(pattern=pattern.pk, evidence=["f0-a"])).status_code == 422
    response = caller.post("/proposals", wish(pattern=pattern.pk))
    proposal = Proposal.objects.get()
    assert (response.status_code, proposal.pattern, proposal.evidence.count()) == (201, pattern, 3)
    shown = caller.get(f"/patterns/{pattern.pk}").json()
    assert (shown["kind"], shown["error_class"], shown["status"]) == ("error", "timeout", "proposed")
    Pattern.objects.filter(pk=gone.pk).update(status="dismissed")
    for pk in (gone.pk, pattern.pk + 1000, 0, 2**63):
        refused = caller.post("/proposals", wish(title="Other", pattern=pk))
        assert (refused.status_code, refused.json()["errors"][0]["loc"][-1]) == (422, "pattern")


def test_the_same_proposal_twice_is_409(caller: Caller) -> None:
    assert [caller.post("/proposals", wish()).status_code for _ in range(2)] == [201, 409]


def test_the_log_is_read_page_by_page_and_filtered(caller: Caller, make_caller: MakeCaller) -> None:
    everything = make_caller(None, "audit")
    create_agent("other", name="Other", actor=SYSTEM)
    seal()
    first = everything.get("/audit?limit=2").json()
    rest = everything.get(f"/audit?cursor={first['next']}").json()
    sequences = [item["sequence"] for item in first["items"] + rest["items"]]
    assert sequences == list(range(len(sequences), 0, -1))
    assert {item["verb"] for item in everything.get("/audit?verb=agent.created").json()["items"]} == {"agent.created"}
    assert {item["agent"] for item in caller.get("/audit").json()["items"]} == {"support"}


def grow(support: Agent, mara: User, upto: int) -> None:
    """Make the board larger: agents, documents, versions, patterns, proposals."""
    for number in range(Agent.objects.count(), upto):
        agent = create_agent(f"a{number}", name="A", actor=SYSTEM, documents={"p": PROMPT, "q": "x\n"})
        pattern(agent, report(agent, "anna"), report(agent, "ben"))
        document = create_document(support, f"d{number}", text=PROMPT, actor=SYSTEM)
        propose(document, mara)


@pytest.mark.parametrize(
    "path",
    [
        "/agents",
        "/patterns",
        "/proposals",
        "/audit",
        "/agents/support",
        "/agents/support/documents/system-prompt/versions",
    ],
)
def test_lists_take_as_many_queries_with_ten_times_the_data(
    make_caller: MakeCaller, support: Agent, mara: User, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.keys.CACHE_SECONDS", 600.0)  # on a slow machine the key would be looked up again
    caller = make_caller(None)
    counts = []
    for size in (2, 20):
        grow(support, mara, size)
        seal()
        caller.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert caller.get(path).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 4


def test_the_interface_describes_itself_without_a_key(keyless: Caller) -> None:
    schema = keyless.get("/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    body = schema["paths"]["/api/v1/feedback"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert "reason_code" in body["oneOf"][0]["properties"]
    assert {"Key"} == set(schema["components"]["securitySchemes"])


def test_the_page_of_the_interface_loads_nothing_from_elsewhere(keyless: Caller) -> None:
    response = keyless.get("/docs")
    page = response.content.decode()
    assert response.status_code == 200
    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert "http://" not in page
    assert "https://" not in page
    assert "style=" not in page


def test_zones_that_no_database_knows_are_times_like_any_other(make_caller: MakeCaller, support: Agent) -> None:
    caller, zone = make_caller(None, "audit", "read"), "%2B19:31"
    for path, status in (
        (f"/audit?since=2026-02-26T10:17:22{zone}", 200),
        (f"/audit?until=1040-02-26T10:17:22{zone}", 200),
        (f"/audit?until=0001-01-01T10:17:22{zone}", 422),
        ("/audit?since=2026-02-26T10:17:22", 200),
        (f"/agents/support/then?at=2026-02-26T10:17:22{zone}", 200),
        (f"/agents/support/instructions/system-prompt?at=2026-02-26T10:17:22{zone}", 404),
    ):
        assert caller.get(path).status_code == status, path


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/agents/support/blame", "/audit%00", "/agents?x=%00"])
def test_other_addresses_are_problems_too(caller: Caller, path: str) -> None:
    response = caller.get(path or "/")
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


def test_a_wrong_method_is_a_problem_too(caller: Caller) -> None:
    response = caller.send("put", "/agents")
    assert (response.status_code, response["Content-Type"]) == (405, "application/problem+json")
    assert "GET" in response["Allow"]
