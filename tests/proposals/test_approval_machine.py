"""Whatever people, agents and the board do to proposals in whatever order, nothing takes effect that was not approved.

What happened is written down beside the database: who wrote, whose approval stands on which text, what is current.
Every step either does what it says, or is refused for a reason that is on that list.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from agents import keys
from agents.models import ApiKey, Document, Version
from agents.problems import Problem
from agents.protection import protect
from agents.versions import create_agent
from audit.models import AuditEntry
from audit.record import SYSTEM, Actor
from audit.verify import verify
from people.models import User
from people.roles import Role
from people.signin import create_person
from proposals.actions import decisions
from proposals.actions import proposals as acts
from proposals.actions.rollbacks import roll_back
from proposals.exceptions import ReviewError
from proposals.models import Decision, Proposal
from tests.cast import PROMPT, digest_of

pytestmark = pytest.mark.django_db
PEOPLE = ("aiko", "mara", "jonas", "lena")
"""An operator, who decides nothing; two reviewers; and one who owns the protected section."""
WHO = st.sampled_from(PEOPLE)
ACTS = st.sampled_from(
    [*("propose", "propose", "amend", "amend", "no", "rebase") * 2, *["approve"] * 8, "withdraw", "roll back", "revoke"]
)
REACHED = 3
"""So many of the newest proposals something happens to."""
SAFETY = "- Never ask for card numbers or passwords."


@dataclass
class Wish:
    """What is known of one proposal without asking the database."""

    pk: int
    base: int
    digest: str
    old: str
    is_protected: bool
    writers: set[str]
    state: str = "pending"
    approvals: set[str] = field(default_factory=set)


class Approvals(RuleBasedStateMachine):
    """One prompt with a protected section, four people, and a key that proposes."""

    cast: dict[str, User]

    @initialize()
    def begin(self) -> None:
        Runs.number += 1
        self.slug = f"agent-{Runs.number}"
        agent = create_agent(self.slug, name=self.slug, actor=SYSTEM, documents={"prompt": PROMPT})
        self.document = Document.objects.get(agent=agent)
        protect(self.document, "Safety", owners=[self.cast["lena"]], actor=SYSTEM)
        self.key: ApiKey = keys.create(agent, ["propose"], owner=self.cast["jonas"], actor=SYSTEM)[0]
        self.is_revoked = False
        self.texts = [PROMPT]
        self.known: list[Wish] = []
        self.said = 100
        self.logged = dict.fromkeys(("opened", "amended", "approved", "rejected", "withdrawn", "changes_requested"), 0)

    @rule(
        what=ACTS,
        number=st.integers(0, REACHED - 1),
        who=WHO,
        stale=st.booleans(),
        flag=st.booleans(),
        to=st.integers(1, 6),
    )
    def something_happens(self, what: str, number: int, who: str, stale: bool, flag: bool, to: int) -> None:
        """One rule for all, so that none is left out for long; about one of the newest three proposals."""
        if what == "propose" or not self.known:
            self.somebody_proposes("key" if to == 1 else who, flag)
            return
        wish = self.known[-1 - number % len(self.known)]
        if what == "approve":
            self.somebody_approves(wish, who, stale)
        elif what == "amend":
            self.somebody_amends(wish, who, stale, flag)
        elif what == "no":
            self.somebody_says_no(wish, who, stale, flag)
        elif what == "rebase":
            self.somebody_brings_it_up_to_date(wish, who)
        elif what == "withdraw":
            self.somebody_withdraws(wish, who)
        elif what == "roll back":
            self.the_document_is_rolled_back(to, who)
        elif what == "revoke" and stale:
            self.the_key_is_revoked()

    # what happens to a proposal

    def somebody_proposes(self, who: str, protected: bool) -> None:
        text = self.new_text(protected)
        author = {"key": self.key} if who == "key" else {"user": self.cast[who]}
        try:
            made = acts.submit(
                document=self.loaded(), base_number=len(self.texts), text=text, title="So", rationale="So.", **author
            )
        except Problem:
            assert who == "key"
            assert self.is_revoked
            return
        except ReviewError:
            assert who == "key"
            assert protected
            return
        assert who != "key" or not (self.is_revoked or protected)
        writer = "jonas" if who == "key" else who
        self.known.append(Wish(made.pk, len(self.texts), digest_of(made), "", protected, {writer}))
        self.logged["opened"] += 1

    def somebody_amends(self, wish: Wish, who: str, stale: bool, protected: bool) -> None:
        text = self.new_text(protected)
        may = wish.state in ("pending", "changes_requested") and not (stale and wish.old)
        may = may and wish.base == len(self.texts)
        digest = wish.old if stale and wish.old else wish.digest
        if self.did(may, acts.amend, wish.pk, user=self.cast[who], text=text, note="", digest=digest):
            self.rewritten(wish, protected)
            wish.writers.add(who)
            wish.state = "pending"
            self.logged["amended"] += 1

    def somebody_brings_it_up_to_date(self, wish: Wish, who: str) -> None:
        try:
            acts.rebase(wish.pk, user=self.cast[who])
        except ReviewError:
            return  # whether a change applies is not for this test to say
        assert wish.state in ("pending", "changes_requested")
        assert wish.base < len(self.texts)
        self.rewritten(wish, wish.is_protected)

    def somebody_approves(self, wish: Wish, who: str, stale: bool) -> None:
        digest = wish.old if stale and wish.old else wish.digest
        given = wish.approvals | {who}
        is_enough = self.is_enough(wish, given)
        may = self.may_decide(wish, who) and digest == wish.digest and wish.state == "pending"
        may = may and wish.base == len(self.texts) and (who not in wish.approvals or is_enough)
        wanted = {"user": self.cast[who], "digest": digest, "start": "at_once"}
        text = Proposal.objects.select_related("revision").get(pk=wish.pk).revision
        assert text
        if self.did(may, decisions.approve, wish.pk, **wanted):
            wish.approvals = given
            if is_enough:
                wish.state = "approved"
                self.texts.append(text.text)
                self.logged["approved"] += 1

    def somebody_says_no(self, wish: Wish, who: str, stale: bool, is_final: bool) -> None:
        digest = wish.old if stale and wish.old else wish.digest
        may = self.may_decide(wish, who) and digest == wish.digest
        may = may and wish.state in (("pending", "changes_requested") if is_final else ("pending",))
        wanted = {"user": self.cast[who], "digest": digest, "note": "No."}
        call, more = (decisions.reject, {"reason": "other"}) if is_final else (decisions.request_changes, {})
        if self.did(may, call, wish.pk, **wanted, **more):
            wish.state = "rejected" if is_final else "changes_requested"
            self.logged[wish.state] += 1

    def somebody_withdraws(self, wish: Wish, who: str) -> None:
        found = Proposal.objects.get(pk=wish.pk)
        own = who == "jonas" if found.author_key_id else self.cast[who].pk == found.author_id
        may = wish.state in ("pending", "changes_requested") and (
            own or (bool(found.author_key_id) and self.may_decide(wish, who))
        )
        if self.did(may, acts.withdraw, wish.pk, user=self.cast[who]):
            wish.state = "withdrawn"
            self.logged["withdrawn"] += 1

    # what happens around them

    def the_document_is_rolled_back(self, to: int, who: str) -> None:
        now = len(self.texts)
        may = to < now and self.texts[to - 1] != self.texts[-1]
        wanted = {"user": self.cast[who], "to_number": to, "current_number": now, "reason": "Worse."}
        if self.did(may, roll_back, self.document.pk, **wanted):
            self.texts.append(self.texts[to - 1])

    def the_key_is_revoked(self) -> None:
        assert keys.revoke(self.key.prefix, actor=Actor.person(self.cast["mara"])) is not self.is_revoked
        self.is_revoked = True

    # what holds after each of them

    @invariant()
    def what_is_current_is_what_was_approved_or_rolled_back_to(self) -> None:
        if hasattr(self, "texts"):
            versions = Version.objects.filter(document=self.document).order_by("number")
            assert [version.text for version in versions] == self.texts
            current = self.loaded().current
            assert current
            assert current.number == len(self.texts)

    @invariant()
    def proposals_stand_where_they_were_put_and_nobody_approved_their_own(self) -> None:
        for wish in getattr(self, "known", [])[-REACHED:]:
            found = Proposal.objects.select_related("published", "revision").get(pk=wish.pk)
            assert (found.status, bool(found.published)) == (wish.state, wish.state == "approved")
            said = Decision.objects.filter(revision=found.revision, verdict=Decision.Verdict.APPROVE)
            approvers = {one.actor.username for one in said.select_related("actor")}
            assert approvers == wish.approvals
            assert not approvers & wish.writers
            assert found.revision
            assert {one.digest for one in said} <= {found.revision.digest}
            if found.published:
                assert found.published.text == found.revision.text
                assert self.is_enough(wish, approvers)

    @invariant()
    def each_act_is_on_the_log_once(self) -> None:
        if hasattr(self, "logged"):
            entries = AuditEntry.objects.filter(target_kind="proposal", agent=self.slug).exclude(actor_kind="system")
            reviews = Proposal.objects.filter(document=self.document, origin=Proposal.Origin.ROLLBACK)
            rolled_back = {str(pk) for pk in reviews.values_list("pk", flat=True)}
            found = Counter(
                verb.partition(".")[2]
                for verb, target in entries.values_list("verb", "target_id")
                if target not in rolled_back
            )
            assert {what: found[what] for what in self.logged} == self.logged

    def did(self, may: bool, call: Any, *about: Any, **wanted: Any) -> bool:
        """Do it; it is refused exactly where it may not be."""
        try:
            call(*about, **wanted)
        except ReviewError:
            assert not may, (call.__name__, wanted)
            return False
        assert may, (call.__name__, wanted)
        return True

    def may_decide(self, wish: Wish, who: str) -> bool:
        return who != "aiko" and who not in wish.writers

    def is_enough(self, wish: Wish, given: set[str]) -> bool:
        """One, and of what is protected two, its owner among them; an owner who wrote it is not waited for."""
        return not wish.is_protected or (len(given) >= 2 and "lena" in given | wish.writers)

    def rewritten(self, wish: Wish, protected: bool) -> None:
        wish.old, wish.digest, wish.base = wish.digest, digest_of(Proposal.objects.get(pk=wish.pk)), len(self.texts)
        wish.approvals, wish.is_protected = set(), protected

    def new_text(self, protected: bool) -> str:
        self.said += 1
        now = self.texts[-1]
        line = SAFETY if protected else "- Check the order date before you name a deadline."
        return now.replace(line, f"{line} ({self.said})")

    def loaded(self) -> Document:
        return Document.objects.select_related("agent", "current").get(pk=self.document.pk)


class Runs:
    """How many agents the test has had: each run of the machine gets one of its own."""

    number = 0


def test_nothing_takes_effect_that_was_not_approved(aiko: User, mara: User, jonas: User) -> None:
    lena = create_person("lena", name="Lena Moor", roles=[Role.REVIEWER])
    Approvals.cast = {"aiko": aiko, "mara": mara, "jonas": jonas, "lena": lena}
    run_state_machine_as_test(
        Approvals,
        settings=settings(
            max_examples=5,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert verify().fault is None
    assert Proposal.objects.filter(status=Proposal.Status.APPROVED).exists()
