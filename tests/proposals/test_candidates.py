"""Several open proposals for one pattern: drafted, chosen from, ended together."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from agents.models import Document
from audit.models import AuditEntry
from feedback.actions.mining import mine
from feedback.models import Pattern
from people.models import User
from proposals.actions.candidates import choose, draft_alternatives
from proposals.actions.decisions import approve, reject
from proposals.actions.drafting import draft
from proposals.actions.proposals import submit, withdraw
from proposals.exceptions import Invalid, NotAllowed, NotPending, Outdated, ReviewError
from proposals.models import Proposal
from tests.cast import PROMPT, digest_of, report


def drafted_for(prompt: Document) -> Proposal:
    """Countersign's draft for what four people corrected."""
    for number in range(4):
        said = {"output": "You have 30 days to return a course.", "correction": "You have 14 days to return a course."}
        report(prompt.agent, f"person {number}", **said)
    mine(prompt.agent)
    made = draft(Pattern.objects.shown().get().pk)
    assert isinstance(made, Proposal), made
    return made


@pytest.fixture
def first(prompt: Document) -> Proposal:
    return drafted_for(prompt)


def own(prompt: Document, user: User, pattern: int | None) -> Proposal:
    """A person's own answer to the pattern."""
    document = Document.objects.select_related("agent", "current").get(pk=prompt.pk)
    return submit(
        document=document, base_number=1, text=f"{PROMPT}- Courses: 14 days.\n", title="Courses: 14 days",
        rationale="They ask.", user=user, pattern_id=pattern,
    )  # fmt: skip


def seen(*proposals: Proposal) -> dict[int, str]:
    return {proposal.pk: digest_of(proposal) for proposal in proposals}


def status_of(proposal: Proposal) -> str:
    return Proposal.objects.values_list("status", flat=True).get(pk=proposal.pk)


def pattern_of(proposal: Proposal) -> str:
    return Pattern.objects.values_list("status", flat=True).get(proposals=proposal)


@pytest.mark.django_db
def test_alternatives_stand_beside_the_draft_and_their_asker_cannot_decide_them(first: Proposal, mara: User) -> None:
    assert first.pattern_id
    made = draft_alternatives(first.pattern_id, user=mara)
    assert len(made) >= 2
    assert len({one.title for one in [first, *made]}) == len(made) + 1
    assert all(one.is_alternative and one.requested_by == mara and one.pattern_id == first.pattern_id for one in made)
    assert draft_alternatives(first.pattern_id, user=mara) == []
    with pytest.raises(NotAllowed, match="You asked for this draft"):
        approve(made[0].pk, user=mara, digest=digest_of(made[0]))


@pytest.mark.django_db
def test_alternatives_need_a_curator_and_an_open_proposal(first: Proposal, mara: User, aiko: User) -> None:
    assert first.pattern_id
    with pytest.raises(NotAllowed):
        draft_alternatives(first.pattern_id, user=aiko)
    withdraw(first.pk, user=mara)
    with pytest.raises(NotPending):
        draft_alternatives(first.pattern_id, user=mara)


@pytest.mark.django_db
def test_choosing_one_withdraws_the_others_with_an_entry_each(
    first: Proposal, prompt: Document, aiko: User, mara: User, jonas: User
) -> None:
    assert first.pattern_id
    others = draft_alternatives(first.pattern_id, user=jonas)
    persons = own(prompt, aiko, first.pattern_id)
    assert choose(first.pk, user=mara, reason="Smallest.", seen=seen(first, persons, *others)) == [*others, persons]
    assert {status_of(one) for one in [*others, persons]} == {"withdrawn"}
    assert (status_of(first), pattern_of(first)) == ("pending", "proposed")
    assert set(first.supersedes.values_list("pk", flat=True)) == {one.pk for one in [*others, persons]}
    chosen = AuditEntry.objects.get(verb="proposal.chosen")
    assert chosen.fact["after"] == {"over": [one.pk for one in [*others, persons]], "reason": "Smallest."}
    assert AuditEntry.objects.filter(verb="proposal.superseded").count() == len(others) + 1
    approve(first.pk, user=mara, digest=digest_of(first))
    assert pattern_of(first) == "watching"


@pytest.mark.django_db
def test_a_choice_is_refused_where_it_is_not_ones_to_make(
    first: Proposal, prompt: Document, aiko: User, mara: User, jonas: User
) -> None:
    with pytest.raises(NotPending, match="nothing to choose from"):
        choose(first.pk, user=mara, reason="It.", seen=seen(first))
    persons = own(prompt, jonas, first.pattern_id)
    every = seen(first, persons)
    with pytest.raises(NotAllowed):  # his own against the other
        choose(persons.pk, user=jonas, reason="Mine.", seen=every)
    with pytest.raises(NotAllowed):
        choose(first.pk, user=aiko, reason="It.", seen=every)
    with pytest.raises(Invalid):
        choose(first.pk, user=mara, reason=" ", seen=every)
    with pytest.raises(Outdated):
        choose(first.pk, user=mara, reason="It.", seen=seen(first))
    assert (status_of(first), status_of(persons)) == ("pending", "pending")
    assert not AuditEntry.objects.filter(verb__in=["proposal.chosen", "proposal.superseded"]).exists()
    assert choose(first.pk, user=jonas, reason="Better than mine.", seen=every) == [persons]


@pytest.mark.django_db
def test_approving_one_ends_what_countersign_drafted_and_leaves_peoples_own(
    first: Proposal, prompt: Document, aiko: User, mara: User, jonas: User
) -> None:
    assert first.pattern_id
    others = draft_alternatives(first.pattern_id, user=jonas)
    persons = own(prompt, aiko, first.pattern_id)
    approve(first.pk, user=mara, digest=digest_of(first))
    assert {status_of(one) for one in others} == {"withdrawn"}
    assert status_of(persons) == "pending"
    reject(persons.pk, user=mara, digest=digest_of(persons), reason="duplicate", note="Done already.")
    assert pattern_of(first) == "watching"


@pytest.mark.django_db
def test_the_pattern_is_free_only_when_the_last_candidate_is_gone(
    first: Proposal, prompt: Document, mara: User, jonas: User
) -> None:
    persons = own(prompt, jonas, first.pattern_id)
    reject(first.pk, user=mara, digest=digest_of(first), reason="wrong_fix", note="No.")
    assert pattern_of(persons) == "proposed"
    assert draft(persons.pattern_id or 0) == f"Proposal {persons.pk} is open."
    withdraw(persons.pk, user=jonas)
    assert pattern_of(persons) == "open"


@pytest.mark.django_db(transaction=True)
def test_two_who_approve_two_candidates_at_once_publish_one(prompt: Document, mara: User, jonas: User) -> None:
    first = drafted_for(prompt)
    persons = own(prompt, User.objects.create_superuser("root"), first.pattern_id)
    start = Barrier(2)

    def decide(proposal: Proposal, user: User) -> str:
        start.wait()
        try:
            approve(proposal.pk, user=user, digest=digest_of(proposal))
        except ReviewError as refused:
            return type(refused).__name__
        finally:
            connection.close()
        return "approved"

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(decide, [first, persons], [mara, jonas]))
    assert said in (["NotPending", "approved"], ["StaleProposal", "approved"])
    assert Document.objects.get(pk=prompt.pk).versions.count() == 2
