"""Whether a change still fits is found out once for a revision and a version, and never told of another."""

from collections.abc import Sequence

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Document
from agents.protection import protect
from audit.record import SYSTEM
from people.models import User
from proposals.actions import fitting, stepping
from proposals.actions.decisions import approve
from proposals.actions.fitting import fit_all
from proposals.actions.proposals import amend, merged_onto_current
from proposals.diffs import Diff, compute
from proposals.diffs.merging import Merged
from proposals.models import Fit, Proposal, Step
from tests.cast import digest_of, propose


@pytest.fixture
def merges(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The proposals merged from here on."""
    done: list[int] = []

    def noted(proposal: Proposal) -> Merged:
        done.append(proposal.pk)
        return merged_onto_current(proposal)

    monkeypatch.setattr(fitting, "merged_onto_current", noted)
    return done


@pytest.fixture
def meets(prompt: Document, aiko: User, mara: User) -> Proposal:
    """A change of the line that version 2 changed, too."""
    first, second = propose(prompt, aiko), propose(prompt, aiko, "30 days", "60 days")
    approve(first.pk, user=mara, digest=digest_of(first))
    return second


def test_who_looks_again_waits_for_no_merge(client: Client, mara: User, meets: Proposal, merges: list[int]) -> None:
    client.force_login(mara)
    pages = {client.get(reverse("proposal", args=[meets.pk])).text.count("1 place changed by both") for _ in range(3)}
    assert (pages, merges) == ({1}, [meets.pk])


def test_the_worker_merges_before_anybody_looks(client: Client, mara: User, meets: Proposal, merges: list[int]) -> None:
    assert (fit_all(), fit_all(), merges) == (1, 0, [meets.pk])
    client.force_login(mara)
    assert "1 place changed by both" in client.get(reverse("proposal", args=[meets.pk])).text
    assert merges == [meets.pk]
    assert fit_all(within=-1) == 0


def test_another_version_or_another_text_is_merged_anew(
    client: Client, prompt: Document, aiko: User, mara: User, meets: Proposal, merges: list[int]
) -> None:
    client.force_login(mara)
    page = reverse("proposal", args=[meets.pk])
    assert "1 place changed by both" in client.get(page).text
    back = propose(prompt, aiko, "14 days", "30 days")
    approve(back.pk, user=mara, digest=digest_of(back))
    assert "changed by both" not in client.get(page).text, "version 3 says what it was written for again"
    assert Fit.objects.get().version.number == 3
    current = Document.objects.get(pk=prompt.pk).current
    assert current is not None
    text = current.text.replace("30 days", "90 days")
    amend(meets.pk, user=aiko, text=text, note="", digest=digest_of(meets), base=3)
    last = propose(prompt, aiko, "30 days", "7 days")
    approve(last.pk, user=mara, digest=digest_of(last))
    assert "1 place changed by both" in client.get(page).text
    assert merges == [meets.pk] * 3


def test_what_changed_since_one_looked_is_compared_once(
    client: Client, pending: Proposal, aiko: User, mara: User, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []

    def noted(before: str, after: str, protected: Sequence[str]) -> Diff:
        compared.append(after)
        return compute(before, after, protected)

    monkeypatch.setattr(stepping, "compute", noted)
    client.force_login(mara)
    page = reverse("proposal", args=[pending.pk])
    client.get(page)
    for number in (2, 3):
        text = pending.base_version.text.replace("30 days", f"{number} days")
        amend(pending.pk, user=aiko, text=text, note="", digest=digest_of(pending))
        pages = [client.get(f"{page}?since=1").text for _ in range(2)]
        assert all(f"Changed to revision {number}" in text for text in pages)
        assert len(compared) == number * 2 - 3, "with the one before it when it was written, with others when asked for"
    assert [(s.before.number, s.after.number) for s in Step.objects.order_by("pk")] == [(1, 2), (2, 3), (1, 3)]
    protect(pending.document, "Safety", owners=[ada], actor=SYSTEM)
    client.get(f"{page}?since=1")
    assert len(compared) == 4, "the lines of other sections are marked"


def test_any_two_revisions_are_compared_once_and_few_such_comparisons_are_kept(
    client: Client, pending: Proposal, aiko: User, mara: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stepping, "MOST", 2)
    for number in (2, 3, 4):
        text = pending.base_version.text.replace("30 days", f"{number} days")
        amend(pending.pk, user=aiko, text=text, note="", digest=digest_of(pending))
    client.force_login(mara)
    pairs = [(1, 3), (4, 2), (1, 4), (1, 2), (0, 4)]
    addresses = [f"{reverse('revision', args=[pending.pk, after])}?from={before}" for before, after in pairs]
    pages = [client.get(address).text for address in addresses]
    assert all(f"<ins>{after}</ins>" in text for (_, after), text in zip(pairs, pages, strict=True))
    kept = [(one.before.number, one.after.number) for one in Step.objects.order_by("pk")]
    assert kept == [(1, 2), (2, 3), (3, 4), (4, 2), (1, 4)]
    monkeypatch.setattr(stepping, "compute", None)
    assert all(client.get(address).status_code == 200 for address in addresses[1:])
