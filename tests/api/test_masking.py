"""Masking of personal data in what agents send, before it is stored."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from agents.models import Agent, Document
from agents.sensitive import MASKED
from feedback.ingest import rows
from feedback.models import Feedback, Run
from people.models import User
from proposals.models import ProposalEvidence, Trial
from tests.api.conftest import MakeCaller
from tests.cast import digest_of, propose, report


@pytest.fixture
def masking(settings: Settings) -> None:
    settings.COUNTERSIGN_MASK = frozenset(MASKED)
    rows.mask.cache_clear()


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    rows.mask.cache_clear()


@pytest.mark.django_db(transaction=True)
def test_what_is_masked_never_reaches_the_database_and_is_counted(
    masking: None, support: Agent, make_caller: MakeCaller
) -> None:
    caller = make_caller(support)
    body = {
        "id": "fb",
        "rating": "negative",
        "reason": "Call me: +49 171 1234567, or a@b.org",
        "correction": "Say a@b.org.",
        "input": "I am at 10.0.0.1",
        "metadata": {"who": ["c@d.org"], "n": 3},
    }
    assert caller.post("/feedback", body).status_code == 201
    assert caller.post("/feedback", body).status_code == 200
    stored = Feedback.objects.get(external_id="fb")
    assert stored.reason == "Call me: [phone number], or [e-mail]"
    assert (stored.correction, stored.input) == ("Say [e-mail].", "I am at [IP address]")
    assert stored.metadata == {"who": ["[e-mail]"], "n": 3}
    assert stored.masked == {"phone": 1, "email": 3, "ip": 1}


@pytest.mark.django_db(transaction=True)
def test_runs_are_masked_too_and_a_long_label_stays_short(
    masking: None, support: Agent, make_caller: MakeCaller
) -> None:
    run = {"id": "r", "success": False, "error": "login of a@b.org failed", "task": "a@b.cc " * 28}
    assert make_caller(support).post("/runs", [run]).status_code == 207
    stored = Run.objects.get(external_id="r")
    assert (stored.error, len(stored.task)) == ("login of [e-mail] failed", 200)
    assert stored.masked == {"email": 29}


@pytest.mark.django_db(transaction=True)
def test_without_the_setting_nothing_is_touched(support: Agent, make_caller: MakeCaller) -> None:
    assert make_caller(support).post("/feedback", {"id": "fb", "reason": "a@b.org"}).status_code == 201
    stored = Feedback.objects.get(external_id="fb")
    assert (stored.reason, stored.masked) == ("a@b.org", None)


@pytest.mark.django_db(transaction=True)
def test_signals_models_and_outputs_handed_in_are_masked_as_well(
    masking: None, support: Agent, prompt: Document, aiko: User, make_caller: MakeCaller
) -> None:
    caller = make_caller(support)
    assert caller.post("/runs", [{"id": "r", "success": True, "model": "of a@b.org"}]).status_code == 207
    assert Run.objects.get(external_id="r").model == "of [e-mail]"
    assert caller.post("/feedback", {"id": "fb", "signals": {"mailed a@b.org": True}}).status_code == 201
    assert Feedback.objects.get(external_id="fb").signals == {"mailed [e-mail]": True}
    proposal, case = propose(prompt, aiko), report(support, "anna", input="Who?", output="Ask me.", reason="wrong")
    ProposalEvidence.objects.create(proposal=proposal, feedback=case)
    said = {"feedback": case.external_id, "output": "Write to a@b.org."}
    sent = {"revision": digest_of(proposal), "outputs": [said]}
    for status in (201, 200):
        assert caller.post(f"/proposals/{proposal.pk}/outputs", sent).status_code == status
    kept = Trial.objects.get()
    assert kept.output == "Write to [e-mail]."
    assert "a@b.org" not in str(kept.marks)
