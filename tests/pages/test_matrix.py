"""Every address × every role: who may open it, who may send it a form. An address without a row here fails."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from agents import keys, teams
from agents.models import Agent, ApiKey, Document
from agents.protection import protect
from agents.versions import create_agent, sha256
from audit.models import AuditEntry
from audit.record import SYSTEM
from bench.pages import addresses
from feedback.actions.mining import mine
from feedback.models import Feedback, Pattern
from notices.models import Delivery, Notice
from notices.outbox import tell
from people.accounts import create_person
from people.models import User
from people.roles import Role
from people.teams import create_team
from proposals.actions.comments import Spot, Wording, open_thread
from proposals.actions.policy import set_policy
from proposals.actions.quoting import allow_quoting
from proposals.actions.source_rules import set_rule
from proposals.models import Proposal, ProposalEvidence, Rollout, RolloutPlan, SavedFilter, Thread
from proposals.rules.backing import USUAL
from proposals.rules.plans import BUILT_IN
from reviewapp import gate
from tests.cast import PROMPT, digest_of, propose, shared
from tests.rollouts import start
from tests.safe import settings_of

Roles = frozenset[Role]
SEE: Final = frozenset(Role)
DECIDE: Final = frozenset({Role.REVIEWER, Role.ADMIN})
PROPOSE: Final = DECIDE | {Role.OPERATOR}
OPERATE: Final = frozenset({Role.OPERATOR, Role.ADMIN})
MANAGE: Final = frozenset({Role.ADMIN})
CHECK: Final = frozenset({Role.AUDITOR, Role.ADMIN})
NOBODY: Final[Roles] = frozenset()
AUTHOR: Final = frozenset({Role.OPERATOR})
"""The proposal here is an operator's own."""


class Row(NamedTuple):
    """The names of its arguments, the roles that may open it, and those whose forms it takes."""

    arguments: str
    opened_by: Roles
    sent_by: Roles


DOCUMENT: Final = "agent document"
MATRIX: Final[dict[str, Row]] = {
    "queue": Row("", SEE, NOBODY),
    "saved_filters": Row("", SEE, SEE),
    "change_filter": Row("filter", SEE, SEE),
    "selected": Row("", PROPOSE, PROPOSE),
    "together": Row("", DECIDE, DECIDE),
    "together_done": Row("", DECIDE, NOBODY),
    "updates": Row("", SEE, NOBODY),
    "proposal": Row("proposal", SEE, NOBODY),
    "decide": Row("proposal", SEE, DECIDE),
    "amend": Row("proposal", PROPOSE, PROPOSE),
    "assign": Row("proposal", PROPOSE, PROPOSE),
    "unassign": Row("proposal", PROPOSE, PROPOSE),
    "cases": Row("proposal", SEE, NOBODY),
    "choose": Row("proposal", DECIDE, DECIDE),
    "redraft": Row("proposal", DECIDE, DECIDE),
    "redraft_on_current": Row("proposal", SEE, DECIDE),
    "rebase": Row("proposal", SEE, PROPOSE),
    "withdraw": Row("proposal", SEE, AUTHOR),
    "take_back": Row("proposal", SEE, DECIDE),
    "bypass": Row("proposal", MANAGE, MANAGE),
    "policy": Row("", SEE, MANAGE),
    "notices": Row("", SEE, NOBODY),
    "set_mails": Row("", NOBODY, SEE),
    "send_again": Row("delivery", OPERATE, OPERATE),
    "quoting": Row("", SEE, MANAGE),
    "forbid_quoting": Row("quoting", MANAGE, MANAGE),
    "sources": Row("", SEE, MANAGE),
    "releases": Row("", SEE, MANAGE),
    "remove_source_rule": Row("source_rule", MANAGE, MANAGE),
    "rollout_plans": Row("", SEE, MANAGE),
    "remove_rollout_plan": Row("plan", MANAGE, MANAGE),
    "freeze": Row("", OPERATE, OPERATE),
    "rollouts": Row("", SEE, NOBODY),
    "rollout": Row("rollout", SEE, NOBODY),
    "act_on_rollout": Row("rollout", SEE, PROPOSE),
    "remove_policy": Row("policy", MANAGE, MANAGE),
    "exclude": Row("proposal item", DECIDE, DECIDE),
    "include": Row("proposal item", DECIDE, DECIDE),
    "exclude_commanding": Row("proposal", DECIDE, DECIDE),
    "merge_rules": Row("proposal", PROPOSE, PROPOSE),
    "revision": Row("proposal one", SEE, NOBODY),
    "comment": Row("proposal", SEE, PROPOSE),
    "reply": Row("thread", SEE, PROPOSE),
    "resolve": Row("thread", SEE, PROPOSE),
    "reopen_thread": Row("thread", SEE, PROPOSE),
    "apply_suggestion": Row("comment", SEE, PROPOSE),
    "pattern": Row("pattern", SEE, NOBODY),
    "why": Row("pattern evidence", SEE, NOBODY),
    "draft": Row("pattern", DECIDE, DECIDE),
    "candidates": Row("pattern", SEE, NOBODY),
    "alternatives": Row("pattern", DECIDE, DECIDE),
    "dismiss": Row("pattern", DECIDE, DECIDE),
    "reopen": Row("pattern", DECIDE, DECIDE),
    "rename": Row("pattern", DECIDE, DECIDE),
    "merge": Row("pattern", DECIDE, DECIDE),
    "part": Row("pattern", DECIDE, DECIDE),
    "split": Row("pattern", DECIDE, DECIDE),
    "patterns": Row("", SEE, NOBODY),
    "shared_pattern": Row("shared", SEE, NOBODY),
    "agents": Row("", SEE, NOBODY),
    "agent": Row("agent", SEE, NOBODY),
    "erase": Row("", MANAGE, MANAGE),
    "retention": Row("", MANAGE, MANAGE),
    "traffic": Row("agent", OPERATE, OPERATE),
    "new_key": Row("agent", MANAGE, MANAGE),
    "key": Row("key", SEE, NOBODY),
    "revoke_key": Row("key", NOBODY, MANAGE),
    "rotate_key": Row("key", NOBODY, MANAGE),
    "set_key_rules": Row("key", NOBODY, MANAGE),
    "end_probation": Row("key", NOBODY, MANAGE),
    "taint": Row("key", SEE, NOBODY),
    "quarantine_key": Row("key", NOBODY, MANAGE),
    "lift_quarantine": Row("key", NOBODY, MANAGE),
    "send_back_shaken": Row("key proposal", NOBODY, DECIDE),
    "prepare_rollback": Row("key proposal", NOBODY, PROPOSE),
    "sections": Row(DOCUMENT, DECIDE, MANAGE),
    "unprotect": Row(f"{DOCUMENT} section", NOBODY, DECIDE),
    "document": Row(DOCUMENT, SEE, NOBODY),
    "version": Row(f"{DOCUMENT} one", SEE, NOBODY),
    "download": Row(f"{DOCUMENT} one", SEE, NOBODY),
    "compare": Row(DOCUMENT, SEE, NOBODY),
    "propose": Row(DOCUMENT, PROPOSE, PROPOSE),
    "roll_back": Row(DOCUMENT, PROPOSE, PROPOSE),
    "story": Row("version", SEE, NOBODY),
    "ran_then": Row("", SEE, NOBODY),
    "safe_rules": Row("agent config", SEE, MANAGE),
    "audit_log": Row("", SEE, NOBODY),
    "audit_entry": Row("one", SEE, NOBODY),
    "audit_proof": Row("one", SEE, NOBODY),
    "audit_checkpoint": Row("", SEE, NOBODY),
    "audit_keys": Row("", SEE, NOBODY),
    "audit_program": Row("", SEE, NOBODY),
    "audit_export": Row("", NOBODY, CHECK),
    "audit_make_checkpoint": Row("", NOBODY, CHECK),
    "new_person": Row("", MANAGE, MANAGE),
    "person": Row("person", MANAGE, NOBODY),
    "change_person": Row("person", NOBODY, MANAGE),
    "deactivate_person": Row("person", NOBODY, MANAGE),
    "reactivate_person": Row("person", NOBODY, MANAGE),
    "make_link": Row("person", NOBODY, MANAGE),
    "sign_out_person": Row("person", NOBODY, MANAGE),
    "disconnect_person": Row("person", NOBODY, MANAGE),
    "reset_factor": Row("person", NOBODY, MANAGE),
    "new_team": Row("", MANAGE, MANAGE),
    "team": Row("team", MANAGE, MANAGE),
    "dissolve_team": Row("team", NOBODY, MANAGE),
    "agent_team": Row("agent", MANAGE, MANAGE),
}
"""What needs a role. Opening the address of an act leads to its page; a page that takes no form answers 405 to one."""

ONES_OWN: Final = frozenset(
    {"settings", "set_theme", "set_keys", "set_hints", "account_logout", "account_inactive"}
    | {"account_change_password", "account_set_password", "account_reauthenticate", "mfa_index", "add_factor"}
    | {"mfa_activate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes", "mfa_generate_recovery_codes"}
    | {"mfa_remove_factor", "end_session", "disconnect"}
)
"""What everybody signed in has of their own, with or without a role."""

OPEN: Final = frozenset(
    {"account_login", "sign_in_by_link", "gate", "mfa_login_webauthn", "mfa_authenticate", "start_over"}
    | {"sign_in_by_service", "openid_connect_callback", "csp_reports"}
)
"""What is there to sign in with, and what a signed link opens."""

ELSEWHERE: Final = ("admin/", "api/", "healthz", "readyz", "metrics", "static")
"""Answers to programs: keys and their scopes are tried with the API. What superusers look at has tests of its own."""

NOT_FOR_YOU: Final = (403, 405)


@pytest.fixture
def arguments(pending: Proposal, complaints: list[Feedback], aiko: User, ada: User) -> dict[str, object]:
    """One of each thing that an address can name."""
    document = Document.objects.select_related("agent").get(pk=pending.document_id)
    mine(document.agent)
    pattern = Pattern.objects.shown().get()
    line = PROMPT.splitlines(keepends=True)[0]
    spot = Spot(1, Thread.Side.NEW, 1, 1)
    wording = Wording("# Agent\n", sha256(line))
    thread = open_thread(pending.pk, user=aiko, spot=spot, text="Why?", wording=wording)
    set_policy(user=ada, agent=document.agent, kind="", covers="any", approvals=1, owner_approvals=0)
    key: ApiKey = keys.create(document.agent, ["read"], owner=ada, actor=SYSTEM)[0]
    return {
        "one": 1,
        "agent": document.agent.slug,
        "document": document.slug,
        "version": document.current_id,
        "proposal": pending.pk,
        "pattern": pattern.pk,
        "shared": shared(pattern).pk,
        "evidence": pattern.evidence.earliest("pk").pk,
        "item": ProposalEvidence.objects.create(proposal=pending, feedback=complaints[0]).pk,
        "thread": thread.pk,
        "comment": thread.comments.get().pk,
        "quoting": allow_quoting(user=ada, agent=document.agent, sources=3).pk,
        "source_rule": set_rule(document.agent_id, user=ada, rule=USUAL).pk,
        "policy": document.agent.policies.get().pk,
        "key": key.prefix,
        "section": protect(document, "Safety", owners=[ada], actor=SYSTEM).pk,
        "person": aiko.pk,
        "team": create_team("Night shift", members=[aiko], actor=SYSTEM).pk,
        "rollout": _rollout(aiko, ada).pk,
        "config": settings_of(document.agent, ada).slug,
        "plan": RolloutPlan.objects.create(plan=BUILT_IN.to_json()).pk,
        "delivery": _undelivered().pk,
        "digest": digest_of(pending),
    }


def _undelivered() -> Delivery:
    notice = tell(Notice.Kind.ASKS, key="one", title="One", text="", path="/rollouts/1/", facts={})
    return Delivery.objects.create(notice=notice, channel="mail", state="dead", due_at=timezone.now(), label="Mara")


def _rollout(author: User, approver: User) -> Rollout:
    """One of another document, so that it stands in nobody's way."""
    agent = create_agent("other", name="Other agent", actor=SYSTEM, documents={"rules": "Say 30 days.\n"})
    return start(propose(agent.documents.get(), author), approver)


def _named(patterns: list[URLPattern | URLResolver], above: str = "") -> Iterator[tuple[str, str]]:
    for found in patterns:
        if isinstance(found, URLResolver):
            yield from _named(found.url_patterns, above + str(found.pattern))
        else:
            yield found.name or "", above + str(found.pattern)


def test_every_address_has_a_row() -> None:
    ours = [(name, path) for name, path in _named(get_resolver().url_patterns) if not path.startswith(ELSEWHERE)]
    names = {name for name, _ in ours}
    assert [path for name, path in ours if not name] == []
    assert names == {*MATRIX, *ONES_OWN, *OPEN}


def test_measuring_pages_asks_for_each_of_them() -> None:
    names = {name for name, path in _named(get_resolver().url_patterns) if not path.startswith(ELSEWHERE)}
    asked = Path(addresses.__file__).read_text().partition("def addresses")[2].replace("'", '"')
    assert names >= addresses.NO_PAGES
    assert not [name for name in names - addresses.NO_PAGES if f'"{name}"' not in asked]


def _person(role: Role | None) -> User:
    found = User.objects.filter(groups__name=role).order_by("pk").first() if role else None
    return found or create_person("somebody", name="Sam Somebody", roles=[role] if role else [])


def address_of(name: str, arguments: dict[str, object], person: User) -> str:
    if name == "change_filter":
        return reverse(name, args=[SavedFilter.objects.get_or_create(user=person, name="Mine", query="")[0].pk])
    wanted = [arguments[each] for each in MATRIX[name].arguments.split()]
    return reverse(name, args=wanted) + {"together": f"?id={arguments['proposal']}", "roll_back": "?to=1"}.get(name, "")


def _send(client: Client, address: str, digest: object) -> HttpResponse:
    """A form with enough in it that a refusal is about the person; what it did is undone."""
    lines = {"revision": 1, "side": "new", "line": 1, "end": 1, "text": "Hm"}
    decision = {"verdict": "reject", "digest": digest, "reason": "too_risky", "note": "No."}
    with transaction.atomic():
        answer = client.post(address, {**lines, **decision, "do": "assign", "act": "stop", "epoch": 0})
        transaction.set_rollback(True)
    assert isinstance(answer, HttpResponse)
    return answer


@pytest.mark.parametrize("role", [*Role, None])
def test_every_role_meets_exactly_what_it_may(
    client: Client, arguments: dict[str, object], mara: User, luis: User, role: Role | None
) -> None:
    person = _person(role)
    client.force_login(person)
    for name, row in MATRIX.items():
        address = address_of(name, arguments, person)
        answer = client.get(address, follow=False)
        opened = answer.status_code
        if opened == 403:
            assert "ask an admin" in answer.text, name
            assert answer["X-Request-Id"] in answer.text, name
        sent = _send(client, address, arguments["digest"]).status_code
        assert (opened not in NOT_FOR_YOU, sent not in NOT_FOR_YOU) == (role in row.opened_by, role in row.sent_by), (
            name,
            opened,
            sent,
        )
        assert opened < 500 > sent, (name, opened, sent)


def test_no_act_happens_by_opening_its_address(
    client: Client, arguments: dict[str, object], ada: User, pending: Proposal
) -> None:
    client.force_login(ada)
    for name in MATRIX:
        before = AuditEntry.objects.count()
        assert client.get(address_of(name, arguments, ada)).status_code in (200, 302, 404, 405), name
        assert AuditEntry.objects.count() == before, name
    pending.refresh_from_db()
    assert pending.status == Proposal.Status.PENDING
    assert Pattern.objects.shown().get().status == Pattern.Status.OPEN


def test_no_form_is_taken_that_another_site_sends(arguments: dict[str, object], ada: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada)
    for name in MATRIX:
        sent = {"do": "assign", "csrfmiddlewaretoken": "x" * 64}
        for headers in ({}, {"Referer": "https://evil.example/", "Origin": "https://evil.example"}):
            answer = browser.post(address_of(name, arguments, ada), sent, headers=headers)
            assert answer.status_code == 403, name


def test_nobody_gets_anywhere_without_signing_in(client: Client, arguments: dict[str, object], ada: User) -> None:
    for name in MATRIX:
        address = address_of(name, arguments, ada)
        for answer in (client.get(address), _send(client, address, arguments["digest"])):
            assert answer.status_code == 302, name
            assert answer["Location"].startswith(reverse("account_login")), name
    for name in ONES_OWN - {"account_inactive"}:
        assert client.get(reverse(name)).status_code in (302, 405), name


@pytest.fixture
def night_shift(arguments: dict[str, object], mara: User, luis: User) -> dict[str, object]:
    """All of it is a team's now, whose only reviewer Mara is; besides an entry of the log about its agent."""
    team = create_team("Day shift", members=[mara], actor=SYSTEM)
    for slug in ("support", "other"):
        teams.give_to_team(Agent.objects.get(slug=slug).pk, team.pk, actor=SYSTEM)
    RolloutPlan.objects.filter(pk=str(arguments["plan"])).update(
        document=Document.objects.get(slug=arguments["document"])
    )
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    entry = AuditEntry.objects.filter(agent="support", sequence__isnull=False).latest("pk")
    return arguments | {"entry": entry.sequence}


def _of_agents(night_shift: dict[str, object], person: User) -> Iterator[tuple[str, str]]:
    """Every address that names something of an agent."""
    for name in gate.WAYS:
        of_log = MATRIX[name].arguments == "one"
        arguments = night_shift | {"one": night_shift["entry"]} if of_log else night_shift
        yield name, address_of(name, arguments, person)


def test_every_address_that_names_something_says_whose_it_is() -> None:
    named = {name for name, path in _named(get_resolver().url_patterns) if "<" in path and name in {*MATRIX, *OPEN}}
    assert named == {*gate.WAYS, *gate.OPEN}


def test_what_is_another_teams_is_not_there(client: Client, night_shift: dict[str, object], jonas: User) -> None:
    client.force_login(jonas)
    for name, address in _of_agents(night_shift, jonas):
        opened, sent = client.get(address), _send(client, address, night_shift["digest"])
        assert (opened.status_code, sent.status_code) == (404, 404), name
        assert "Support agent" not in opened.text + sent.text, name


@pytest.mark.parametrize("username", ["mara", "ada", "luis"])
def test_for_its_members_admins_and_auditors_it_is_as_it_was(
    client: Client, night_shift: dict[str, object], username: str
) -> None:
    person = User.objects.get(username=username)
    role = Role(person.groups.get().name)
    client.force_login(person)
    for name, address in _of_agents(night_shift, person):
        opened = client.get(address, follow=False).status_code
        sent = _send(client, address, night_shift["digest"]).status_code
        row = MATRIX[name]
        assert (opened not in NOT_FOR_YOU, sent not in NOT_FOR_YOU) == (role in row.opened_by, role in row.sent_by), (
            name,
            opened,
            sent,
        )
        assert opened != 404 or name == "audit_proof", name
