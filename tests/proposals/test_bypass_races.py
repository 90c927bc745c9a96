"""Emergencies and rules met at the same instant: one outcome each, the loser is told."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from agents.models import Document, Version
from people.models import User
from people.roles import Role
from people.signin import create_person
from proposals.actions.bypass import bypass
from proposals.actions.decisions import reject
from proposals.actions.policy import remove_policy, set_policy
from proposals.exceptions import ReviewError
from proposals.models import Bypass, Policy, Proposal
from tests.cast import digest_of, propose
from tests.proposals.test_races import at_once, pool

__all__ = ["pool"]
pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 15


def test_of_two_bypasses_and_a_rejection_one_happens(
    prompt: Document, aiko: User, ada: User, mara: User, pool: ThreadPoolExecutor
) -> None:
    other = create_person("eve", name="Eve Stone", roles=[Role.ADMIN])
    set_policy(user=ada, agent=None, kind="", covers="any", approvals=2, owner_approvals=0)
    for number in range(ROUNDS):
        proposal = propose(prompt, aiko, "orders", f"orders {number}")
        digest, why = digest_of(proposal), "It burns right now, here and there."

        def publish(user: User, pk: int = proposal.pk, digest: str = digest, why: str = why) -> object:
            return bypass(pk, user=user, digest=digest, reason=why, number=pk)

        def refuse(pk: int = proposal.pk, digest: str = digest) -> object:
            return reject(pk, user=mara, digest=digest, reason="other", note="No.")

        at_once(pool, lambda: publish(ada), lambda: publish(other), refuse)
        made = Bypass.objects.filter(proposal=proposal).count()
        versions = Version.objects.filter(proposal=proposal).count()
        # A rejection may come after a bypass, as the word of whoever looked at it afterwards; never before one.
        assert made == versions
        assert made <= 1
        assert Proposal.objects.get(pk=proposal.pk).status in ({"in_effect", "rejected"} if made else {"rejected"})


def test_two_admins_setting_the_same_rule_leave_one(ada: User, pool: ThreadPoolExecutor) -> None:
    for count in range(ROUNDS):

        def put(count: int = count) -> object:
            return set_policy(user=ada, agent=None, kind="", covers="any", approvals=1 + count % 9, owner_approvals=0)

        results = at_once(pool, put, put)
        assert Policy.objects.get().approvals == 1 + count % 9
        assert all(isinstance(result, Policy | ReviewError) for result in results)
        remove_policy(Policy.objects.get().pk, user=ada)
