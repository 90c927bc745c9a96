"""A few of the races that `python -m drills.races` runs a thousand of."""

import pytest

from drills.races import KINDS, run


@pytest.mark.django_db(transaction=True)
def test_of_many_who_decide_at_the_same_instant_one_wins_and_nothing_is_half_done() -> None:
    won = run(races=6, seed=4)
    assert sum(won[kind] for kind in KINDS) >= 6
    assert won["refused"]
