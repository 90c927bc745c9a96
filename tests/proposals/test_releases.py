"""So many releases of an agent within a day, whoever approves them; going back is never held up."""

import pytest
from pytest_django import Settings

from agents.models import Agent, Document, Version
from agents.versions import create_agent
from audit.models import AuditEntry
from audit.record import SYSTEM
from audit.wording import in_words
from people.models import User
from proposals.actions.bypass import bypass
from proposals.actions.decisions import approve, reject
from proposals.actions.policy import set_policy
from proposals.actions.release_limits import set_releases
from proposals.actions.rollbacks import roll_back
from proposals.actions.self_starts import start_by_itself
from proposals.actions.steering import promote
from proposals.actions.together import approve_together
from proposals.exceptions import Invalid, LimitReached, NotAllowed
from proposals.models import Bypass, Decision, Proposal, Rollout
from reviewapp.sample import clock
from tests.cast import digest_of, propose
from tests.outcomes import move
from tests.rollouts import canary
from tests.safe import draft, settings_of

pytestmark = pytest.mark.django_db
FULL = "Support agent gets at most 1 release within 24 hours. The next is possible on 11 March, 12:20 UTC."


@pytest.fixture(autouse=True)
def one_a_day(settings: Settings) -> None:
    settings.COUNTERSIGN_RELEASES_A_DAY = 1


@pytest.fixture
def released(time: clock.Clock, prompt: Document, aiko: User, mara: User) -> Proposal:
    """What went out today: as many as may."""
    made = propose(prompt, aiko)
    approve(made.pk, user=mara, digest=digest_of(made))
    return made


def test_what_is_approved_beyond_the_limit_waits_until_the_first_is_a_day_old(
    time: clock.Clock, released: Proposal, prompt: Document, aiko: User, mara: User
) -> None:
    more = propose(prompt, aiko, "14 days", "15 days")
    move(time, hours=23)
    with pytest.raises(LimitReached, match=f"^{FULL} Nothing was recorded.$"):
        approve(more.pk, user=mara, digest=digest_of(more))
    assert Decision.objects.count() == 1
    assert Version.objects.count() == 2
    move(time, hours=24, minutes=1)
    approve(more.pk, user=mara, digest=digest_of(more))


def test_it_is_the_last_approval_that_waits_and_rejecting_never_does(
    released: Proposal, prompt: Document, aiko: User, mara: User, jonas: User, ada: User
) -> None:
    set_policy(user=ada, agent=None, kind="", covers="any", approvals=2, owner_approvals=0)
    more = propose(prompt, aiko, "14 days", "15 days")
    approve(more.pk, user=mara, digest=digest_of(more))
    with pytest.raises(LimitReached):
        approve(more.pk, user=jonas, digest=digest_of(more))
    reject(more.pk, user=jonas, digest=digest_of(more), reason="other", note="No.")


def test_each_agent_has_its_own_days(released: Proposal, aiko: User, mara: User) -> None:
    other = create_agent("sales", name="Sales", actor=SYSTEM, documents={"prompt": "Say 30 days.\n"})
    made = propose(other.documents.get(), aiko)
    approve(made.pk, user=mara, digest=digest_of(made))


def test_a_rollback_is_never_held_up_and_counts_for_nothing(
    released: Proposal, prompt: Document, mara: User, aiko: User
) -> None:
    roll_back(prompt.pk, user=mara, to_number=1, current_number=2, reason="Wrong.")
    roll_back(prompt.pk, user=mara, to_number=2, current_number=3, reason="Right after all.")
    assert Version.objects.count() == 4


def test_a_canary_counts_when_it_begins_and_not_when_it_is_promoted(
    time: clock.Clock, prompt: Document, aiko: User, mara: User
) -> None:
    rollout = canary(prompt, aiko, mara)
    promote(rollout.pk, user=mara, epoch=rollout.epoch)
    more = propose(prompt, aiko, "14 days", "15 days")
    with pytest.raises(LimitReached):
        approve(more.pk, user=mara, digest=digest_of(more))


def test_nothing_starts_by_itself_beyond_the_limit(released: Proposal, support: Agent, ada: User) -> None:
    made = draft(settings_of(support, ada))
    assert start_by_itself(made.pk) == FULL
    assert not Rollout.objects.exists()


def test_an_emergency_goes_past_it_and_says_so_and_counts(
    released: Proposal, prompt: Document, aiko: User, ada: User
) -> None:
    set_policy(user=ada, agent=None, kind="", covers="any", approvals=2, owner_approvals=0)
    more = propose(prompt, aiko, "14 days", "15 days")
    why = "Customers are told something dangerous."
    bypass(more.pk, user=ada, digest=digest_of(more), reason=why, number=more.pk)
    assert Bypass.objects.get().missing.endswith(FULL)
    assert AuditEntry.objects.get(verb="proposal.bypassed").fact["after"]["missing"].endswith(FULL)


def test_who_could_approve_alone_may_go_past_it_in_an_emergency(
    released: Proposal, prompt: Document, aiko: User, ada: User
) -> None:
    more = propose(prompt, aiko, "14 days", "15 days")
    why = "Customers are told something dangerous."
    bypass(more.pk, user=ada, digest=digest_of(more), reason=why, number=more.pk)
    assert Bypass.objects.get().missing == f"One approval. 1 more approval needed. {FULL}"


def test_of_several_decided_together_those_beyond_it_are_told_so(
    released: Proposal, prompt: Document, aiko: User, mara: User
) -> None:
    more = propose(prompt, aiko, "14 days", "15 days")
    (outcome,) = approve_together([(more.pk, digest_of(more))], user=mara)
    assert not outcome.done
    assert outcome.said == f"{FULL} Nothing was recorded."


def test_an_agent_has_a_limit_of_its_own_or_none(
    released: Proposal, prompt: Document, aiko: User, mara: User, ada: User
) -> None:
    more = propose(prompt, aiko, "14 days", "15 days")
    set_releases(prompt.agent_id, user=ada, releases=2)
    approve(more.pk, user=mara, digest=digest_of(more))
    again = propose(prompt, aiko, "15 days", "16 days")
    with pytest.raises(LimitReached, match="at most 2 releases"):
        approve(again.pk, user=mara, digest=digest_of(again))
    set_releases(prompt.agent_id, user=ada, releases=0)
    approve(again.pk, user=mara, digest=digest_of(again))
    set_releases(prompt.agent_id, user=ada, releases=0)
    set_releases(prompt.agent_id, user=ada, releases=None)
    entries = AuditEntry.objects.filter(verb="agent.releases_set").order_by("pk")
    assert [in_words(entry).details for entry in entries] == [
        ("2, which was as the board says",),
        ("no limit, which was 2",),
        ("as the board says, which was no limit",),
    ]


def test_only_admins_set_it_and_only_to_what_makes_sense(support: Agent, mara: User, ada: User) -> None:
    with pytest.raises(NotAllowed):
        set_releases(support.pk, user=mara, releases=5)
    for wrong in (-1, 1001):
        with pytest.raises(Invalid, match="from 0 to 1000"):
            set_releases(support.pk, user=ada, releases=wrong)
    assert not AuditEntry.objects.filter(verb="agent.releases_set").exists()
