"""Every page asks the database a fixed number of questions, whatever there is to show."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from agents.keys import create
from agents.models import Agent, ApiKey, Document
from agents.teams import give_to_team
from agents.versions import create_agent, sha256
from audit import checkpoints
from audit.record import SYSTEM
from feedback.actions.exclusion import exclude
from feedback.actions.rollups import count_runs
from feedback.models import Evidence, Pattern, PatternDay, PatternSource, SharedMember, SharedPattern
from notices.models import Delivery, Notice
from notices.outbox import tell
from people.models import Team, User
from people.roles import Role
from people.signin import create_person
from people.teams import create_team
from proposals.actions import comments, decisions, outcomes, proposals
from proposals.actions.comments import Spot, Wording
from proposals.actions.proposals import MOST_CANDIDATES
from proposals.actions.self_starts import start_by_itself
from proposals.actions.steering import stop
from proposals.actions.watching import watch
from proposals.diffs import compute
from proposals.models import CounterExample, Outcome, Proposal, ProposalEvidence, Revision, Rollout, Thread, Trial
from reviewapp import context
from tests.cast import digest_of, failure, propose, report, source
from tests.rollouts import report_runs, start
from tests.safe import draft, settings_of

World = Callable[[int], None]


@pytest.fixture
def grow(prompt: Document, support: Agent, aiko: User, mara: User, jonas: User, ada: User) -> World:
    """Adds n of everything a page could list."""
    config = settings_of(support, ada)
    start_by_itself(draft(config).pk)

    def more(count: int) -> None:
        for _ in range(count):
            number = Proposal.objects.count()
            decided = propose(prompt, aiko, old="Check", new=f"Check {number}")
            decisions.approve(decided.pk, user=mara, digest=digest_of(decided))
            waiting = propose(prompt, aiko, old="Never", new=f"Never {number}")
            text = f"A text {number}.\n"
            proposals.amend(waiting.pk, user=jonas, text=text, note="Shorter", digest=digest_of(waiting))
            _report(support, waiting, number)
            _talk(jonas, mara)
            create(support, ["read"], actor=SYSTEM, owner=jonas)
            create_person(f"p{number}", name=f"Person {number}", roles=[Role.VIEWER, Role.REVIEWER])
            notice = tell(Notice.Kind.ASKS, key=f"{number}", title="One", text="", path="/", facts={})
            now = timezone.now()
            Delivery.objects.create(notice=notice, channel="mail", target="1", state="dead", due_at=now, label="Mara")
            Delivery.objects.create(notice=notice, channel="mail", target="2", due_at=now, label="Jonas")
            texts = {"a": "Say 30 days.\n", "b": "b\n"}
            create_team(f"Team {number}", members=[jonas, mara], actor=SYSTEM)
            others = create_team(f"Others {number}", members=[mara], actor=SYSTEM)
            hidden = create_agent(f"hidden-{number}", name=f"Hidden {number}", actor=SYSTEM, documents={"a": "A.\n"})
            give_to_team(hidden.pk, others.pk, actor=SYSTEM)
            _roll_out(
                create_agent(f"agent-{number}", name=f"Agent {number}", actor=SYSTEM, documents=texts), aiko, mara
            )
            draft(config, new=f"timeout_s: {number + 100}")

        count_runs()
        outcomes.tell_all()
        Outcome.objects.update(told_at=timezone.now())

    return more


def _roll_out(agent: Agent, author: User, approver: User) -> None:
    """One rollout more that runs, one that has ended, and another look at the oldest."""
    document = agent.documents.get(slug="a")
    stop(start(propose(document, author), approver).pk, user=approver, reason="Not today.")
    start(propose(document, author, "Say", "Tell"), approver)
    oldest = Rollout.objects.live().earliest("pk")
    Rollout.objects.filter(pk=oldest.pk).update(state=Rollout.State.WAITING, epoch=F("epoch") + 1)
    report_runs(oldest, candidate=[True] * 9, current=[True] * 90, prefix=agent.slug)
    watch(oldest.pk)


def _talk(jonas: User, mara: User) -> None:
    """One thread more, with a reply, on the oldest proposal that waits, and a wording of it taken over."""
    proposal = Proposal.objects.filter(status="pending").order_by("pk")[0]
    newest = _on_current(proposal, jonas)
    spot, over = Spot(newest.number, Thread.Side.NEW, 1, 1), sha256(newest.text.splitlines(keepends=True)[0])
    wording = Wording(f"Line {newest.number}.", over)
    thread = comments.open_thread(proposal.pk, user=mara, spot=spot, text="Why?", wording=wording)
    comments.reply(thread.pk, user=jonas, text="So.")
    comments.apply_suggestion(thread.comments.earliest("pk").pk, user=jonas, digest=newest.digest)
    comments.reopen(thread.pk, user=mara)


def _on_current(proposal: Proposal, user: User) -> Revision:
    """Its newest revision, amended by hand onto the current version."""
    newest = proposal.revisions.latest("number")
    base, text = proposal.document.versions.latest("number").number, f"{newest.text}More.\n"
    return proposals.amend(proposal.pk, user=user, text=text, note="", digest=newest.digest, base=base)


def _report(support: Agent, proposal: Proposal, number: int) -> None:
    item = report(support, f"person {number}", reason="wrong", correction="right", input="What?", output="This.")
    pattern = Pattern.objects.create(
        agent=support, kind="complaint", status="open", label=f"Pattern {number}", support=1, sources=1,
        first_seen=item.at, last_seen=item.at,
    )  # fmt: skip
    Evidence.objects.create(pattern=pattern, feedback=item, source=source(f"person {number}"), at=item.at)
    first = Pattern.objects.order_by("pk")[0]
    if first != pattern:
        Evidence.objects.create(pattern=first, feedback=item, source=source(f"person {number}"), at=item.at)
    PatternDay.objects.create(pattern=pattern, day=item.at.date(), items=1)
    PatternSource.objects.create(pattern=pattern, source=source(f"person {number}"), items=1)
    shared, _ = SharedPattern.objects.get_or_create(
        pk=number // 2 + 1,
        defaults={"support": 2, "sources": 2, "agents": 2, "first_seen": item.at, "last_seen": item.at},
    )
    SharedMember.objects.create(pattern=pattern, shared=shared)
    Proposal.objects.filter(pk=proposal.pk).update(pattern=pattern)
    oldest = Proposal.objects.filter(status="pending").select_related("revision").order_by("pk")[0]
    ProposalEvidence.objects.create(proposal=oldest, feedback=item)
    left_out = report(
        support, f"person {number}", reason="spam", run_id=failure(support, f"unit {number}", "boom").external_id
    )
    ProposalEvidence.objects.create(proposal=oldest, feedback=left_out)
    exclude(left_out, user=User.objects.get(username="jonas"), reason="Spam.")
    assert oldest.revision
    CounterExample.objects.create(revision=oldest.revision, feedback=item, likeness=0.5)
    key, _token = create(support, ["propose"], actor=SYSTEM, owner=User.objects.get(username="jonas"))
    Trial.objects.create(
        revision=oldest.revision, feedback=item, output="That.", marks=compute("This.", "That.").to_json(), key=key
    )
    if first != pattern and Proposal.objects.filter(is_alternative=True).count() < MOST_CANDIDATES - 1:
        Proposal.objects.filter(pk=proposal.pk).update(pattern=first, is_alternative=True)


def _pages() -> dict[str, str]:
    waiting = Proposal.objects.filter(status="pending").order_by("pk")[0]
    document = ["support", "system-prompt"]
    prompts = Proposal.objects.open().filter(document__kind="prompt")
    return {
        "queue": reverse("queue"),
        "everyone's": "/?show=open",
        "settled": reverse("proposal", args=[Outcome.objects.earliest("pk").proposal_id]),
        "decided": "/?show=decided",
        "by impact": "/?show=open&sort=impact&who=nobody",
        "saved filters": reverse("saved_filters"),
        "together": f"{reverse('together')}?{'&'.join(f'id={p.pk}' for p in prompts[:20])}",
        "updates": f"{reverse('updates')}?since=1&proposal={waiting.pk}&document={waiting.document_id}",
        "proposal": reverse("proposal", args=[waiting.pk]),
        "side by side": reverse("proposal", args=[waiting.pk]) + "?view=side&comment=1",
        "full text": reverse("proposal", args=[waiting.pk]) + "?view=full",
        "redraft": reverse("redraft", args=[waiting.pk]),
        "cases": reverse("cases", args=[waiting.pk]),
        "candidates": reverse("candidates", args=[waiting.pattern_id]),
        "amend": reverse("amend", args=[waiting.pk]),
        "revision": reverse("revision", args=[waiting.pk, 2]),
        "agents": reverse("agents"),
        "agent": reverse("agent", args=["support"]),
        "document": reverse("document", args=document),
        "version": reverse("version", args=[*document, 1]),
        "compare": reverse("compare", args=document),
        "story": reverse("story", args=[Outcome.objects.earliest("pk").release.version_id]),
        "story of a rollout": reverse("story", args=[Rollout.objects.earliest("pk").split.candidate_id]),
        "what ran then": f"{reverse('ran_then')}?agent=support&unit=u&at={timezone.now().isoformat()[:19]}",
        "propose": reverse("propose", args=document),
        "roll back": f"{reverse('roll_back', args=document)}?to=1",
        "patterns": reverse("patterns"),
        "across agents": reverse("patterns") + "?show=across",
        "shared pattern": reverse("shared_pattern", args=[SharedPattern.objects.order_by("pk")[0].pk]),
        "pattern": reverse("pattern", args=[Pattern.objects.order_by("pk")[0].pk]),
        "why": reverse("why", args=[Pattern.objects.order_by("pk")[0].pk, Evidence.objects.order_by("pk")[0].pk]),
        "audit log": reverse("audit_log"),
        "entry": reverse("audit_entry", args=[1]),
        "checkpoint": reverse("audit_checkpoint"),
        "public keys": reverse("audit_keys"),
        "settings": reverse("settings"),
        "policy": reverse("policy"),
        "notices": reverse("notices"),
        "signing in": reverse("mfa_index"),
        "quoting": reverse("quoting"),
        "sources": reverse("sources"),
        "releases": reverse("releases"),
        "rollouts": reverse("rollouts"),
        "rollout": reverse("rollout", args=[Rollout.objects.earliest("pk").pk]),
        "rollout plans": reverse("rollout_plans"),
        "by itself": reverse("safe_rules", args=["support", "settings"]),
        "began by itself": reverse("rollout", args=[Rollout.objects.get(started_by=None).pk]),
        "started by itself": reverse("proposal", args=[Proposal.objects.get(self_start__isnull=False).pk]),
    }


def _for_admins() -> dict[str, str]:
    return {
        "bypass": reverse("bypass", args=[Proposal.objects.filter(status="pending").order_by("pk")[0].pk]),
        "new key": reverse("new_key", args=["support"]),
        "key": reverse("key", args=[ApiKey.objects.earliest("pk").prefix]),
        "taint": reverse("taint", args=[ApiKey.objects.earliest("pk").prefix]),
        "sections": reverse("sections", args=["support", "system-prompt"]),
        "traffic": reverse("traffic", args=["support"]),
        "freeze": reverse("freeze"),
        "retention": reverse("retention") + "?kind=feedback&days=30",
        "new person": reverse("new_person"),
        "new team": reverse("new_team"),
        "team": reverse("team", args=[Team.objects.earliest("pk").pk]),
        "agent's team": reverse("agent_team", args=["support"]),
        "person": reverse("person", args=[User.objects.get(username="jonas").pk]),
    }


def _count(client: Client, username: str) -> dict[str, int]:
    counts = {}
    for name, address in (_pages() | (_for_admins() if username == "ada" else {})).items():
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200, name
        counts[name] = len(asked)
    return counts


def test_four_times_the_data_asks_no_more_questions(
    client: Client, grow: World, monkeypatch: pytest.MonkeyPatch, ada: User, jonas: User
) -> None:
    monkeypatch.setattr(context, "GRACE_S", 0.0)  # or a slow run would ask what is out of order halfway through

    def asked() -> dict[str, dict[str, int]]:
        checkpoints.make(SYSTEM)
        counts = {}
        for person in (ada, jonas):
            client.force_login(person)
            counts[person.username] = _count(client, person.username)
        return counts

    grow(3)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    few = asked()
    grow(9)
    assert asked() == few
    for person in few.values():
        assert max(person.values()) < 40, person
        assert person["queue"] < 20, person
        assert person["pattern"] < 20, person
        assert person["updates"] < 11, person
