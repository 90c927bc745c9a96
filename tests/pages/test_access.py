"""Every page met by nobody, by somebody without the right, and by somebody with it."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Document
from agents.versions import create_agent
from audit.record import SYSTEM
from feedback.actions.mining import mine
from feedback.models import Feedback, Pattern
from people.models import User
from people.roles import Role
from people.signin import create_person
from proposals.actions.comments import Spot, open_thread
from proposals.models import Comment, Proposal, ProposalEvidence, Rollout, Thread
from tests.cast import propose, shared
from tests.rollouts import start

Address = Callable[[Proposal, Pattern], str]


def _item(proposal: Proposal) -> ProposalEvidence:
    return ProposalEvidence.objects.get_or_create(proposal=proposal, feedback=Feedback.objects.earliest("pk"))[0]


READ: dict[str, Address] = {
    "queue": lambda proposal, pattern: reverse("queue"),
    "saved filters": lambda proposal, pattern: reverse("saved_filters"),
    "updates": lambda proposal, pattern: reverse("updates"),
    "proposal": lambda proposal, pattern: reverse("proposal", args=[proposal.pk]),
    "revision": lambda proposal, pattern: reverse("revision", args=[proposal.pk, 1]),
    "agents": lambda proposal, pattern: reverse("agents"),
    "agent": lambda proposal, pattern: reverse("agent", args=["support"]),
    "document": lambda proposal, pattern: reverse("document", args=["support", "system-prompt"]),
    "version": lambda proposal, pattern: reverse("version", args=["support", "system-prompt", 1]),
    "compare": lambda proposal, pattern: reverse("compare", args=["support", "system-prompt"]),
    "patterns": lambda proposal, pattern: reverse("patterns"),
    "pattern": lambda proposal, pattern: reverse("pattern", args=[pattern.pk]),
    "shared pattern": lambda proposal, pattern: reverse("shared_pattern", args=[shared(pattern).pk]),
    "cases": lambda proposal, pattern: reverse("cases", args=[proposal.pk]),
    "candidates": lambda proposal, pattern: reverse("candidates", args=[pattern.pk]),
    "why": lambda proposal, pattern: reverse("why", args=[pattern.pk, pattern.evidence.earliest("pk").pk]),
    "policy": lambda proposal, pattern: reverse("policy"),
    "rollouts": lambda proposal, pattern: reverse("rollouts"),
    "rollout": lambda proposal, pattern: reverse("rollout", args=[_rollout().pk]),
    "rollout plans": lambda proposal, pattern: reverse("rollout_plans"),
    "audit log": lambda proposal, pattern: reverse("audit_log"),
    "public keys": lambda proposal, pattern: reverse("audit_keys"),
    "program for auditors": lambda proposal, pattern: reverse("audit_program"),
}
"""Pages that every role may read."""

WRITE: dict[str, tuple[str, Address]] = {
    "amend": ("mara", lambda proposal, pattern: reverse("amend", args=[proposal.pk])),
    "propose": ("aiko", lambda proposal, pattern: reverse("propose", args=["support", "system-prompt"])),
    "roll back": ("aiko", lambda proposal, pattern: reverse("roll_back", args=["support", "system-prompt"]) + "?to=1"),
    "together": ("mara", lambda proposal, pattern: f"{reverse('together')}?id={proposal.pk}"),
    "together done": ("mara", lambda proposal, pattern: reverse("together_done")),
    "redraft": ("mara", lambda proposal, pattern: reverse("redraft", args=[proposal.pk])),
    "bypass": ("ada", lambda proposal, pattern: reverse("bypass", args=[proposal.pk])),
    "new key": ("ada", lambda proposal, pattern: reverse("new_key", args=["support"])),
    "freeze": ("aiko", lambda proposal, pattern: reverse("freeze")),
    "traffic": ("aiko", lambda proposal, pattern: reverse("traffic", args=["support"])),
    "sections": ("ada", lambda proposal, pattern: reverse("sections", args=["support", "system-prompt"])),
    "new person": ("ada", lambda proposal, pattern: reverse("new_person")),
    "person": ("ada", lambda proposal, pattern: reverse("person", args=[proposal.author_id])),
}
"""Pages of acts, with somebody who may."""

ACTS: dict[str, Address] = {
    "decide": lambda proposal, pattern: reverse("decide", args=[proposal.pk]),
    "comment": lambda proposal, pattern: reverse("comment", args=[proposal.pk]),
    "reply": lambda proposal, pattern: reverse("reply", args=[_thread(proposal).pk]),
    "resolve": lambda proposal, pattern: reverse("resolve", args=[_thread(proposal).pk]),
    "reopen a thread": lambda proposal, pattern: reverse("reopen_thread", args=[_thread(proposal).pk]),
    "apply": lambda proposal, pattern: reverse("apply_suggestion", args=[_thread(proposal).comments.get().pk]),
    "rebase": lambda proposal, pattern: reverse("rebase", args=[proposal.pk]),
    "redraft on current": lambda proposal, pattern: reverse("redraft_on_current", args=[proposal.pk]),
    "choose": lambda proposal, pattern: reverse("choose", args=[proposal.pk]),
    "alternatives": lambda proposal, pattern: reverse("alternatives", args=[pattern.pk]),
    "assign": lambda proposal, pattern: reverse("assign", args=[proposal.pk]),
    "unassign": lambda proposal, pattern: reverse("unassign", args=[proposal.pk]),
    "withdraw": lambda proposal, pattern: reverse("withdraw", args=[proposal.pk]),
    "take back": lambda proposal, pattern: reverse("take_back", args=[proposal.pk]),
    "exclude": lambda proposal, pattern: reverse("exclude", args=[proposal.pk, _item(proposal).pk]),
    "include": lambda proposal, pattern: reverse("include", args=[proposal.pk, _item(proposal).pk]),
    "merge rules": lambda proposal, pattern: reverse("merge_rules", args=[proposal.pk]),
    "draft": lambda proposal, pattern: reverse("draft", args=[pattern.pk]),
    "dismiss": lambda proposal, pattern: reverse("dismiss", args=[pattern.pk]),
    "reopen": lambda proposal, pattern: reverse("reopen", args=[pattern.pk]),
    "rename": lambda proposal, pattern: reverse("rename", args=[pattern.pk]),
    "merge": lambda proposal, pattern: reverse("merge", args=[pattern.pk]),
    "take apart": lambda proposal, pattern: reverse("part", args=[pattern.pk]),
    "split": lambda proposal, pattern: reverse("split", args=[pattern.pk]),
    "act on a rollout": lambda proposal, pattern: reverse("act_on_rollout", args=[_rollout().pk]),
}


def _rollout() -> Rollout:
    """One of another document, so that nothing here stands in the way of the proposal."""
    people = {user.username: user for user in User.objects.all()}
    author = people.get("aiko") or create_person("aiko", name="Aiko Tanaka", roles=[Role.OPERATOR])
    approver = people.get("jonas") or create_person("jonas", name="Jonas Weber", roles=[Role.REVIEWER])
    agent = create_agent("other", name="Other agent", actor=SYSTEM, documents={"rules": "Say 30 days.\n"})
    return start(propose(agent.documents.get(), author), approver)


def _thread(proposal: Proposal) -> Thread:
    """Aiko's question about its first line."""
    spot, aiko = Spot(1, Thread.Side.NEW, 1, 1), User.objects.get(username="aiko")
    return open_thread(proposal.pk, user=aiko, spot=spot, text="Why?")


ALL = {**READ, **{name: address for name, (_, address) in WRITE.items()}}


@pytest.fixture
def pattern(complaints: list[Feedback]) -> Pattern:
    mine(complaints[0].agent)
    return Pattern.objects.shown().get()


@pytest.mark.parametrize("name", [*ALL, "settings"])
def test_nobody_is_sent_to_sign_in(client: Client, pending: Proposal, pattern: Pattern, name: str) -> None:
    address = reverse("settings") if name == "settings" else ALL[name](pending, pattern)
    response = client.get(address)
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("name", ALL)
def test_somebody_without_a_role_is_refused_with_the_next_step(
    client: Client, stranger: User, pending: Proposal, pattern: Pattern, name: str
) -> None:
    client.force_login(stranger)
    response = client.get(ALL[name](pending, pattern))
    assert response.status_code == 403
    assert "ask an admin" in response.text
    assert response["X-Request-Id"] in response.text


@pytest.mark.parametrize("name", READ)
def test_an_auditor_may_read_everything(
    client: Client, luis: User, pending: Proposal, pattern: Pattern, name: str
) -> None:
    client.force_login(luis)
    assert client.get(READ[name](pending, pattern)).status_code == 200


@pytest.mark.parametrize("name", WRITE)
def test_an_auditor_may_open_no_page_of_an_act(
    client: Client, luis: User, pending: Proposal, pattern: Pattern, name: str
) -> None:
    client.force_login(luis)
    assert client.get(WRITE[name][1](pending, pattern)).status_code == 403


@pytest.mark.parametrize("name", WRITE)
def test_somebody_with_the_right_opens_the_page_of_an_act(
    client: Client, mara: User, ada: User, pending: Proposal, pattern: Pattern, name: str
) -> None:
    username, address = WRITE[name]
    client.force_login(User.objects.get(username=username))
    assert client.get(address(pending, pattern)).status_code == 200


@pytest.mark.parametrize("name", ACTS)
def test_no_act_happens_by_opening_its_address(
    client: Client, mara: User, pending: Proposal, pattern: Pattern, name: str
) -> None:
    client.force_login(mara)
    response = client.get(ACTS[name](pending, pattern))
    assert response.status_code == 302
    pending.refresh_from_db()
    assert pending.status == Proposal.Status.PENDING
    assert Pattern.objects.get(pk=pattern.pk).status == pattern.status


@pytest.mark.parametrize("name", ACTS)
def test_an_auditor_may_do_nothing(client: Client, luis: User, pending: Proposal, pattern: Pattern, name: str) -> None:
    client.force_login(luis)
    digest = pending.revision.digest if pending.revision else ""
    talk = {"revision": 1, "side": "new", "line": 1, "end": 1, "text": "Hm"}
    sent = {"verdict": "approve", "digest": digest, "reason": "too_risky", "act": "stop", "epoch": 0, **talk}
    assert client.post(ACTS[name](pending, pattern), sent).status_code == 403
    pending.refresh_from_db()
    assert pending.status == Proposal.Status.PENDING
    assert not Comment.objects.exclude(author__username="aiko").exists()
    assert not Thread.objects.exclude(resolved_at=None).exists()


@pytest.mark.parametrize(
    "address", ["/proposals/999/", "/patterns/999/", "/patterns/across/999/", "/agents/none/", "/agents/support/none/"]
)
def test_what_is_not_there_is_a_plain_404(client: Client, mara: User, prompt: Document, address: str) -> None:
    client.force_login(mara)
    response = client.get(address)
    assert response.status_code == 404
    assert response["X-Request-Id"] in response.text
