"""What people do with a rollout: promote, stop, set its share, roll back; and what they may not."""

import json

import pytest
from pytest_django import Settings

from agents.models import Document
from audit.models import AuditEntry
from people.models import User
from proposals.actions import steering
from proposals.actions.rollbacks import roll_back
from proposals.actions.rollouts import State
from proposals.actions.watching import watch
from proposals.exceptions import Invalid, NotAllowed, NotPending, Outdated
from proposals.models import Rollout
from tests.rollouts import canary, fresh, good, report_runs, to_the_gate, verbs

pytestmark = pytest.mark.django_db


@pytest.fixture
def rollout(prompt: Document, aiko: User, mara: User) -> Rollout:
    return canary(prompt, aiko, mara)


def test_stopping_needs_a_reason_and_the_right_to(rollout: Rollout, mara: User, luis: User) -> None:
    with pytest.raises(NotAllowed):
        steering.stop(rollout.pk, user=luis, reason="No.")
    with pytest.raises(Invalid, match="Say why"):
        steering.stop(rollout.pk, user=mara, reason=" ")
    steering.stop(rollout.pk, user=mara, reason="Not today.")
    assert (fresh(rollout).state, fresh(rollout).ended_by, fresh(rollout).reason) == ("stopped", mara, "Not today.")
    with pytest.raises(NotPending, match="was stopped by Mara Okafor already"):
        steering.stop(rollout.pk, user=mara, reason="Again.")
    with pytest.raises(NotPending):
        steering.promote(rollout.pk, user=mara, epoch=fresh(rollout).epoch)


def test_an_author_promotes_nothing_of_their_own(rollout: Rollout, aiko: User, luis: User) -> None:
    with pytest.raises(NotAllowed, match="Somebody else has to promote it"):
        steering.promote(rollout.pk, user=aiko, epoch=0)
    with pytest.raises(NotAllowed, match="needs the role"):
        steering.promote(rollout.pk, user=luis, epoch=0)


@pytest.mark.parametrize("alone", [True, False])
def test_the_log_says_where_a_single_operator_promoted(
    rollout: Rollout, aiko: User, mara: User, settings: Settings, alone: bool
) -> None:
    settings.COUNTERSIGN_SINGLE_OPERATOR = True
    steering.promote(rollout.pk, user=aiko if alone else mara, epoch=0)
    said = json.loads(AuditEntry.objects.get(verb="rollout.promoted").body)
    assert said["after"]["single_operator"] is alone


def test_promoting_what_has_moved_on_is_refused(rollout: Rollout, mara: User) -> None:
    good(rollout, 900)
    watch(rollout.pk)
    with pytest.raises(Outdated, match="it is at 30\u00a0%, running"):
        steering.promote(rollout.pk, user=mara, epoch=0)


def test_being_asked_meanwhile_does_not_outdate_the_page(rollout: Rollout, mara: User) -> None:
    report_runs(rollout, candidate=[], current=[True] * 300)
    watch(rollout.pk)
    assert fresh(rollout).asks
    assert verbs(rollout) == ["started", "asked"]
    steering.promote(rollout.pk, user=mara, epoch=rollout.epoch)


def test_an_operator_sets_the_share_within_the_plan(rollout: Rollout, aiko: User, mara: User) -> None:
    steering.set_share(rollout.pk, user=aiko, epoch=0, share=20)
    assert fresh(rollout).share == 20
    for share in (0, 46, 51, 100):
        with pytest.raises(Invalid):
            steering.set_share(rollout.pk, user=aiko, epoch=1, share=share)
    with pytest.raises(NotAllowed):
        steering.set_share(rollout.pk, user=mara, epoch=1, share=5)
    steering.set_share(rollout.pk, user=aiko, epoch=1, share=5)
    assert [change.share for change in rollout.shares.all()] == [10, 20, 5]
    good(rollout, 3000)
    watch(rollout.pk)
    assert fresh(rollout).share == 10


def test_a_share_lowered_by_hand_climbs_through_every_step_again(rollout: Rollout, aiko: User) -> None:
    for share in (30, 50):
        steering.set_share(rollout.pk, user=aiko, epoch=fresh(rollout).epoch, share=share)
    assert fresh(rollout).step_index == 2
    steering.set_share(rollout.pk, user=aiko, epoch=fresh(rollout).epoch, share=5)
    good(rollout, 3000)
    watch(rollout.pk)
    assert (fresh(rollout).share, fresh(rollout).step_index) == (10, 0)
    to_the_gate(rollout)
    assert [change.share for change in rollout.shares.all()] == [10, 30, 50, 5, 10, 30, 50]


def test_rolling_the_document_back_ends_its_rollout(rollout: Rollout, prompt: Document, mara: User, aiko: User) -> None:
    steering.promote(rollout.pk, user=mara, epoch=0)
    later = canary(prompt, aiko, mara, old="14 days", new="10 days")
    roll_back(prompt.pk, user=aiko, to_number=1, current_number=2, reason="All of it was wrong.")
    assert fresh(later).state == State.STOPPED
    assert "was rolled back: All of it was wrong." in fresh(later).reason
    prompt.refresh_from_db()
    assert prompt.current
    assert prompt.current.number == 4


def test_nobody_rolls_back_to_what_never_was_current(rollout: Rollout, prompt: Document, mara: User) -> None:
    steering.stop(rollout.pk, user=mara, reason="Not today.")
    with pytest.raises(Invalid, match="never current"):
        roll_back(prompt.pk, user=mara, to_number=2, current_number=1, reason="Past the gate.")
