"""Agents, keys and callers for the tests of the REST interface."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from agents import keys
from agents.models import Agent, ApiKey
from agents.versions import create_agent
from audit.record import SYSTEM
from people.models import User
from people.signin import first_admin

ALL_SCOPES = list(ApiKey.Scope.values)


@dataclass
class Caller:
    """A program with one key."""

    token: str
    client: Client

    def get(self, path: str, **headers: str) -> Any:
        return self.send("get", path, **headers)

    def delete(self, path: str) -> Any:
        return self.send("delete", path)

    def post(self, path: str, body: Any) -> Any:
        return self.post_raw(path, json.dumps(body).encode())

    def put(self, path: str, body: Any) -> Any:
        sent = json.dumps(body).encode()
        return self.client.generic("PUT", f"/api/v1{path}", sent, "application/json", headers=self._headers())

    def post_raw(self, path: str, body: bytes, content_type: str = "application/json") -> Any:
        return self.client.generic("POST", f"/api/v1{path}", body, content_type, headers=self._headers())

    def send(self, method: str, path: str, **headers: str) -> Any:
        return self.client.generic(method.upper(), f"/api/v1{path}", headers={**self._headers(), **headers})

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


MakeCaller = Callable[..., Caller]


@pytest.fixture
def coder(db: None) -> Agent:
    return create_agent("coder", name="Coder", actor=SYSTEM, documents={"system-prompt": "# Style\n\nBe brief.\n"})


@pytest.fixture
def make_caller() -> MakeCaller:
    def make(agent: Agent | None, *scopes: str, owner: User | None = None) -> Caller:
        _, token = keys.create(agent, scopes or ALL_SCOPES, owner=owner or first_admin(), actor=SYSTEM)
        return Caller(token, Client())

    return make


@pytest.fixture
def caller(support: Agent, make_caller: MakeCaller) -> Caller:
    """With every scope, for the support agent."""
    return make_caller(support)


@pytest.fixture
def keyless(db: None) -> Caller:
    """Without a key."""
    return Caller("", Client())
