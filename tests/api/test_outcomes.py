"""What came of a change, over REST."""

import pytest

from proposals.models import Proposal
from tests.api.conftest import Caller

LINE = "Reports fell from 4.0\u00a0% to 0\u00a0% of runs (95\u00a0%: 0–0.38) in 7 days"


def test_it_is_read_over_rest(fell: Proposal, caller: Caller, pending: Proposal) -> None:
    outcome = caller.get(f"/proposals/{fell.pk}").json()["outcome"]
    assert (outcome["says"], outcome["word"], outcome["days"]) == (LINE, "fell", 7.0)
    assert outcome["target"]["after"]["high"] == pytest.approx(0.00383, abs=1e-4)
    assert [(one["label"], one["word"]) for one in outcome["others"]] == [("Late", "rose")]
    assert caller.get(f"/proposals/{pending.pk}").json()["outcome"] is None
