"""What is of high risk is approved by who opened its evidence; how long they had it before them is kept."""

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.models import Document, Version
from audit.models import AuditEntry
from audit.wording import in_words
from feedback.models import Feedback
from people.models import User
from proposals.actions.attention import look, open_evidence
from proposals.actions.bypass import bypass
from proposals.actions.decisions import approve, reject
from proposals.actions.policy import remove_policy, set_policy
from proposals.actions.proposals import amend, submit
from proposals.checking.risk import Level
from proposals.exceptions import Invalid, Unopened
from proposals.models import Bypass, Decision, EvidenceOpened, Policy, Proposal, ProposalSeen
from tests.cast import PROMPT, digest_of, propose, report

pytestmark = pytest.mark.django_db
LONG = "".join(
    f"- Rule {number} speaks of one more thing that should be said to people in so many words.\n"
    for number in range(40)
)


@pytest.fixture
def complained(prompt: Document, aiko: User) -> Proposal:
    """A long change that three people's reports stand behind."""
    return of_high_risk(prompt, aiko, [report(prompt.agent, f"person {n}", reason="It is wrong.") for n in range(3)])


def of_high_risk(prompt: Document, author: User, evidence: list[Feedback]) -> Proposal:
    made = submit(
        document=Document.objects.select_related("agent", "current").get(pk=prompt.pk),
        base_number=1,
        text=PROMPT + LONG,
        title="Say much more",
        rationale="People miss a lot.",
        user=author,
        evidence=evidence,
    )
    assert made.risk == Level.HIGH
    return made


def test_a_change_of_high_risk_is_approved_only_by_who_opened_its_evidence(
    complained: Proposal, mara: User, jonas: User
) -> None:
    open_evidence(user=jonas, proposal=complained.pk)
    with pytest.raises(Unopened, match="Open the evidence first"):
        approve(complained.pk, user=mara, digest=digest_of(complained))
    assert not Decision.objects.exists()
    assert Version.objects.count() == 1
    assert not AuditEntry.objects.filter(verb="proposal.approved").exists()
    open_evidence(user=mara, proposal=complained.pk)
    made = approve(complained.pk, user=mara, digest=digest_of(complained))
    opened = EvidenceOpened.objects.get(user=mara)
    assert made.evidence_opened_at == opened.at
    fact = AuditEntry.objects.get(verb="proposal.approved").fact["after"]
    assert fact["evidence_opened"] == opened.at.isoformat(timespec="seconds")
    assert "seconds" not in fact  # the page itself was never opened


def test_rejecting_it_takes_no_evidence(complained: Proposal, mara: User) -> None:
    reject(complained.pk, user=mara, digest=digest_of(complained), reason="other", note="No.")
    assert Proposal.objects.get(pk=complained.pk).status == Proposal.Status.REJECTED


def test_what_has_no_evidence_is_approved_without(prompt: Document, aiko: User, mara: User) -> None:
    made = of_high_risk(prompt, aiko, [])
    open_evidence(user=mara, proposal=made.pk)
    assert not EvidenceOpened.objects.exists()
    approve(made.pk, user=mara, digest=digest_of(made))


def test_what_is_of_lower_risk_is_approved_without_unless_the_policy_asks(
    prompt: Document, aiko: User, mara: User, ada: User
) -> None:
    evidence = [report(prompt.agent, "ann", reason="It is wrong.")]
    made = submit(
        document=_fresh(prompt),
        base_number=1,
        text=PROMPT.replace("30", "14"),
        title="Say 14",
        rationale="It is 14.",
        user=aiko,
        evidence=evidence,
    )
    Proposal.objects.filter(pk=made.pk).update(risk=Level.MEDIUM)
    set_policy(user=ada, agent=None, kind="", covers="medium", approvals=1, owner_approvals=0, opens_evidence=True)
    with pytest.raises(Unopened):
        approve(made.pk, user=mara, digest=digest_of(made))
    Policy.objects.all().delete()
    approve(made.pk, user=mara, digest=digest_of(made))


def test_an_admin_can_stop_asking_but_not_for_what_is_open(
    complained: Proposal, prompt: Document, mara: User, ada: User, aiko: User
) -> None:
    loose = set_policy(user=ada, agent=None, kind="", covers="high", approvals=1, owner_approvals=0)
    with pytest.raises(Unopened):
        approve(complained.pk, user=mara, digest=digest_of(complained))
    amend(complained.pk, user=ada, text=f"{PROMPT}{LONG}- More.\n", note="", digest=digest_of(complained))
    approve(complained.pk, user=mara, digest=digest_of(complained))
    remove_policy(loose.pk, user=ada)
    said = [entry.fact for entry in AuditEntry.objects.filter(verb__startswith="policy.").order_by("pk")]
    asks, asks_not = (
        {"approvals": 1, "owner_approvals": 0, "opens_evidence": True},
        {"approvals": 1, "owner_approvals": 0},
    )
    assert [(fact["before"], fact["after"]) for fact in said] == [(asks, asks_not), (asks_not, asks)]


@pytest.mark.parametrize("covers", ["any", "protected", "low"])
def test_only_changes_of_medium_and_high_risk_can_ask_for_it(ada: User, covers: str) -> None:
    with pytest.raises(Invalid, match="medium or high risk"):
        set_policy(user=ada, agent=None, kind="", covers=covers, approvals=1, owner_approvals=0, opens_evidence=True)


def test_it_is_opened_once_whatever_becomes_of_the_text(complained: Proposal, mara: User, ada: User) -> None:
    open_evidence(user=mara, proposal=complained.pk)
    first = EvidenceOpened.objects.get().at
    open_evidence(user=mara, proposal=complained.pk)
    assert EvidenceOpened.objects.get().at == first
    amend(complained.pk, user=ada, text=f"{PROMPT}{LONG}- More.\n", note="", digest=digest_of(complained))
    assert approve(complained.pk, user=mara, digest=digest_of(complained)).evidence_opened_at == first


def test_who_decides_nothing_leaves_no_mark(complained: Proposal, luis: User, aiko: User) -> None:
    for person in (luis, aiko):
        open_evidence(user=person, proposal=complained.pk)
    assert not EvidenceOpened.objects.exists()


def test_each_of_several_approvers_opens_it(complained: Proposal, mara: User, jonas: User, ada: User) -> None:
    set_policy(user=ada, agent=None, kind="", covers="any", approvals=2, owner_approvals=0)
    open_evidence(user=mara, proposal=complained.pk)
    approve(complained.pk, user=mara, digest=digest_of(complained))
    with pytest.raises(Unopened):
        approve(complained.pk, user=jonas, digest=digest_of(complained))
    open_evidence(user=jonas, proposal=complained.pk)
    approve(complained.pk, user=jonas, digest=digest_of(complained))
    entries = AuditEntry.objects.filter(verb__in=["proposal.approval_given", "proposal.approved"])
    assert ["evidence_opened" in entry.fact["after"] for entry in entries] == [True, True]


def test_an_emergency_goes_round_it_and_says_so(complained: Proposal, mara: User, ada: User) -> None:
    why = "Customers are told something dangerous."
    set_policy(user=ada, agent=None, kind="", covers="any", approvals=2, owner_approvals=0)
    bypass(complained.pk, user=ada, digest=digest_of(complained), reason=why, number=complained.pk)
    assert Bypass.objects.get().missing.endswith("The evidence was not opened.")
    assert "The evidence was not opened." in AuditEntry.objects.get(verb="proposal.bypassed").fact["after"]["missing"]
    with pytest.raises(Unopened):
        approve(complained.pk, user=mara, digest=digest_of(complained))


def test_an_approval_says_how_long_the_revision_was_before_them(
    prompt: Document, aiko: User, mara: User, ada: User
) -> None:
    made = propose(prompt, aiko)
    look([_fresh_proposal(made)], user=mara)
    _ago(made, seconds=3000)
    look([_fresh_proposal(made)], user=mara)
    amend(made.pk, user=ada, text=PROMPT.replace("30 days", "21 days"), note="", digest=digest_of(made))
    look([_fresh_proposal(made)], user=mara)
    _ago(made, seconds=42)
    look([_fresh_proposal(made)], user=mara)
    decision = approve(made.pk, user=mara, digest=digest_of(made))
    assert decision.seconds in range(42, 50)
    entry = AuditEntry.objects.get(verb="proposal.approved")
    assert entry.fact["after"]["seconds"] == decision.seconds
    assert f"{decision.seconds} s after first opening it" in in_words(entry).details


def test_who_never_opened_the_revision_approves_after_no_time_at_all(
    prompt: Document, aiko: User, mara: User, ada: User
) -> None:
    made = propose(prompt, aiko)
    look([_fresh_proposal(made)], user=mara)
    amend(made.pk, user=ada, text=PROMPT.replace("30 days", "21 days"), note="", digest=digest_of(made))
    assert approve(made.pk, user=mara, digest=digest_of(made)).seconds is None


def _fresh(document: Document) -> Document:
    return Document.objects.select_related("agent", "current").get(pk=document.pk)


def _fresh_proposal(proposal: Proposal) -> Proposal:
    return Proposal.objects.get(pk=proposal.pk)


def _ago(proposal: Proposal, *, seconds: int) -> None:
    ProposalSeen.objects.filter(proposal=proposal).update(first_at=timezone.now() - timedelta(seconds=seconds))
