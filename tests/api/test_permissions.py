"""Every call, met by every kind of caller."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from agents import keys
from agents.models import Agent, ApiKey
from feedback.models import Feedback
from people.models import User
from proposals.models import Proposal
from tests.api.conftest import ALL_SCOPES, Caller, MakeCaller
from tests.cast import report

CALLS = {
    "POST /feedback": "ingest",
    "POST /runs": "ingest",
    "DELETE /feedback/f0-anna": "ingest",
    "GET /agents/support/instructions/system-prompt": "read",
    "GET /agents": "read",
    "GET /agents/support": "read",
    "GET /agents/support/health": "read",
    "GET /agents/support/sources": "read",
    "PUT /agents/support/sources": "admin",
    "GET /agents/support/documents/system-prompt/versions": "read",
    "GET /agents/support/documents/system-prompt/versions/1": "read",
    "GET /agents/support/documents/system-prompt/compare?from=1&to=1": "read",
    "GET /patterns": "read",
    "GET /proposals": "read",
    "GET /agents/support/documents/system-prompt/rollouts": "read",
    "GET /audit": "audit",
    "GET /audit/checkpoint": "audit",
    "GET /audit/keys": "audit",
    "POST /agents": "admin",
    "POST /erasures": "admin",
    "GET /keys": "admin",
    "POST /proposals": "propose",
}
ABOUT_SUPPORT = [call for call in CALLS if "support" in call or "f0-anna" in call]


def make(caller: Caller, call: str) -> int:
    method, path = call.split(" ")
    if method == "POST":
        return caller.post(path, {"success": True} if path == "/runs" else {"rating": "positive"}).status_code
    if method == "PUT":
        return caller.put(path, {"sources": 3, "share": 40, "days": 2, "per": "owner"}).status_code
    return caller.send(method, path).status_code


@pytest.fixture
def world(support: Agent) -> None:
    report(support, "anna")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.usefixtures("world")
def test_without_a_key_nothing_is_answered(keyless: Caller, call: str) -> None:
    assert make(keyless, call) == 401


@pytest.mark.usefixtures("world")
def test_a_refusal_says_how_to_sign_in(keyless: Caller) -> None:
    for path in ("/agents", "/agents/support/instructions/system-prompt"):
        response = keyless.get(path)
        assert response["WWW-Authenticate"].startswith("Bearer")
        assert response.json()["type"] == "/problems/bad-key"


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.usefixtures("world")
def test_a_signed_in_person_is_nobody_here(call: str) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    assert make(Caller("", client), call) == 401


@pytest.mark.parametrize(("call", "scope"), CALLS.items())
@pytest.mark.usefixtures("world")
def test_a_key_without_the_scope_is_told_which(support: Agent, make_caller: MakeCaller, call: str, scope: str) -> None:
    caller = make_caller(support, *(other for other in ALL_SCOPES if other != scope))
    assert make(caller, call) == 403


@pytest.mark.parametrize(("call", "scope"), CALLS.items())
@pytest.mark.usefixtures("world")
def test_a_key_with_the_scope_gets_past_the_door(
    support: Agent, make_caller: MakeCaller, call: str, scope: str
) -> None:
    assert make(make_caller(None if scope == "admin" else support, scope), call) not in (401, 403, 404, 500)


@pytest.mark.parametrize("call", ABOUT_SUPPORT)
@pytest.mark.usefixtures("world")
def test_another_agents_key_finds_nothing(coder: Agent, make_caller: MakeCaller, call: str) -> None:
    assert make(make_caller(coder), call) == 404
    assert Feedback.objects.get().withdrawn_at is None


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fate", ["revoked_at", "expires_at"])
@pytest.mark.usefixtures("world")
def test_revoked_and_expired_keys_open_nothing(support: Agent, make_caller: MakeCaller, call: str, fate: str) -> None:
    caller = make_caller(support)
    ApiKey.objects.update(**{fate: timezone.now() - timedelta(seconds=1)})
    assert make(caller, call) == 401


@pytest.mark.usefixtures("world")
def test_lists_show_a_bound_key_its_own_agent_only(coder: Agent, make_caller: MakeCaller) -> None:
    caller = make_caller(coder)
    assert [item["slug"] for item in caller.get("/agents").json()["items"]] == ["coder"]
    assert caller.get("/patterns?agent=support").status_code == 404
    assert caller.get("/proposals?agent=support").status_code == 404
    assert caller.get("/audit?agent=support").json()["items"] == []


def test_nothing_in_the_api_lets_a_key_decide(caller: Caller) -> None:
    paths = caller.get("/openapi.json").json()["paths"]
    assert not any(word in path for path in paths for word in ("approve", "decision", "reject", "promote", "roll-back"))
    assert not Proposal.objects.exists()


@pytest.mark.usefixtures("world")
def test_a_key_that_another_process_revoked_a_moment_ago_changes_nothing(
    support: Agent, make_caller: MakeCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "CACHE_SECONDS", 3600.0)
    caller, other = make_caller(None), make_caller(None).token[4:14]
    assert caller.get("/agents").status_code == 200
    ApiKey.objects.exclude(prefix=other).update(revoked_at=timezone.now())
    assert caller.get("/agents").status_code == 200
    acts = [
        (f"POST /keys/{other}/rotate", {}),
        (f"POST /keys/{other}/quarantine", {"reason": "It leaked."}),
        ("POST /agents", {"slug": "another"}),
        ("POST /erasures", {"name": "anna"}),
        ("PUT /agents/support/sources", {"sources": 5, "share": 30, "days": 3, "per": "owner"}),
        ("DELETE /feedback/f0-anna?agent=support", None),
    ]
    for act, body in acts:
        method, path = act.split(" ")
        send = {"POST": caller.post, "PUT": caller.put}.get(method)
        answer = send(path, body) if send else caller.send(method, path)
        assert answer.status_code == 401, act
    assert ApiKey.objects.count() == 2
