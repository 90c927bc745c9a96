"""API keys: made, read, refused, revoked."""

import string
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from agents import keys, tokens
from agents.models import Agent, ApiKey
from audit.models import AuditEntry
from audit.record import SYSTEM
from people.models import User
from people.signin import first_admin


@pytest.fixture
def agent(db: None) -> Agent:
    return Agent.objects.create(slug="support", name="Support")


def test_a_key_opens_what_it_was_made_for(agent: Agent) -> None:
    key, token = keys.create(agent, ["read", "ingest"], owner=first_admin(), actor=SYSTEM)
    caller = keys.authenticate(token)
    assert (caller.key_id, caller.agent_id, caller.scopes) == (key.pk, agent.pk, {"read", "ingest"})


def test_only_the_hash_of_a_key_is_stored(agent: Agent) -> None:
    key, token = keys.create(agent, ["read"], owner=first_admin(), actor=SYSTEM)
    row = ApiKey.objects.values().get(pk=key.pk)
    assert len(bytes(row["digest"])) == 32
    assert not any(token.split("_", 2)[2] in str(value) for value in row.values())
    assert token.split("_", 2)[2] not in AuditEntry.objects.get(verb="key.created").body


def test_a_key_has_the_promised_form(agent: Agent) -> None:
    key, token = keys.create(agent, ["read"], owner=first_admin(), actor=SYSTEM)
    mark, prefix, secret = token.split("_")
    assert (mark, prefix, len(secret)) == ("csk", key.prefix, 43 + 6)
    assert set(prefix + secret) <= set(string.ascii_letters + string.digits)


def test_any_single_typo_is_refused_without_a_query(agent: Agent, django_assert_num_queries: Any) -> None:
    _, token = keys.create(agent, ["read"], owner=first_admin(), actor=SYSTEM)
    with django_assert_num_queries(0):
        for place in range(4, len(token)):
            typo = token[:place] + ("a" if token[place] != "a" else "b") + token[place + 1 :]
            with pytest.raises(tokens.BadKey):
                keys.authenticate(typo)


@given(st.text(max_size=80))
def test_no_text_at_all_breaks_the_parser(text: str) -> None:
    with pytest.raises(tokens.BadKey):
        tokens.parse(text)


def test_a_well_formed_key_of_somebody_elses_making_is_refused(agent: Agent) -> None:
    key, _ = keys.create(agent, ["read"], owner=first_admin(), actor=SYSTEM)
    body = f"csk_{key.prefix}_{'x' * 43}"
    with pytest.raises(tokens.BadKey):
        keys.authenticate(body + tokens._checksum(body))


def test_a_revoked_key_is_refused_at_once_where_it_was_revoked(
    agent: Agent,
    django_capture_on_commit_callbacks: Any,
) -> None:
    key, token = keys.create(agent, ["read"], owner=first_admin(), actor=SYSTEM)
    keys.authenticate(token)
    with django_capture_on_commit_callbacks(execute=True):
        assert keys.revoke(key.prefix, actor=SYSTEM)
    with pytest.raises(tokens.BadKey):
        keys.authenticate(token)
    assert AuditEntry.objects.filter(verb="key.revoked").count() == 1


def test_a_key_revoked_elsewhere_is_refused_within_the_stated_bound(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, token = keys.create(agent, ["read"], owner=first_admin(), actor=SYSTEM)
    keys.authenticate(token)
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())
    later = keys.time.monotonic() + keys.CACHE_SECONDS + 0.01
    monkeypatch.setattr(keys.time, "monotonic", lambda: later)
    with pytest.raises(tokens.BadKey):
        keys.authenticate(token)


def test_revoking_twice_changes_nothing(agent: Agent) -> None:
    key, _ = keys.create(agent, ["read"], owner=first_admin(), actor=SYSTEM)
    assert keys.revoke(key.prefix, actor=SYSTEM)
    assert not keys.revoke(key.prefix, actor=SYSTEM)
    assert AuditEntry.objects.filter(verb="key.revoked").count() == 1


def test_an_expired_key_is_refused(agent: Agent) -> None:
    key, token = keys.create(agent, ["read"], owner=first_admin(), actor=SYSTEM)
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(tokens.BadKey, match="expired"):
        keys.authenticate(token)


def test_keys_live_for_a_year_unless_told_otherwise(agent: Agent) -> None:
    key, _ = keys.create(agent, ["read"], owner=first_admin(), actor=SYSTEM)
    assert key.expires_at
    assert timedelta(days=364) < key.expires_at - timezone.now() <= timedelta(days=365)


def test_last_use_is_written_at_most_once_a_minute(agent: Agent) -> None:
    key, token = keys.create(agent, ["read"], owner=first_admin(), actor=SYSTEM)
    keys.authenticate(token)
    first = ApiKey.objects.get(pk=key.pk).last_used_at
    assert first
    keys._known.clear()
    keys.authenticate(token)
    assert ApiKey.objects.get(pk=key.pk).last_used_at == first
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=first - timedelta(seconds=61))
    keys._known.clear()
    keys.authenticate(token)
    again = ApiKey.objects.get(pk=key.pk).last_used_at
    assert again
    assert again >= first


@pytest.mark.parametrize("scopes", [[], ["approve"], ["read", "everything"]])
def test_scopes_must_be_known_ones(agent: Agent, scopes: list[str]) -> None:
    with pytest.raises(ValueError, match="Use scopes among"):
        keys.create(agent, scopes, owner=first_admin(), actor=SYSTEM)


def test_create_key_prints_the_key_alone_on_standard_output(agent: Agent) -> None:
    User.objects.create_user("alice")
    out, err = StringIO(), StringIO()
    arguments = ["support", "--scope", "ingest", "--scope", "read", "--owner", "alice"]
    call_command("create_key", *arguments, stdout=out, stderr=err)
    token = out.getvalue().removesuffix("\n")
    caller = keys.authenticate(token)
    assert "\n" not in token
    assert caller.party == f"person:{User.objects.get().pk}"
    assert "shown only this once" in err.getvalue()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Name one agent"),
        (["support", "--all"], "Name one agent"),
        (["nobody"], "There is no agent “nobody”"),
        (["support", "--owner", "nobody"], "There is no person “nobody”"),
        (["support", "--expires-days", "0"], "1 to 36500 days"),
    ],
)
def test_create_key_explains_what_is_wrong(agent: Agent, arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("create_key", *arguments, "--scope", "read", stdout=StringIO(), stderr=StringIO())
    assert not ApiKey.objects.exists()


def test_revoke_key_ends_a_key(agent: Agent) -> None:
    key, _ = keys.create(agent, ["read"], owner=first_admin(), actor=SYSTEM)
    out = StringIO()
    call_command("revoke_key", key.prefix, stdout=out)
    call_command("revoke_key", key.prefix, stdout=out)
    assert out.getvalue().split("\n")[:2] == [f"Key {key.prefix} is revoked.", f"Key {key.prefix} was revoked before."]
    with pytest.raises(CommandError, match="There is no key"):
        call_command("revoke_key", "nobody")


def test_create_agent_makes_version_1_of_each_document(db: None, tmp_path: Path) -> None:
    file = tmp_path / "prompt.md"
    file.write_text("# Hello\n")
    call_command("create_agent", "writer", "--document", f"system-prompt={file}", stdout=StringIO())
    document = Agent.objects.get(slug="writer").documents.get()
    assert document.current
    assert (document.slug, document.current.number, document.current.text) == ("system-prompt", 1, "# Hello\n")
    with pytest.raises(CommandError, match="writer"):
        call_command("create_agent", "writer", stdout=StringIO())


@pytest.mark.parametrize("value", ["prompt", "prompt=/no/such/file", "two words=x"])
def test_create_agent_refuses_documents_it_cannot_read(db: None, value: str) -> None:
    with pytest.raises(CommandError):
        call_command("create_agent", "writer", "--document", value)
    assert not Agent.objects.exists()
