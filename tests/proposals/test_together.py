"""Several small changes decided at one press, each by itself."""

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Document
from agents.versions import create_agent
from audit.record import SYSTEM
from people.models import User
from proposals.actions.proposals import amend
from proposals.actions.together import approve_together, sort_out
from proposals.models import Decision, Proposal, RolloutPlan
from tests.cast import PROMPT, digest_of, propose
from tests.rollouts import QUICKLY

pytestmark = pytest.mark.django_db


@pytest.fixture
def small(prompt: Document, aiko: User) -> list[Proposal]:
    """Aiko's small change of three agents' prompts."""
    others = [
        create_agent(slug, name=slug, actor=SYSTEM, documents={"prompt": PROMPT}).documents.get()
        for slug in ("sales", "returns")
    ]
    return [propose(document, aiko) for document in (prompt, *others)]


def fresh(proposals: list[Proposal]) -> list[Proposal]:
    return list(Proposal.objects.for_page().filter(pk__in=[p.pk for p in proposals]).order_by("pk"))


def test_small_changes_of_one_kind_are_approved_each_under_its_digest(small: list[Proposal], mara: User) -> None:
    outcomes = approve_together([(p.pk, digest_of(p)) for p in small], user=mara, note="Checked.")
    assert [outcome.done for outcome in outcomes] == [True, True, True]
    assert {p.status for p in fresh(small)} == {Proposal.Status.APPROVED}
    assert {d.digest for d in Decision.objects.all()} == {digest_of(p) for p in small}


def test_what_moved_meanwhile_is_told_and_the_rest_is_decided(small: list[Proposal], mara: User, jonas: User) -> None:
    wanted = [(p.pk, digest_of(p)) for p in small]
    amend(small[1].pk, user=jonas, text=PROMPT.replace("30 days", "15 days"), note="", digest=wanted[1][1])
    outcomes = approve_together(wanted, user=mara)
    assert [outcome.done for outcome in outcomes] == [True, False, True]
    assert "Jonas Weber changed this to revision 2 meanwhile. Nothing was recorded." in outcomes[1].said
    assert [p.status for p in fresh(small)] == ["approved", "pending", "approved"]


def test_a_second_press_tells_that_it_is_done_and_records_nothing(small: list[Proposal], mara: User) -> None:
    wanted = [(p.pk, digest_of(p)) for p in small]
    approve_together(wanted, user=mara)
    assert not any(outcome.done for outcome in approve_together(wanted, user=mara))
    assert Decision.objects.count() == 3


def test_what_is_sent_twice_is_decided_and_told_once(small: list[Proposal], mara: User) -> None:
    wanted = [(p.pk, digest_of(p)) for p in small]
    assert [outcome.done for outcome in approve_together([*wanted, wanted[0]], user=mara)] == [True, True, True]
    assert Decision.objects.count() == 3


def test_a_canary_is_announced_and_what_is_busy_or_starts_otherwise_is_left_out(
    client: Client, small: list[Proposal], prompt: Document, aiko: User, mara: User
) -> None:
    for proposal in small[:2]:
        RolloutPlan.objects.create(document=proposal.document, plan=QUICKLY.to_json())
    assert (sort_out(fresh(small), user=mara).canary, len(sort_out(fresh(small), user=mara).fit)) == (10, 2)
    client.force_login(mara)
    shown = client.get(reverse("together"), {"id": [p.pk for p in small]}).text
    assert "Approving starts a 10&nbsp;% canary of each of these 2 texts" in shown
    assert "their rollout plans differ" in shown
    approve_together([(small[0].pk, digest_of(small[0]))], user=mara)
    again = propose(prompt, aiko, "order date", "date of the order")
    left_out = sort_out(fresh([again, small[1]]), user=mara).left_out
    assert [p for p, _ in left_out] == [again]
    assert left_out[0][1].startswith("A rollout of version 2 is running, at 10\u00a0%.")


def test_risky_own_and_other_kinds_are_never_in_it(
    small: list[Proposal], prompt: Document, aiko: User, mara: User, jonas: User
) -> None:
    Proposal.objects.filter(pk=small[1].pk).update(risk=2)
    again = propose(prompt, aiko, "order date", "date of the order")
    Proposal.objects.filter(pk=small[2].pk).update(origin="drafter", author=None)
    sorted_out = sort_out(fresh([*small, again]), user=mara)
    assert [p.pk for p in sorted_out.fit] == [small[0].pk]
    assert [why for _, why in sorted_out.left_out] == [
        "Medium risk: it is decided on its own page.",
        "It is of another kind than the first.",
        "“Say 14 days” changes the same document; this one can follow once it is up to date with that.",
    ]
    assert not sort_out(fresh(small), user=aiko).fit
    outcomes = approve_together([(small[1].pk, digest_of(small[1]))], user=mara)
    assert not outcomes[0].done
    assert not Decision.objects.exists()
