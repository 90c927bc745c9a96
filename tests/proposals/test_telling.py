"""What rollouts and proposals have told, in the transaction of what is told."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Document
from notices.models import Notice
from people.models import User
from proposals.actions import digest, watching
from proposals.actions.watching import watch
from proposals.models import Proposal, Rollout
from tests.cast import propose
from tests.rollouts import canary, fresh, good, report_runs, to_the_gate

pytestmark = pytest.mark.django_db


@pytest.fixture
def rollout(prompt: Document, aiko: User, mara: User) -> Rollout:
    return canary(prompt, aiko, mara)


def test_the_gate_is_told_once_with_rates_and_intervals_and_a_link(client: Client, rollout: Rollout) -> None:
    to_the_gate(rollout)
    for _ in range(2):
        good(rollout)
        watch(rollout.pk)
    told = Notice.objects.get()
    assert (told.kind, told.title) == (
        Notice.Kind.GATE,
        "Version 2 of Support agent / System prompt waits at the gate",
    )
    assert "Success rate: 100.0\u00a0% against 100.0\u00a0%, a difference between" in told.text
    assert "The change: “Say 14 days”" in told.text
    assert told.facts["verdict"]["kind"] == "no_worse"
    assert told.facts["share"] == 0.5
    assert "waits at the gate" in client.get(told.link).text


def test_a_candidate_taken_back_by_itself_is_told(rollout: Rollout) -> None:
    report_runs(rollout, candidate=[False] * 40, current=[True] * 360)
    watch(rollout.pk)
    assert fresh(rollout).state == "rolled_back"
    told = Notice.objects.get()
    assert told.title == "Version 2 of Support agent / System prompt was taken back by itself"
    assert "Everybody gets version 1 again" in told.text


def test_a_question_is_told_again_only_when_it_is_asked_again(rollout: Rollout) -> None:
    def silent() -> None:
        report_runs(rollout, candidate=[], current=[True] * 400, prefix=f"{Notice.objects.count()}-")
        watch(rollout.pk)

    silent()
    watch(rollout.pk)
    assert fresh(rollout).asks == "silence"
    assert [told.title for told in Notice.objects.all()] == [
        "Version 2 of Support agent / System prompt asks: no runs of the candidate"
    ]


def test_nothing_is_told_of_what_is_undone(rollout: Rollout, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(watching, "tell_of_end", fail)
    report_runs(rollout, candidate=[False] * 40, current=[True] * 360)
    with pytest.raises(RuntimeError):
        watch(rollout.pk)
    assert (fresh(rollout).state, Notice.objects.count()) == ("running", 0)


def test_new_proposals_are_told_together_and_not_each(prompt: Document, aiko: User) -> None:
    assert digest.tell_due() == 0
    first, second = propose(prompt, aiko), propose(prompt, aiko, "Never", "Do not ever")
    Proposal.objects.filter(pk=first.pk).update(title="Look at\u202e https://evil.example")
    assert digest.tell_due() == 2
    propose(prompt, aiko, "Check", "Look up")
    assert digest.tell_due() == 0
    told = Notice.objects.get()
    assert told.title == "2 new proposals wait"
    assert "- Support agent / System prompt: “Look at https://evil.example”" in told.text
    assert told.facts["upto"] == second.pk
    Notice.objects.update(at=timezone.now() - timedelta(hours=2))
    assert digest.tell_due() == 1
    assert Notice.objects.first().title == "1 new proposal waits"
