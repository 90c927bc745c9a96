"""Deciding on a proposal: what it does, who may, and what is refused."""

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import Settings

from agents.models import Document, Release
from agents.protection import protect
from audit.models import AuditEntry
from audit.record import SYSTEM
from people.models import User
from proposals.actions.decisions import approve, reject, request_changes
from proposals.actions.proposals import amend, rebase, submit, withdraw
from proposals.exceptions import Duplicate, Invalid, NotAllowed, NotPending, Outdated, StaleProposal
from proposals.models import Decision, Proposal
from tests.cast import PROMPT, digest_of, propose, report

Status = Proposal.Status
pytestmark = pytest.mark.django_db


def fresh(proposal: Proposal) -> Proposal:
    return Proposal.objects.select_related("document__current", "published", "revision").get(pk=proposal.pk)


def verbs(proposal: Proposal) -> list[str]:
    return list(AuditEntry.objects.filter(proposal=proposal.pk).order_by("pk").values_list("verb", flat=True))


def test_approving_publishes_exactly_the_text_that_was_shown(pending: Proposal, mara: User) -> None:
    approve(pending.pk, user=mara, digest=digest_of(pending))
    after = fresh(pending)
    assert after.status == Status.APPROVED
    assert after.published == after.document.current
    assert after.document.current.text == after.revision.text == PROMPT.replace("30 days", "14 days")
    assert after.document.current.sha256 == after.revision.sha256
    assert after.document.current.number == 2
    assert Release.objects.filter(version=after.published).count() == 1
    assert verbs(pending) == ["proposal.opened", "version.published", "proposal.approved"]


def test_the_author_cannot_approve(prompt: Document, mara: User) -> None:
    own = propose(prompt, mara)
    with pytest.raises(NotAllowed, match="You wrote revision 1"):
        approve(own.pk, user=mara, digest=digest_of(own))
    assert fresh(own).status == Status.PENDING
    assert not Decision.objects.exists()


def test_whoever_edited_any_revision_cannot_approve(pending: Proposal, mara: User, jonas: User) -> None:
    amend(pending.pk, user=mara, text=PROMPT.replace("30 days", "two weeks"), note="", digest=digest_of(pending))
    amend(pending.pk, user=jonas, text=PROMPT.replace("30 days", "14 days"), note="", digest=digest_of(pending))
    with pytest.raises(NotAllowed, match="You wrote revision 2"):
        approve(pending.pk, user=mara, digest=digest_of(pending))


def test_a_single_operator_may_approve_their_own_and_the_record_says_so(
    prompt: Document, ada: User, settings: Settings
) -> None:
    settings.COUNTERSIGN_SINGLE_OPERATOR = True
    own = propose(prompt, ada)
    decision = approve(own.pk, user=ada, digest=digest_of(own))
    assert decision.single_operator
    assert AuditEntry.objects.get(verb="proposal.approved").fact["after"]["single_operator"] is True


def test_a_decision_by_another_is_not_marked_as_single_operators(
    pending: Proposal, ada: User, settings: Settings
) -> None:
    settings.COUNTERSIGN_SINGLE_OPERATOR = True
    assert not approve(pending.pk, user=ada, digest=digest_of(pending)).single_operator


@pytest.mark.parametrize("who", ["aiko", "luis", "stranger"])
def test_only_reviewers_and_admins_decide(who: str, pending: Proposal, request: pytest.FixtureRequest) -> None:
    person = request.getfixturevalue(who)
    with pytest.raises(NotAllowed):
        approve(pending.pk, user=person, digest=digest_of(pending))
    with pytest.raises(NotAllowed):
        reject(pending.pk, user=person, digest=digest_of(pending), reason="other", note="no")
    assert fresh(pending).status == Status.PENDING


def test_an_amended_text_outdates_the_digest_that_was_shown(pending: Proposal, mara: User, jonas: User) -> None:
    shown = digest_of(pending)
    amend(pending.pk, user=jonas, text=PROMPT.replace("30 days", "15 days"), note="", digest=shown)
    with pytest.raises(Outdated, match="Jonas Weber changed this to revision 2"):
        approve(pending.pk, user=mara, digest=shown)
    assert fresh(pending).document.current.number == 1


def test_a_moved_base_refuses_approval_until_rebased(prompt: Document, aiko: User, mara: User, jonas: User) -> None:
    first = propose(prompt, aiko)
    second = propose(prompt, aiko, "about orders", "about parcels")
    approve(first.pk, user=mara, digest=digest_of(first))
    with pytest.raises(StaleProposal):
        approve(second.pk, user=mara, digest=digest_of(second))
    shown = digest_of(second)
    rebase(second.pk, user=mara)
    assert digest_of(second) != shown
    approve(second.pk, user=mara, digest=digest_of(second))
    text = fresh(second).document.current.text
    assert "14 days" in text
    assert "about parcels" in text


def test_a_rebase_that_meets_another_change_is_refused(prompt: Document, aiko: User, mara: User) -> None:
    first = propose(prompt, aiko)
    second = propose(prompt, aiko, "30 days", "60 days")
    approve(first.pk, user=mara, digest=digest_of(first))
    with pytest.raises(StaleProposal, match="does not apply cleanly"):
        rebase(second.pk, user=mara)


def test_rejecting_needs_a_typed_reason_and_words(pending: Proposal, mara: User) -> None:
    with pytest.raises(Invalid) as wrong:
        reject(pending.pk, user=mara, digest=digest_of(pending), reason="", note="No.")
    assert wrong.value.field == "reason"
    with pytest.raises(Invalid) as silent:
        reject(pending.pk, user=mara, digest=digest_of(pending), reason="wrong_fix", note="  ")
    assert silent.value.field == "note"
    reject(pending.pk, user=mara, digest=digest_of(pending), reason="wrong_fix", note="The shop says 30.")
    assert fresh(pending).status == Status.REJECTED
    assert verbs(pending) == ["proposal.opened", "proposal.rejected"]


def test_requested_changes_wait_for_a_new_revision(pending: Proposal, mara: User, aiko: User) -> None:
    with pytest.raises(Invalid):
        request_changes(pending.pk, user=mara, digest=digest_of(pending), note="")
    request_changes(pending.pk, user=mara, digest=digest_of(pending), note="Name the goods.")
    with pytest.raises(NotPending):
        approve(pending.pk, user=mara, digest=digest_of(pending))
    text = PROMPT.replace("30 days", "14 days for digital goods")
    amend(pending.pk, user=aiko, text=text, note="Named.", digest=digest_of(pending))
    approve(pending.pk, user=mara, digest=digest_of(pending))
    assert fresh(pending).document.current.text == text


def test_a_second_press_changes_nothing(pending: Proposal, mara: User) -> None:
    shown = digest_of(pending)
    approve(pending.pk, user=mara, digest=shown)
    with pytest.raises(NotPending, match="Mara Okafor approved this proposal already"):
        approve(pending.pk, user=mara, digest=shown)
    assert Decision.objects.count() == 1
    assert fresh(pending).document.versions.count() == 2


def test_a_protected_section_needs_two_approvals_one_by_its_owner(
    prompt: Document, aiko: User, mara: User, jonas: User, ada: User
) -> None:
    protect(prompt, "Safety", owners=[ada], actor=SYSTEM)
    proposal = propose(prompt, aiko, "card numbers or passwords", "card numbers")
    approve(proposal.pk, user=mara, digest=digest_of(proposal))
    assert fresh(proposal).status == Status.PENDING
    with pytest.raises(NotPending, match="approved this revision already"):
        approve(proposal.pk, user=mara, digest=digest_of(proposal))
    approve(proposal.pk, user=jonas, digest=digest_of(proposal))
    assert fresh(proposal).status == Status.PENDING, "neither of the two owns the section"
    approve(proposal.pk, user=ada, digest=digest_of(proposal))
    assert fresh(proposal).status == Status.APPROVED


def test_a_failing_check_blocks_approval(prompt: Document, aiko: User, mara: User) -> None:
    proposal = propose(prompt, aiko, "30 days", "30 \u202edays")
    with pytest.raises(Invalid) as asked:
        approve(proposal.pk, user=mara, digest=digest_of(proposal))
    assert asked.value.field == "answer_characters"
    assert fresh(proposal).document.current.number == 1


def test_the_same_text_is_not_proposed_twice(prompt: Document, aiko: User, jonas: User) -> None:
    propose(prompt, aiko)
    with pytest.raises(Duplicate):
        propose(prompt, jonas)


def test_a_title_holds_nothing_that_nobody_could_see(prompt: Document, aiko: User) -> None:
    with pytest.raises(Invalid, match="U\\+202E") as refused:
        submit(document=prompt, base_number=1, text="Other.", title="Say\u202e 14", rationale="r", user=aiko)
    assert refused.value.field == "title"


def test_a_proposal_on_an_old_version_is_refused(prompt: Document, pending: Proposal, mara: User, aiko: User) -> None:
    approve(pending.pk, user=mara, digest=digest_of(pending))
    document = Document.objects.select_related("agent", "current").get(pk=prompt.pk)
    with pytest.raises(StaleProposal):
        submit(document=document, base_number=1, text="other", title="t", rationale="r", user=aiko)


def test_a_withdrawn_proposal_cannot_be_decided(pending: Proposal, aiko: User, mara: User) -> None:
    withdraw(pending.pk, user=aiko)
    with pytest.raises(NotPending):
        approve(pending.pk, user=mara, digest=digest_of(pending))


def test_text_from_a_browser_keeps_line_feeds_only(pending: Proposal, jonas: User) -> None:
    text = PROMPT.replace("30 days", "20 days").replace("\n", "\r\n") + "\r\n\r\n"
    revision = amend(pending.pk, user=jonas, text=text, note="", digest=digest_of(pending))
    assert revision.text == PROMPT.replace("30 days", "20 days")


HISTORY = ["revision", "decision", "check", "proposalevidence"]


@pytest.mark.parametrize("table", [*(f"proposals_{name}" for name in HISTORY), "agents_version"])
@pytest.mark.parametrize("change", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_history_is_refused_changes_by_the_database(
    table: str, change: str, prompt: Document, pending: Proposal, aiko: User, mara: User
) -> None:
    said = [report(prompt.agent, "anna", reason="Wrong deadline")]
    submit(document=prompt, base_number=1, text="Other.", title="T", rationale="R", user=aiko, evidence=said)
    approve(pending.pk, user=mara, digest=digest_of(pending))
    with pytest.raises(DatabaseError, match="append-only"):
        tamper(change.format(table))


def tamper(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what waits for the commit would hide the answer
        cursor.execute(statement)
