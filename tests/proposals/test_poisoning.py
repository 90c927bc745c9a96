"""The simulation of an attacker that `python -m bench.poisoning` runs at length, in short."""

import pytest
from pytest_django import Settings

from bench.poisoning import ATTACKS, interval, measure

ONE_KEY, TEN_KEYS, TEN_OWNERS, _ = ATTACKS


@pytest.mark.django_db
def test_neither_one_key_nor_ten_of_one_owner_bring_a_draft_about(settings: Settings) -> None:
    settings.COUNTERSIGN_MIN_DAYS, settings.COUNTERSIGN_COUNT_USERS = 2, False
    assert [measure(attack, 0.3, trials=1, reports=60, seed=1) for attack in (ONE_KEY, TEN_KEYS)] == [0, 0]
    assert measure(TEN_OWNERS, 0.3, trials=1, reports=60, seed=1) == 1  # so that the simulation attacks at all


def test_the_interval_of_nothing_found_ends_above_nothing() -> None:
    assert interval(0, 20) == (0.0, pytest.approx(0.161, abs=0.001))
