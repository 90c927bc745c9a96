"""What rests on a key, and its quarantine, over REST."""

import pytest

from agents import keys
from agents.models import Agent, ApiKey, Document
from audit.models import AuditEntry
from audit.record import SYSTEM
from feedback.actions import quarantine
from feedback.actions.mining import mine
from feedback.models import Feedback, Pattern
from people.models import User
from proposals.actions.proposals import submit
from proposals.models import Proposal
from tests.api.conftest import Caller, MakeCaller
from tests.cast import COMPLAINTS, PROMPT, report


@pytest.fixture
def leaked(support: Agent, mara: User) -> ApiKey:
    return keys.create(support, ["ingest"], owner=mara, actor=SYSTEM, label="Leaked")[0]


@pytest.fixture
def proposal(prompt: Document, leaked: ApiKey, aiko: User) -> Proposal:
    reports = [report(prompt.agent, f"person {n}", reason=text, key=leaked) for n, text in enumerate(COMPLAINTS)]
    mine(prompt.agent)
    document = Document.objects.select_related("agent", "current").get(pk=prompt.pk)
    text = PROMPT.replace("30 days", "14 days")
    wish = {"title": "Say 14", "rationale": "So.", "user": aiko, "pattern_id": Pattern.objects.get().pk}
    assert reports
    return submit(document=document, base_number=1, text=text, **wish)  # type: ignore[arg-type]


def test_what_rests_on_a_key_is_listed_with_what_is_left(caller: Caller, leaked: ApiKey, proposal: Proposal) -> None:
    page = caller.get(f"/keys/{leaked.prefix}/resting").json()
    assert (page["found"], page["next"]) == (1, None)
    (one,) = page["items"]
    assert one["url"].endswith(f"/proposals/{proposal.pk}/")
    wanted = {"proposal": proposal.pk, "state": "pending", "version": None, "sources": 4, "left": 0, "falls": True}
    assert wanted.items() <= one.items()
    assert caller.get(f"/keys/{leaked.prefix}/resting?cursor=1").json()["items"] == []
    assert caller.get(f"/keys/{leaked.prefix}/resting?cursor=-1").status_code == 422


def test_its_reports_go_into_quarantine_and_come_back(caller: Caller, leaked: ApiKey, proposal: Proposal) -> None:
    address = f"/keys/{leaked.prefix}/quarantine"
    assert caller.get(address).status_code == 404
    begun = caller.post(address, {"reason": "It leaked.", "since": "2020-01-01T00:00:00+02:00", "revoke": True})
    assert begun.status_code == 201
    assert (begun.json()["since"], begun.json()["done_at"]) == ("2019-12-31T22:00:00Z", None)
    leaked.refresh_from_db()
    assert leaked.revoked_at
    assert caller.post(address, {"reason": "Again."}).status_code == 409
    quarantine.settle_all()
    assert caller.get(address).json()["feedback"] == 4
    assert not Feedback.objects.counted().exists()
    assert caller.delete(address).status_code == 200
    quarantine.settle_all()
    assert caller.get(address).json()["feedback"] == 0
    assert Feedback.objects.counted().count() == 4
    assert caller.delete(address).status_code == 409
    assert AuditEntry.objects.filter(verb="key.quarantined", actor_kind="key").count() == 1


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({}, "reason"),
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "It leaked.", "since": "yesterday"}, "since"),
        ({"reason": "It leaked.", "since": 7}, "since"),
        ({"reason": "It leaked.", "until": "9999-12-31T23:59:59-23:59"}, "until"),
        ({"reason": "It leaked.", "since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "until"),
        ({"reason": "It leaked.", "forever": True}, "forever"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_at_its_field(
    caller: Caller, leaked: ApiKey, wish: dict[str, object], field: str
) -> None:
    refused = caller.post(f"/keys/{leaked.prefix}/quarantine", wish)
    assert refused.status_code == 422
    assert [one["loc"][0] for one in refused.json()["errors"]] == [field]
    assert not leaked.quarantines.exists()


def test_a_key_may_not_speak_its_own_owner_free(
    support: Agent, coder: Agent, leaked: ApiKey, mara: User, make_caller: MakeCaller
) -> None:
    own, address = make_caller(support, "admin", owner=mara), f"/keys/{leaked.prefix}/quarantine"
    assert own.post(address, {"reason": "It leaked."}).status_code == 201
    assert own.delete(address).status_code == 403
    assert make_caller(coder).delete(address).status_code == 404
    assert make_caller(coder).get(f"/keys/{leaked.prefix}/resting").status_code == 404
    assert make_caller(support, "read").delete(address).status_code == 403
    assert leaked.quarantines.in_force().exists()
