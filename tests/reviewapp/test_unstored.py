"""What browsers and proxies may keep: static files, and nothing that is of somebody."""

import pytest
from django.test import Client
from django.urls import reverse

from agents import keys
from agents.models import Agent, Document
from audit.record import SYSTEM
from people.models import User
from proposals.models import Proposal
from tests.api.conftest import ALL_SCOPES, Caller

pytestmark = pytest.mark.django_db


def kept(client: Client, path: str) -> str:
    return str(client.get(path).headers.get("Cache-Control", ""))


def test_no_page_is_kept(client: Client, luis: User, pending: Proposal) -> None:
    client.force_login(luis)
    pages = [reverse(name) for name in ("queue", "patterns", "settings", "account_login")]
    export = f"{reverse('audit_export')}?form=csv"
    for path in [*pages, reverse("proposal", args=[pending.pk]), export, "/nowhere/"]:
        assert "no-store" in kept(client, path), path
    assert "no-store" in kept(Client(), reverse("queue"))


def test_what_a_form_was_refused_with_can_be_gone_back_to(client: Client, prompt: Document, mara: User) -> None:
    client.force_login(mara)
    refused = client.post(reverse("propose", args=["support", "system-prompt"]), {})
    assert refused.headers["Cache-Control"] == "private, no-cache"


def test_static_files_and_what_an_agent_has_already_are(
    client: Client, support: Agent, prompt: Document, ada: User
) -> None:
    assert "no-store" not in kept(client, "/static/countersign.css")
    caller = Caller(keys.create(None, ALL_SCOPES, owner=ada, actor=SYSTEM)[1], client)
    path = "/agents/support/instructions/system-prompt"
    first = caller.get(path)
    assert first.headers["Cache-Control"] == "no-cache"
    assert caller.get(path, **{"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert caller.get("/agents").headers["Cache-Control"] == "no-store"
