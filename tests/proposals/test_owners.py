"""Owners of sections: each section has its own, and nobody waits for one who cannot answer."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Document
from agents.protection import protect
from audit.record import SYSTEM
from people.models import User
from people.roles import Role
from people.signin import create_person
from proposals.actions.bypass import bypass
from proposals.actions.decisions import approve
from proposals.actions.policy import set_policy
from proposals.actions.proposals import rebase, submit
from proposals.authority import policies
from proposals.authority.needs import Need, Owned
from proposals.exceptions import NotAllowed
from proposals.models import Decision, Proposal
from proposals.queue import waiting_for
from tests.cast import PROMPT, digest_of, propose

pytestmark = pytest.mark.django_db
SAFETY = ("card numbers", "bank numbers")


def say_yes(proposal: Proposal, *people: User) -> str:
    """Approve one after the other; the state after that."""
    for person in people:
        approve(proposal.pk, user=person, digest=digest_of(proposal))
    return Proposal.objects.values_list("status", flat=True).get(pk=proposal.pk)


def shown(client: Client, user: User, proposal: Proposal) -> str:
    client.force_login(user)
    return client.get(reverse("proposal", args=[proposal.pk])).text


def test_an_owner_answers_for_their_own_section_only(
    client: Client, prompt: Document, aiko: User, mara: User, jonas: User, ada: User
) -> None:
    protect(prompt, "Safety", owners=[ada], actor=SYSTEM)
    protect(prompt, "Refunds", owners=[jonas], actor=SYSTEM)
    text = PROMPT.replace("30 days", "14 days").replace(*SAFETY)
    fresh = Document.objects.select_related("agent", "current").get(pk=prompt.pk)
    both = submit(document=fresh, base_number=1, text=text, title="Both", rationale="Law.", user=aiko)
    assert say_yes(both, ada, mara) == "pending"
    page = shown(client, ada, both)
    assert "2 approvals, Refunds’s owner missing" in page
    assert "Still needed: Jonas Weber, owner of Refunds." in page
    assert say_yes(both, jonas) == "approved"


def test_when_only_an_owner_is_missing_it_is_their_turn_alone(
    prompt: Document, aiko: User, mara: User, jonas: User, ada: User
) -> None:
    late = create_person("late", name="Late Reviewer", roles=[Role.REVIEWER])
    protect(prompt, "Safety", owners=[ada], actor=SYSTEM)
    proposal = propose(prompt, aiko, *SAFETY)
    assert waiting_for(late) == [proposal.pk]
    say_yes(proposal, mara, jonas)
    assert (waiting_for(late), waiting_for(ada)) == ([], [proposal.pk])
    User.objects.filter(pk=ada.pk).update(is_active=False)
    assert waiting_for(late) == [proposal.pk]
    assert say_yes(proposal, late) == "approved"


def test_an_owner_who_wrote_the_change_is_not_waited_for(
    client: Client, prompt: Document, ada: User, mara: User, jonas: User
) -> None:
    protect(prompt, "Safety", owners=[ada], actor=SYSTEM)
    proposal = propose(prompt, ada, *SAFETY)
    assert say_yes(proposal, mara) == "pending"
    page = shown(client, jonas, proposal)
    assert "No owner of Safety can decide on this; anybody’s approval stands in." in page
    assert "1 of 2 approvals" in page
    assert say_yes(proposal, jonas) == "approved"


def test_one_persons_word_never_stands_in_for_an_owners(prompt: Document, ada: User, mara: User, jonas: User) -> None:
    set_policy(user=ada, agent=None, kind="", covers="protected", approvals=1, owner_approvals=1)
    protect(prompt, "Safety", owners=[mara], actor=SYSTEM)
    proposal = propose(prompt, mara, *SAFETY)
    assert say_yes(proposal, jonas) == "pending"
    assert say_yes(proposal, ada) == "approved"


def test_a_single_operator_is_enough_whatever_the_policy_asks(
    client: Client, settings: Any, prompt: Document, aiko: User, mara: User, ada: User
) -> None:
    set_policy(user=ada, agent=None, kind="", covers="any", approvals=2, owner_approvals=0)
    protect(prompt, "Safety", owners=[mara], actor=SYSTEM)
    before = propose(prompt, aiko)
    assert say_yes(before, ada) == "pending"
    settings.COUNTERSIGN_SINGLE_OPERATOR = True
    proposal = propose(prompt, aiko, *SAFETY)
    page = shown(client, ada, proposal)
    assert "Four eyes are off on this board, so one approval is enough." in page
    assert "Approving makes this text version 2" in page
    with pytest.raises(NotAllowed, match="you may approve alone"):
        bypass(proposal.pk, user=ada, digest=digest_of(proposal), reason="It cannot wait." * 3, number=proposal.pk)
    assert say_yes(before, ada) == "approved", "it was approved by her when that was not enough"
    rebase(proposal.pk, user=ada)
    assert say_yes(proposal, ada) == "approved"
    assert Decision.objects.get(revision__proposal=proposal).single_operator


def test_all_whom_the_rules_bar_are_barred_as_owners(prompt: Document, aiko: User, mara: User, ada: User) -> None:
    proposal = Proposal.objects.for_page().get(pk=propose(prompt, aiko).pk)
    found = policies.barred(proposal)
    assert found == {one.pk for one in (aiko, mara, ada) if policies.conflict_of_interest(one, proposal)}


@pytest.mark.parametrize(
    ("actors", "missing", "tally"),
    [
        (set(), "1 more approval needed, and that of Ada or Bo, owners of A; Ada, owner of B.", "0 of 2 approvals"),
        ({2}, "Still needed: Ada, owner of B.", "1 of 2 approvals"),
        ({8, 9}, "Still needed: Ada or Bo, owners of A; Ada, owner of B.", "2 approvals, A’s and B’s owner missing"),
        ({1}, "1 more approval needed.", "1 of 2 approvals"),
        ({1, 9}, "", "2 of 2 approvals"),
    ],
)
def test_what_is_missing_is_said_as_it_is(actors: set[int], missing: str, tally: str) -> None:
    need = Need(2, "", (Owned("A", 1, ((1, "Ada"), (2, "Bo"))), Owned("B", 1, ((1, "Ada"),))))
    assert (need.missing(actors), need.tally(actors)) == (missing, tally)
