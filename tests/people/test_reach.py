"""What is a team's agent, nobody else sees or touches: in every list, by every act, and while it changes hands."""

import threading
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from agents import profiles
from agents.models import Agent, ApiKey, Document
from agents.protection import CannotProtect, protect
from agents.reach import OutOfReach
from agents.teams import give_to_team
from agents.versions import create_agent
from audit.models import AuditEntry
from audit.record import SYSTEM
from feedback import across, vitals
from feedback.actions import exclusion, patterns, regrouping
from feedback.actions.mining import mine
from feedback.insight import Insight
from feedback.models import Feedback, Pattern, SharedMember
from people.models import Team, User
from people.roles import Role
from people.signin import create_person
from people.teams import create_team, set_members
from proposals import queue
from proposals.actions import candidates, comments, decisions, drafting, redrafts, rollbacks, steering, together
from proposals.actions import proposals as proposing
from proposals.actions.assignments import assign
from proposals.actions.bypass import bypass
from proposals.actions.comments import Spot
from proposals.actions.evidence import merge_rules
from proposals.actions.policy import set_policy
from proposals.authority import policies
from proposals.exceptions import Invalid, NotAllowed
from proposals.models import Comment, Policy, Proposal, Rollout, RolloutPlan, Thread
from proposals.rollouts import page as rollout_page
from proposals.rules.plans import BUILT_IN
from tests.cast import PROMPT, digest_of, propose, report, shared
from tests.rollouts import start

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(support: Agent, mara: User, aiko: User) -> Team:
    """Mara and Aiko have the support agent for themselves."""
    made = create_team("Billing", members=[mara, aiko], actor=SYSTEM)
    give_to_team(support.pk, made.pk, actor=SYSTEM)
    return made


@pytest.fixture
def world(prompt: Document, complaints: list[Feedback], mara: User, aiko: User, ada: User) -> None:
    """One of everything a page could list, of the support agent; and a second agent with a like pattern."""
    Agent.objects.filter(slug="support").update(name="Zebrafish")
    agent = Agent.objects.get(slug="support")
    mine(agent)
    Pattern.objects.update(label="Zebrafish swims")
    rolled = create_agent("deep", name="Zebrafish deep", actor=SYSTEM, documents={"rules": "Say 30 days.\n"})
    start(propose(rolled.documents.get(), aiko), mara)
    proposal = propose(prompt, aiko)
    Proposal.objects.update(title="Zebrafish first")
    assign(proposal.pk, user=mara, to=mara)
    ApiKey.objects.create(prefix="zebra", digest=b"", label="Zebrafish key", scopes=["read"], agent=agent, owner=ada)
    set_policy(user=ada, agent=agent, kind="", covers="any", approvals=2, owner_approvals=0)
    RolloutPlan.objects.create(document=prompt, plan=BUILT_IN.to_json())
    shared(Pattern.objects.get())
    team = create_team("Billing", members=[mara, aiko], actor=SYSTEM)
    for one in (agent, rolled):
        give_to_team(one.pk, team.pk, actor=SYSTEM)


PLAIN = [
    "/?show=turn", "/?show=open", "/?show=effect", "/?show=decided", "/?show=all", "/?show=all&q=first",
    "/?show=all&agent=support", "/agents/", "/patterns/", "/patterns/?show=all", "/patterns/?show=across",
    "/patterns/?show=all&agent=support", "/rollouts/", "/audit/", "/audit/?text=Zebra", "/audit/?agent=support",
    "/audit/then/", "/settings/", "/settings/policy/", "/settings/rollouts/", "/filters/",
]  # fmt: skip


@pytest.mark.usefixtures("world")
def test_no_list_and_no_count_tells_of_another_teams_agent(client: Client, mara: User, jonas: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    first, revision = Proposal.objects.earliest("pk"), 1
    asked = f"?since={revision}&proposal={first.pk}&document={first.document_id}"
    client.force_login(mara)
    there = [address for address in PLAIN if "Zebrafish" in client.get(address).text]
    assert set(PLAIN) - set(there) == {"/filters/"}
    assert client.get(reverse("updates") + asked).json()["proposal"]
    client.force_login(jonas)
    for address in PLAIN:
        page = client.get(address)
        assert (page.status_code, "Zebrafish" in page.text) == (200, False), address
    news = client.get(reverse("updates") + asked).json()
    assert (news["turn"], news["fresh"], news["proposal"], news["document"]) == (0, 0, None, None)
    assert client.get("/audit/then/?agent=support&at=2030-01-01").status_code == 422
    assert "There is no such agent." in client.get(f"/audit/then/?agent=support&at={first.created_at:%Y-%m-%d}").text
    assert "No agent yet" in client.get("/agents/").text
    assert "Nothing waits for you" in client.get("/").text
    assert "Zebrafish" not in client.get(f"{reverse('together')}?id={first.pk}").text


@pytest.mark.usefixtures("world")
def test_each_models_list_leaves_it_out(mara: User, jonas: User, luis: User, ada: User) -> None:
    lists: list[Callable[[User], int]] = [
        lambda user: Agent.objects.for_person(user).count(),
        lambda user: Proposal.objects.for_person(user).count(),
        lambda user: Pattern.objects.for_person(user).count(),
        lambda user: Rollout.objects.for_person(user).count(),
        lambda user: ApiKey.objects.for_person(user).count(),
        lambda user: Policy.objects.for_person(user).count(),
        lambda user: RolloutPlan.objects.for_person(user).count(),
        lambda user: across.rows(user).count(),
        lambda user: queue.counts(user)["all"],
        lambda user: len(Proposal.objects.filter(pk__in=queue.Filters(show="all").all_keys(queue.Desk(user)))),
    ]
    for number, of in enumerate(lists):
        assert of(jonas) == 0, number
        assert of(mara) == of(luis) == of(ada) > 0, number
    assert queue.waiting_for(mara)
    assert queue.decidable_by(mara)
    assert not queue.waiting_for(jonas)
    assert not queue.decidable_by(jonas)
    assert not rollout_page.waiting(jonas)


def test_nothing_changes_where_no_agent_has_a_team(client: Client, pending: Proposal, jonas: User) -> None:
    create_team("Billing", members=[], actor=SYSTEM)
    client.force_login(jonas)
    assert client.get(reverse("proposal", args=[pending.pk])).status_code == 200
    assert decisions.approve(pending.pk, user=jonas, digest=digest_of(pending))


def test_a_like_pattern_of_another_team_is_not_mentioned(
    client: Client, support: Agent, complaints: list[Feedback], mara: User, jonas: User
) -> None:
    mine(support)
    hidden = Pattern.objects.shown().get()
    other = create_agent("other", name="Other agent", actor=SYSTEM, documents={"rules": "Say 30 days.\n"})
    for number, item in enumerate(complaints):
        report(other, f"somebody {number}", reason=item.reason)
    mine(other)
    seen = Pattern.objects.shown().get(agent=other)
    SharedMember.objects.create(pattern=seen, shared=shared(hidden))
    give_to_team(support.pk, create_team("Billing", members=[mara], actor=SYSTEM).pk, actor=SYSTEM)
    assert Insight(seen, mara).related.elsewhere == [hidden]
    assert Insight(seen, mara).related.shared
    found = Insight(seen, User.objects.get(pk=jonas.pk)).related
    assert (found.elsewhere, found.waiting, found.shared) == ([], [], None)
    client.force_login(jonas)
    page = client.get(reverse("pattern", args=[seen.pk]))
    assert (page.status_code, "Support agent" in page.text) == (200, False)
    assert (
        client.get(reverse("shared_pattern", args=[SharedMember.objects.earliest("pk").shared_id])).status_code == 404
    )


def test_totals_leave_it_out(prompt: Document, pending: Proposal, mara: User, jonas: User) -> None:
    decisions.approve(pending.pk, user=mara, digest=digest_of(pending))
    since = pending.created_at
    assert vitals.statistics(since).improvements == 1
    assert vitals.statistics(since, but=[prompt.agent_id]).improvements == 0


def _acts(proposal: Proposal, rolling: Rollout, pattern: Pattern, user: User) -> dict[str, Callable[[], object]]:
    """Everything somebody may do about an agent, in words that nothing else speaks against."""
    pk, digest = proposal.pk, digest_of(proposal)
    thread = Thread.objects.get()
    report_of = Feedback.objects.earliest("pk")
    document = Document.objects.select_related("agent", "current").get(pk=proposal.document_id)
    wish = {
        "document": document,
        "base_number": 1,
        "text": "Otherwise.\n",
        "title": "T",
        "rationale": "R",
        "user": user,
    }
    return {
        "approve": lambda: decisions.approve(pk, user=user, digest=digest),
        "reject": lambda: decisions.reject(pk, user=user, digest=digest, reason="other", note="No."),
        "request changes": lambda: decisions.request_changes(pk, user=user, digest=digest, note="Shorter."),
        "take back": lambda: decisions.take_back_request(pk, user=user),
        "amend": lambda: proposing.amend(pk, user=user, text="Otherwise.\n", note="", digest=digest),
        "rebase": lambda: drafting.carry_over(pk, user=user),
        "withdraw": lambda: proposing.withdraw(pk, user=user),
        "assign": lambda: assign(pk, user=user, to=Group.objects.get(name=Role.REVIEWER)),
        "comment": lambda: comments.open_thread(pk, user=user, spot=Spot(1, Thread.Side.NEW, 1, 1), text="Why?"),
        "reply": lambda: comments.reply(thread.pk, user=user, text="So."),
        "resolve": lambda: comments.resolve(thread.pk, user=user),
        "reopen thread": lambda: comments.reopen(thread.pk, user=user),
        "apply": lambda: comments.apply_suggestion(Comment.objects.get().pk, user=user, digest=digest),
        "choose": lambda: candidates.choose(pk, user=user, reason="Better.", seen={}),
        "redraft": lambda: redrafts.ask(pk, user=user, digest=digest, kind="shorter"),
        "redraft on current": lambda: redrafts.on_current(pk, user=user),
        "merge rules": lambda: merge_rules(pk, user=user, digest=digest, line=1, other=2),
        "propose": lambda: proposing.submit(**wish),  # type: ignore[arg-type]
        "propose for a pattern": lambda: proposing.submit(**wish, pattern_id=pattern.pk),  # type: ignore[arg-type]
        "draft": lambda: drafting.draft(pattern.pk, requested_by=user),
        "alternatives": lambda: candidates.draft_alternatives(pattern.pk, user=user),
        "dismiss": lambda: patterns.dismiss(pattern.pk, user=user, dismissed_as="noise", reason="No."),
        "reopen": lambda: patterns.reopen(pattern.pk, user=user),
        "rename": lambda: patterns.rename(pattern.pk, user=user, label="Another"),
        "merge": lambda: regrouping.merge(pattern.pk, other_id=pattern.pk, user=user),
        "part": lambda: regrouping.part(pattern.pk, user=user),
        "split": lambda: regrouping.split(pattern.pk, evidence_ids=[1], user=user),
        "exclude": lambda: exclusion.exclude(report_of, user=user, reason="Spam."),
        "include": lambda: exclusion.include(report_of, user=user),
        "roll back": lambda: rollbacks.roll_back(
            document.pk, user=user, to_number=1, current_number=1, reason="Worse."
        ),
        "promote": lambda: steering.promote(rolling.pk, user=user, epoch=rolling.epoch),
        "stop": lambda: steering.stop(rolling.pk, user=user, reason="No."),
        "roll back a rollout": lambda: steering.roll_back(rolling.pk, user=user, reason="No."),
        "set share": lambda: steering.set_share(rolling.pk, user=user, epoch=rolling.epoch, share=20),
        "traffic": lambda: profiles.set_traffic(document.agent_id, user=user, traffic="low"),
    }


def _is_out_of_reach(act: Callable[[], object]) -> bool:
    try:
        with transaction.atomic():
            act()
    except OutOfReach:
        return True
    return False


def test_no_act_reaches_another_teams_agent(
    prompt: Document, support: Agent, complaints: list[Feedback], mara: User, aiko: User, ada: User
) -> None:
    mine(support)
    rolled = create_agent("deep", name="Deep", actor=SYSTEM, documents={"rules": "Say 30 days.\n"})
    rolling = start(propose(rolled.documents.get(), aiko), mara)
    proposal = propose(prompt, aiko)
    comments.open_thread(proposal.pk, user=aiko, spot=Spot(1, Thread.Side.NEW, 1, 1), text="Why?")
    team = create_team("Billing", members=[mara], actor=SYSTEM)
    for agent in (support, rolled):
        give_to_team(agent.pk, team.pk, actor=SYSTEM)
    both = create_person("both", name="Bo Both", roles=[Role.REVIEWER, Role.OPERATOR, Role.AUDITOR])
    entries = AuditEntry.objects.count()
    for name, act in _acts(proposal, rolling, Pattern.objects.shown().get(), both).items():
        assert _is_out_of_reach(act), name
    assert AuditEntry.objects.count() == entries
    outcomes = together.approve_together([(proposal.pk, digest_of(proposal))], user=both)
    assert [outcome.done for outcome in outcomes] == [False]
    with pytest.raises(NotAllowed):
        bypass(proposal.pk, user=mara, digest=digest_of(proposal), reason="It cannot wait.", number=proposal.pk)
    assert decisions.approve(proposal.pk, user=ada, digest=digest_of(proposal))


def test_an_approval_counts_only_while_the_agent_is_its_givers(
    prompt: Document, aiko: User, mara: User, jonas: User, ada: User
) -> None:
    set_policy(user=ada, agent=None, kind="", covers="any", approvals=2, owner_approvals=0)
    proposal = propose(prompt, aiko)
    decisions.approve(proposal.pk, user=jonas, digest=digest_of(proposal))
    give_to_team(prompt.agent_id, create_team("Billing", members=[mara, aiko], actor=SYSTEM).pk, actor=SYSTEM)
    decisions.approve(proposal.pk, user=mara, digest=digest_of(proposal))
    proposal.refresh_from_db()
    assert proposal.status == "pending"
    decisions.approve(proposal.pk, user=ada, digest=digest_of(proposal))
    proposal.refresh_from_db()
    assert proposal.status == "approved"


def test_who_does_not_see_it_is_not_asked(
    team: Team, prompt: Document, aiko: User, mara: User, jonas: User, ada: User
) -> None:
    proposal = propose(prompt, aiko)
    with pytest.raises(Invalid, match="Jonas Weber does not see it: Support agent is the team Billing’s"):
        assign(proposal.pk, user=aiko, to=jonas)
    others = create_team("Others", members=[jonas], actor=SYSTEM)
    with pytest.raises(Invalid, match="Nobody who decides in the team Others sees it"):
        assign(proposal.pk, user=aiko, to=others)
    with pytest.raises(CannotProtect, match="Jonas Weber cannot be an owner: Support agent is the team Billing’s"):
        protect(prompt, "Safety", owners=[jonas], actor=SYSTEM)
    with pytest.raises(CannotProtect, match="Others cannot be an owner"):
        protect(prompt, "Safety", owners=[], teams=[others], actor=SYSTEM)
    assert assign(proposal.pk, user=aiko, to=ada)
    assert assign(proposal.pk, user=aiko, to=team)


def test_the_rules_and_the_list_agree_on_whose_turn_it_is(
    team: Team, prompt: Document, aiko: User, mara: User, jonas: User, ada: User
) -> None:
    proposal = propose(prompt, aiko)
    everybody = [mara, jonas, ada]

    def turns() -> list[bool]:
        fresh = [User.objects.get(pk=person.pk) for person in everybody]
        loaded = Proposal.objects.for_page().get(pk=proposal.pk)
        assert [policies.may_decide(one, loaded).allowed for one in fresh] == [
            proposal.pk in queue.decidable_by(one) for one in fresh
        ]
        return [proposal.pk in queue.waiting_for(one) for one in fresh]

    assert turns() == [True, False, True]
    set_members(team.pk, [jonas, aiko], actor=SYSTEM)
    assert turns() == [False, True, True]
    assign(proposal.pk, user=aiko, to=jonas)
    assert turns() == [False, True, False]
    set_members(team.pk, [mara, aiko], actor=SYSTEM)
    assert turns() == [True, False, True]  # who was asked cannot decide any more, so it is everybody's whose it is


def test_what_was_sent_back_to_somebody_outside_the_team_now_is_its_deciders_turn(
    team: Team, prompt: Document, aiko: User, mara: User, jonas: User
) -> None:
    proposal = propose(prompt, aiko)
    decisions.request_changes(proposal.pk, user=mara, digest=digest_of(proposal), note="Shorter.")
    assert (queue.waiting_for(aiko), queue.waiting_for(mara)) == ([proposal.pk], [])
    set_members(team.pk, [mara, jonas], actor=SYSTEM)
    fresh = [User.objects.get(pk=person.pk) for person in (aiko, mara, jonas)]
    assert [queue.waiting_for(person) for person in fresh] == [[], [proposal.pk], [proposal.pk]]


def test_an_owner_outside_the_team_is_not_waited_for(
    prompt: Document, aiko: User, mara: User, jonas: User, ada: User
) -> None:
    protect(prompt, "Safety", owners=[jonas], actor=SYSTEM)
    proposal = propose(prompt, aiko, "card numbers", "bank numbers")
    give_to_team(prompt.agent_id, create_team("Billing", members=[mara, aiko], actor=SYSTEM).pk, actor=SYSTEM)
    for person in (mara, ada):
        decisions.approve(proposal.pk, user=person, digest=digest_of(proposal))
    proposal.refresh_from_db()
    assert proposal.status == "approved"
    assert PROMPT.replace("card", "bank") == prompt.versions.latest("number").text


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["given away", "left"])
def test_whoever_decides_while_the_agent_changes_hands_comes_before_or_not_at_all(
    team: Team, prompt: Document, aiko: User, mara: User, how: str
) -> None:
    proposal = propose(prompt, aiko)
    digest, refused = digest_of(proposal), threading.Event()
    other = create_team("Others", members=[], actor=SYSTEM)

    def decide() -> None:
        try:
            decisions.approve(proposal.pk, user=mara, digest=digest)
        except OutOfReach:
            refused.set()
        finally:
            connection.close()

    with transaction.atomic():
        if how == "left":
            set_members(team.pk, [aiko], actor=SYSTEM)
        else:
            give_to_team(prompt.agent_id, other.pk, actor=SYSTEM)
        deciding = threading.Thread(target=decide)
        deciding.start()
        deciding.join(0.3)
        assert deciding.is_alive()
    deciding.join(20)
    assert refused.is_set()
    assert not AuditEntry.objects.filter(verb="proposal.approved").exists()


@pytest.mark.django_db(transaction=True)
def test_an_agent_is_given_away_only_after_who_decides_on_it_now(
    team: Team, prompt: Document, aiko: User, mara: User
) -> None:
    proposal = propose(prompt, aiko)
    done = threading.Event()

    def give() -> None:
        give_to_team(prompt.agent_id, None, actor=SYSTEM)
        done.set()
        connection.close()

    with transaction.atomic():
        decisions.approve(proposal.pk, user=mara, digest=digest_of(proposal))
        giving = threading.Thread(target=give)
        giving.start()
        assert not done.wait(0.3)
    giving.join(20)
    assert done.is_set()
