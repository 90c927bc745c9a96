"""Going back to an older text."""

from typing import Any

import pytest

from agents.models import Document
from people.models import User
from proposals.actions.decisions import approve, reject
from proposals.actions.rollbacks import roll_back
from proposals.exceptions import Invalid, NotAllowed, StaleProposal
from proposals.models import Proposal
from tests.cast import PROMPT, digest_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def released(prompt: Document, pending: Proposal, mara: User) -> Document:
    """Version 2 is current."""
    approve(pending.pk, user=mara, digest=digest_of(pending))
    return Document.objects.select_related("current").get(pk=prompt.pk)


def back(document: Document, user: User, **more: Any) -> Proposal:
    arguments: dict[str, Any] = {"to_number": 1, "current_number": 2, "reason": "Customers were told off.", **more}
    return roll_back(document.pk, user=user, **arguments)


def test_rolling_back_makes_a_new_version_current_at_once(released: Document, aiko: User) -> None:
    review = back(released, aiko)
    released.refresh_from_db()
    assert released.current.number == 3
    assert released.current.text == PROMPT
    assert released.current.restores.number == 1
    assert review.status == Proposal.Status.IN_EFFECT
    assert released.versions.count() == 3


def test_the_review_after_the_fact_publishes_nothing(released: Document, aiko: User, mara: User) -> None:
    review = back(released, aiko)
    approve(review.pk, user=mara, digest=digest_of(review))
    review.refresh_from_db()
    assert review.status == Proposal.Status.APPROVED
    assert released.versions.count() == 3


def test_a_rollback_can_be_disapproved_after_the_fact(released: Document, aiko: User, mara: User) -> None:
    review = back(released, aiko)
    reject(review.pk, user=mara, digest=digest_of(review), reason="other", note="Version 2 was right.")
    released.refresh_from_db()
    assert released.current.number == 3


def test_whoever_rolled_back_does_not_review_it(released: Document, mara: User) -> None:
    review = back(released, mara)
    with pytest.raises(NotAllowed):
        approve(review.pk, user=mara, digest=digest_of(review))


def test_rolling_back_needs_a_reason(released: Document, aiko: User) -> None:
    with pytest.raises(Invalid):
        back(released, aiko, reason=" ")


def test_rolling_back_from_a_version_that_is_no_longer_current_is_refused(released: Document, aiko: User) -> None:
    back(released, aiko)
    with pytest.raises(StaleProposal):
        back(released, aiko)


def test_an_auditor_changes_nothing(released: Document, luis: User) -> None:
    with pytest.raises(NotAllowed):
        back(released, luis)


def test_the_current_text_is_not_rolled_back_to_itself(released: Document, aiko: User) -> None:
    with pytest.raises(Invalid):
        back(released, aiko, to_number=2)
