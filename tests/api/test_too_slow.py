"""What the database ends for taking too long, as callers see it."""

import pytest

from feedback.models import Feedback
from tests.api.conftest import Caller
from tests.patience import held, impatient

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("limit", ["statement_timeout", "lock_timeout"])
def test_calls_of_the_api_are_told_when_to_come_again(caller: Caller, limit: str) -> None:
    caller.get("/agents")  # who the key is is known from here on
    report = {"agent": "support", "reason": "Wrong", "user": "u"}
    with held("agents_version, feedback_feedback"), impatient(**{limit: "300ms"}):
        refused = [
            caller.get("/agents/support/instructions/system-prompt"),
            caller.post("/feedback", report),
            caller.get("/agents/support/documents/system-prompt/versions"),
        ]
    assert [(answer.status_code, answer["Retry-After"]) for answer in refused] == [(503, "10")] * 3
    assert {answer.json()["type"] for answer in refused} == {"/problems/took-too-long"}
    assert not Feedback.objects.exists()
    assert caller.post("/feedback", report).status_code == 201
