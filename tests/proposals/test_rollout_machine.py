"""Whatever is done to a rollout in whatever order, killed workers included, the promises hold after every step."""

import random
from contextlib import suppress
from hashlib import sha256

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from agents import freezing, serving
from agents.models import Document, Release, Split, Version
from agents.versions import create_agent
from audit.models import AuditEntry
from audit.record import SYSTEM
from people.models import User
from proposals.actions import steering
from proposals.actions.decisions import approve
from proposals.actions.feeding import feed
from proposals.actions.proposals import withdraw
from proposals.actions.rollbacks import roll_back
from proposals.actions.watching import decide
from proposals.exceptions import ReviewError
from proposals.models import Proposal, Revision, Rollout, RolloutPlan
from tests.cast import digest_of, propose
from tests.rollouts import QUICKLY, report_runs, share_of

pytestmark = pytest.mark.django_db
State = Rollout.State
UNITS = [f"unit {n}" for n in range(8)]


class Rollouts(RuleBasedStateMachine):
    """One document, two people, a judge and its worker. What the database may hold is written down beside it."""

    aiko: User
    mara: User

    @initialize()
    def begin(self) -> None:
        Machine.number += 1
        slug = f"agent-{Machine.number}"
        text = "# Rules\n- Answer in 30 days.\n"
        agent = create_agent(slug, name=slug, actor=SYSTEM, documents={"rules": text})
        self.document = Document.objects.get(agent=agent)
        self.agent_id = agent.pk
        self.said = 30
        self.batch = 0
        self.candidates_of: dict[int, set[str]] = {}
        self.ever_served: set[str] = set()

    # what people do

    @rule(how=st.sampled_from(["canary", "canary", "canary", "at_once"]))
    def a_change_is_approved(self, how: str) -> None:
        live = self.live()
        self.said += 1
        current = Document.objects.select_related("current").get(pk=self.document.pk).current
        assert current
        line = current.text.splitlines()[1]
        proposal = propose(self.document, self.aiko, line, f"- Answer in {self.said} days.")
        try:
            approve(proposal.pk, user=self.mara, digest=digest_of(proposal), start=how)
            assert live is None
        except ReviewError:
            assert live is not None
            withdraw(proposal.pk, user=self.aiko)

    @precondition(lambda self: self.live())
    @rule(stale=st.booleans())
    def somebody_promotes(self, stale: bool) -> None:
        live = self.live()
        assert live
        if stale:
            with pytest.raises(ReviewError):
                steering.promote(live.pk, user=self.mara, epoch=live.epoch + 1)
        else:
            steering.promote(live.pk, user=self.mara, epoch=live.epoch)

    @precondition(lambda self: self.live())
    @rule()
    def its_author_tries_to_promote(self) -> None:
        live = self.live()
        assert live
        with pytest.raises(ReviewError):
            steering.promote(live.pk, user=self.aiko, epoch=live.epoch)

    @precondition(lambda self: self.live())
    @rule(worse=st.booleans())
    def somebody_takes_it_away(self, worse: bool) -> None:
        live = self.live()
        assert live
        (steering.roll_back if worse else steering.stop)(live.pk, user=self.mara, reason="Enough.")

    @precondition(lambda self: self.live())
    @rule(share=st.integers(1, 60))
    def an_operator_sets_the_share(self, share: int) -> None:
        live = self.live()
        assert live
        before = self.candidates(live)
        with suppress(ReviewError):
            steering.set_share(live.pk, user=self.aiko, epoch=live.epoch, share=share)
            if share > live.share:
                assert before <= self.candidates(live)
            else:
                self.candidates_of[live.pk] = self.candidates(live)

    @rule(number=st.integers(1, 8))
    def the_document_is_rolled_back(self, number: int) -> None:
        current = Document.objects.select_related("current").get(pk=self.document.pk).current
        assert current
        was_current = Release.objects.filter(document=self.document, version__number=number).exists()
        with suppress(ReviewError):
            roll_back(self.document.pk, user=self.mara, to_number=number, current_number=current.number, reason="Back.")
            assert was_current
            assert self.live() is None

    @rule()
    def everything_is_frozen_or_thawed(self) -> None:
        if freezing.is_frozen():
            freezing.thaw(user=self.aiko)
        else:
            freezing.freeze(user=self.aiko, reason="Strange.")

    # what agents and the worker do

    @precondition(lambda self: self.live())
    @rule(success=st.sampled_from([1.0, 1.0, 1.0, 0.9, 0.2]), count=st.sampled_from([20, 400, 900]))
    def runs_come_in(self, success: float, count: int) -> None:
        live = self.live()
        assert live
        self.batch += 1
        chance = random.Random(self.batch)
        candidate, current = share_of(count, live.share / 100)
        mine = [chance.random() < success for _ in candidate]
        report_runs(live, candidate=mine, current=current, prefix=f"{Machine.number}-{self.batch}-")

    @precondition(lambda self: self.live())
    @rule(acts=st.booleans())
    def the_worker_passes_and_may_die_in_between(self, acts: bool) -> None:
        live = self.live()
        assert live
        feed(live.pk)
        if acts:
            frozen = freezing.is_frozen()
            decide(live.pk)
            after = Rollout.objects.for_page().get(pk=live.pk)
            assert after.state != State.PROMOTED
            assert not (frozen and after.share > live.share)

    # what holds after each of them

    @invariant()
    def at_most_one_version_is_current_and_it_was_released(self) -> None:
        if not hasattr(self, "document"):
            return
        document = Document.objects.select_related("current").get(pk=self.document.pk)
        last = document.releases.order_by("-at", "-pk").first()
        assert last
        assert last.version_id == document.current_id

    @invariant()
    def what_is_served_was_approved_to_the_letter(self) -> None:
        if not hasattr(self, "document"):
            return
        live = self.live()
        for unit in UNITS:
            served = serving.serve(self.agent_id, "rules", unit)
            assert served
            version = Version.objects.get(pk=served.version_id)
            assert sha256(version.text.encode()).hexdigest() == served.sha256 == version.sha256
            expected = live.candidate.pk if live and served.arm and served.arm.is_candidate else None
            assert served.version_id == (expected or Document.objects.get(pk=self.document.pk).current_id)
            if version.origin == Version.Origin.PROPOSAL:
                decided = Revision.objects.filter(proposal__published=version, decisions__verdict="approve")
                assert decided.filter(sha256=version.sha256).exists()
        if live:
            now = self.candidates(live)
            assert self.candidates_of.get(live.pk, set()) <= now
            self.candidates_of[live.pk] = now

    @invariant()
    def at_most_one_rollout_runs_and_never_with_a_majority(self) -> None:
        if not hasattr(self, "document"):
            return
        splits = Split.objects.live().filter(document=self.document)
        live = list(Rollout.objects.live().filter(split__document=self.document))
        assert [one.pk for one in splits] == [one.pk for one in live]
        assert len(live) <= 1
        assert all(one.share <= 50 for one in splits)

    @invariant()
    def only_people_promote_and_only_what_was_promoted_is_current(self) -> None:
        if not hasattr(self, "document"):
            return
        for rollout in Rollout.objects.for_page().filter(split__document=self.document):
            released = Release.objects.filter(version=rollout.candidate).exists()
            assert released == (rollout.state == State.PROMOTED)
            assert rollout.state != State.PROMOTED or rollout.ended_by == self.mara
            assert rollout.proposal.status == Proposal.Status.APPROVED
        promoted = AuditEntry.objects.filter(verb="rollout.promoted", agent=self.document.agent.slug)
        assert {entry.actor_kind for entry in promoted} <= {"person"}
        assert promoted.count() == Rollout.objects.filter(split__document=self.document, state="promoted").count()

    def live(self) -> Rollout | None:
        return Rollout.objects.live().for_page().filter(split__document=self.document).first()

    def candidates(self, live: Rollout) -> set[str]:
        served = {unit: serving.serve(self.agent_id, "rules", unit) for unit in UNITS}
        return {unit for unit, one in served.items() if one and one.version_id == live.candidate.pk}


class Machine:
    """How many documents the test has had: each run of the machine gets one of its own."""

    number = 0


def test_the_promises_hold_after_every_step(aiko: User, mara: User) -> None:
    RolloutPlan.objects.create(plan=QUICKLY.to_json())
    Rollouts.aiko, Rollouts.mara = aiko, mara
    run_state_machine_as_test(
        Rollouts,
        settings=settings(
            max_examples=6,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert Rollout.objects.exclude(state__in=Rollout.LIVE).exists()
