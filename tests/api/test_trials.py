"""New outputs for real cases, handed in by a tool that ran the agent, and shown for what they are."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test import Client
from django.urls import reverse

from agents.models import Agent, Document
from audit.models import AuditEntry
from feedback.models import Feedback
from people.models import User
from proposals.actions.decisions import reject
from proposals.actions.proposals import amend
from proposals.models import Proposal, ProposalEvidence, Trial
from tests.api.conftest import Caller, MakeCaller
from tests.cast import PROMPT, digest_of, propose, report

OLD, NEW = "You have 30 days to return it.", "You have 14 days to return it."


@pytest.fixture
def case(support: Agent) -> Feedback:
    return report(support, "anna", input="How long can I return a course?", output=OLD, correction="14 days")


@pytest.fixture
def proposal(prompt: Document, aiko: User, case: Feedback) -> Proposal:
    made = propose(prompt, aiko)
    ProposalEvidence.objects.create(proposal=made, feedback=case)
    ProposalEvidence.objects.create(proposal=made, feedback=report(prompt.agent, "ben", reason="wrong"))
    return made


def body(proposal: Proposal, case: Feedback, **more: Any) -> dict[str, Any]:
    one = {"feedback": case.external_id, "output": NEW, "model": "large", **more}
    return {"revision": digest_of(proposal), "outputs": [one]}


def test_a_tool_gets_the_cases_and_hands_in_what_the_agent_answers(
    caller: Caller, proposal: Proposal, case: Feedback
) -> None:
    cases = caller.get(f"/proposals/{proposal.pk}/cases").json()
    assert cases["revision"] == digest_of(proposal)
    assert "14 days" in cases["content"]
    assert cases["items"] == [
        {"feedback": case.external_id, "input": case.input, "output": OLD, "correction": "14 days", "expected": ""}
    ]
    path = f"/proposals/{proposal.pk}/outputs"
    first, again = caller.post(path, body(proposal, case)), caller.post(path, body(proposal, case))
    assert (first.status_code, first.json()) == (201, {"stored": 1, "duplicates": 0})
    assert (again.status_code, again.json()) == (200, {"stored": 0, "duplicates": 1})
    entry = AuditEntry.objects.get(verb="proposal.outputs_handed_in")
    assert (entry.actor_kind, entry.fact["after"]["outputs"]) == ("key", 1)


def test_an_output_is_not_replaced(caller: Caller, proposal: Proposal, case: Feedback) -> None:
    path = f"/proposals/{proposal.pk}/outputs"
    caller.post(path, body(proposal, case))
    other = caller.post(path, body(proposal, case, output="Else."))
    assert (other.status_code, other.json()["type"]) == (409, "/problems/duplicate-output")
    assert caller.post(path, body(proposal, case, output="Else.", model="small")).status_code == 201
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE proposals_trial SET output = 'Better.'")


@pytest.mark.parametrize(
    ("change", "loc"),
    [
        ({"revision": "0" * 64}, ["revision"]),
        ({"revision": "short"}, ["revision"]),
        ({"outputs": []}, ["outputs"]),
        ({"outputs": [{"feedback": "f1-ben", "output": "x"}]}, ["outputs", 0, "feedback"]),
        ({"outputs": [{"feedback": "f0-anna", "output": ""}]}, ["outputs", 0, "output"]),
        ({"outputs": [{"feedback": "f0-anna", "output": "x" * 10_001}]}, ["outputs", 0, "output"]),
        ({"outputs": [{"feedback": "f0-anna", "output": "x", "more": 1}]}, ["outputs", 0, "more"]),
    ],
)
def test_what_is_wrong_is_refused_by_field(
    caller: Caller, proposal: Proposal, case: Feedback, change: dict[str, Any], loc: list[str | int]
) -> None:
    refused = caller.post(f"/proposals/{proposal.pk}/outputs", body(proposal, case) | change)
    assert refused.status_code == 422
    assert [error["loc"] for error in refused.json()["errors"]] == [loc]
    assert not Trial.objects.exists()


def test_a_decided_proposal_and_anothers_take_none(
    caller: Caller, proposal: Proposal, case: Feedback, mara: User, coder: Agent, make_caller: MakeCaller
) -> None:
    path, sent = f"/proposals/{proposal.pk}/outputs", body(proposal, case)
    assert make_caller(coder).post(path, sent).status_code == 404
    assert make_caller(coder).get(f"/proposals/{proposal.pk}/cases").status_code == 404
    assert caller.post(f"/proposals/{2**63}/outputs", sent).status_code == 404
    reader = make_caller(proposal.document.agent, "read", "ingest", "audit")
    assert (reader.post(path, sent).status_code, reader.get(path).status_code) == (403, 405)
    assert Caller("", Client()).post(path, sent).status_code == 401
    reject(proposal.pk, user=mara, digest=digest_of(proposal), reason="wrong_fix", note="No.")
    assert caller.post(path, sent).status_code == 409


def test_reviewers_see_old_against_new_and_when_the_text_moved_on(
    caller: Caller, client: Client, proposal: Proposal, case: Feedback, mara: User, aiko: User
) -> None:
    client.force_login(mara)
    pages = [reverse("proposal", args=[proposal.pk]), reverse("cases", args=[proposal.pk])]
    before = [client.get(page).text for page in pages]
    assert "No new outputs yet" in before[0]
    assert f"/api/v1/proposals/{proposal.pk}/outputs" in before[1]
    assert case.external_id in before[1]
    evil = "You have <b>14</b> days\u202e to return it."
    caller.post(f"/proposals/{proposal.pk}/outputs", body(proposal, case, output=evil))
    for page in pages:
        text = client.get(page).text
        assert "<del>30</del>" in text
        assert "&lt;b&gt;14&lt;/b&gt;" in text.replace("<ins>", "").replace("</ins>", "")
        assert "U+202E" in text
        assert "not the newest" not in text
    amend(proposal.pk, user=aiko, text=PROMPT.replace("30", "15"), note="", digest=digest_of(proposal))
    for page in pages:
        assert "Under revision 1, not the newest" in client.get(page).text
