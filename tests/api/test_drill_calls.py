"""A few of the calls that `python -m drills.calls` makes ten thousand of."""

import pytest

from drills.calls import run


@pytest.mark.django_db(transaction=True)
def test_calls_made_up_from_the_document_are_answered_as_it_says() -> None:
    answered = run(calls=60, seed=2)
    assert answered.total() >= 50
    assert {200, 401, 404, 422} <= set(answered)
