"""At the edge of the limit one of several goes out, in real transactions at the same instant."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_django import Settings

from agents.models import Document, Version
from agents.versions import create_agent
from audit.models import AuditEntry
from audit.record import SYSTEM
from audit.verify import verify
from people.models import User
from proposals.actions.decisions import approve
from proposals.actions.self_starts import Started, start_by_itself
from proposals.exceptions import LimitReached
from proposals.models import Decision, Proposal
from tests.cast import digest_of, propose
from tests.proposals.test_races import at_once, pool, refusals
from tests.safe import draft, settings_of, status_of

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["pool"]
ROUNDS = 12


def test_of_two_approvals_at_the_edge_of_the_limit_one_goes_out(
    aiko: User, mara: User, jonas: User, pool: ThreadPoolExecutor, settings: Settings
) -> None:
    settings.COUNTERSIGN_RELEASES_A_DAY = 1
    for number in range(ROUNDS):
        texts = {name: f"Say 30 days in {name}.\n" for name in ("prompt", "other")}
        agent = create_agent(f"agent-{number}", name=f"Agent {number}", actor=SYSTEM, documents=texts)
        one, two = (propose(document, aiko) for document in agent.documents.order_by("pk"))
        shown = digest_of(one), digest_of(two)
        results = at_once(
            pool,
            lambda: approve(one.pk, user=mara, digest=shown[0]),  # noqa: B023
            lambda: approve(two.pk, user=jonas, digest=shown[1]),  # noqa: B023
        )
        (refused,) = refusals(results)
        assert isinstance(refused, LimitReached)
        assert Version.objects.filter(document__agent=agent, origin=Version.Origin.PROPOSAL).count() == 1
        assert sorted([status_of(one), status_of(two)]) == [Proposal.Status.APPROVED, Proposal.Status.PENDING]
        assert Decision.objects.filter(revision__proposal__in=[one, two]).count() == 1
    assert AuditEntry.objects.filter(verb="proposal.approved").count() == ROUNDS
    assert verify().fault is None


def test_a_person_and_a_start_by_itself_at_the_edge_of_the_limit_have_one_winner(
    aiko: User, mara: User, ada: User, pool: ThreadPoolExecutor, settings: Settings
) -> None:
    settings.COUNTERSIGN_RELEASES_A_DAY = 1
    for number in range(ROUNDS):
        agent = create_agent(
            f"agent-{number}", name=f"Agent {number}", actor=SYSTEM, documents={"prompt": "Say 30 days.\n"}
        )
        prompt: Document = agent.documents.get()
        started, approved = draft(settings_of(agent, ada)), propose(prompt, aiko)
        shown = digest_of(approved)
        one, two = at_once(
            pool,
            lambda: start_by_itself(started.pk),  # noqa: B023
            lambda: approve(approved.pk, user=mara, digest=shown),  # noqa: B023
        )
        assert isinstance(one, Started) != isinstance(two, Decision)
        assert isinstance(two, LimitReached | Decision)
        assert Version.objects.filter(document__agent=agent, origin=Version.Origin.PROPOSAL).count() == 1
    assert verify().fault is None
