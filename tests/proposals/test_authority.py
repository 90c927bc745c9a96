"""Whose wish it is, who may take it back, and whose word still counts."""

from typing import Any

import pytest

from agents.exceptions import BadText
from agents.keys import create
from agents.models import ApiKey, Document
from agents.protection import protect
from agents.versions import create_document
from audit.models import AuditEntry
from audit.record import SYSTEM
from feedback.actions.mining import mine
from feedback.models import Feedback, Pattern
from people.models import User
from proposals.actions.decisions import approve, reject
from proposals.actions.drafting import draft
from proposals.actions.proposals import amend, submit, withdraw
from proposals.actions.rollbacks import roll_back
from proposals.authority import policies
from proposals.exceptions import Invalid, NotAllowed, StaleProposal
from proposals.models import Proposal
from tests.cast import PROMPT, digest_of, propose

pytestmark = pytest.mark.django_db


@pytest.fixture
def pattern(prompt: Document, complaints: list[Feedback]) -> Pattern:
    """What four people complained about."""
    mine(prompt.agent)
    return Pattern.objects.shown().get()


def drafted(pattern: Pattern, requested_by: User | None = None) -> Proposal:
    made = draft(pattern.pk, requested_by=requested_by)
    assert isinstance(made, Proposal), made
    return made


def status(proposal: Proposal) -> str:
    return Proposal.objects.values_list("status", flat=True).get(pk=proposal.pk)


def moves(pattern: Pattern) -> list[tuple[str, str, str]]:
    """(before, after, who) of every recorded change of the pattern's state."""
    entries = AuditEntry.objects.filter(verb="pattern.status_changed", target_id=str(pattern.pk)).order_by("pk")
    facts = [entry.fact for entry in entries]
    return [(fact["before"]["status"], fact["after"]["status"], fact["actor_label"]) for fact in facts]


def test_nobody_takes_back_another_persons_proposal(prompt: Document, mara: User, aiko: User, jonas: User) -> None:
    proposal = propose(prompt, mara)
    for person in (aiko, jonas):
        with pytest.raises(NotAllowed, match="Only Mara Okafor can withdraw this; a reviewer can reject it"):
            withdraw(proposal.pk, user=person)
        assert not policies.may_withdraw(person, proposal).allowed
    assert policies.may_withdraw(mara, proposal).allowed
    withdraw(proposal.pk, user=mara)
    assert status(proposal) == "withdrawn"


def test_the_owner_of_the_key_takes_back_what_the_agent_proposed(prompt: Document, aiko: User) -> None:
    key, _token = create(prompt.agent, [ApiKey.Scope.PROPOSE], owner=aiko, actor=SYSTEM)
    text = PROMPT.replace("30 days", "14 days")
    proposal = submit(document=prompt, base_number=1, text=text, title="Say 14", rationale="Asked.", key=key)
    withdraw(proposal.pk, user=aiko)
    assert status(proposal) == "withdrawn"


def test_a_machines_draft_is_taken_back_by_whoever_asked_for_it_or_may_decide(
    pattern: Pattern, aiko: User, mara: User, jonas: User
) -> None:
    asked = drafted(pattern, mara)
    with pytest.raises(NotAllowed, match="Whoever may decide can withdraw"):
        withdraw(asked.pk, user=aiko)
    assert policies.may_withdraw(mara, asked).allowed
    withdraw(asked.pk, user=jonas)
    assert status(asked) == "withdrawn"


def test_an_approval_of_somebody_who_left_does_not_count(
    prompt: Document, aiko: User, mara: User, jonas: User, ada: User
) -> None:
    protect(prompt, "Safety", owners=[mara, ada], actor=SYSTEM)
    proposal = propose(prompt, aiko, "card numbers or passwords", "card numbers")
    approve(proposal.pk, user=mara, digest=digest_of(proposal))
    mara.is_active = False
    mara.save(update_fields=["is_active"])
    approve(proposal.pk, user=jonas, digest=digest_of(proposal))
    assert status(proposal) == "pending"
    approve(proposal.pk, user=ada, digest=digest_of(proposal))
    assert status(proposal) == "approved"


def test_an_approval_of_somebody_without_the_role_does_not_count(
    prompt: Document, aiko: User, mara: User, jonas: User
) -> None:
    protect(prompt, "Safety", owners=[mara], actor=SYSTEM)
    proposal = propose(prompt, aiko, "card numbers or passwords", "card numbers")
    approve(proposal.pk, user=mara, digest=digest_of(proposal))
    mara.groups.clear()
    approve(proposal.pk, user=jonas, digest=digest_of(proposal))
    assert status(proposal) == "pending"


def test_a_proposal_has_one_author(prompt: Document, aiko: User) -> None:
    key, _token = create(prompt.agent, [ApiKey.Scope.PROPOSE], owner=aiko, actor=SYSTEM)
    wish: dict[str, Any] = {
        "document": prompt,
        "base_number": 1,
        "text": "Other.",
        "title": "Title",
        "rationale": "Why.",
    }
    neither: dict[str, Any] = {}
    for authors in (neither, {"user": aiko, "key": key}):
        with pytest.raises(NotAllowed, match="one author"):
            submit(**wish, **authors)
    assert not Proposal.objects.exists()


def test_asking_for_a_draft_needs_the_right_to_curate(pattern: Pattern, luis: User, aiko: User) -> None:
    for person in (luis, aiko):
        with pytest.raises(NotAllowed, match="reviewer or admin"):
            draft(pattern.pk, requested_by=person)
    assert not Proposal.objects.exists()


def test_the_states_a_pattern_is_taken_through_are_on_the_log(
    pattern: Pattern, prompt: Document, mara: User, jonas: User
) -> None:
    proposal = drafted(pattern, mara)
    approve(proposal.pk, user=jonas, digest=digest_of(proposal))
    roll_back(prompt.pk, user=mara, to_number=1, current_number=2, reason="Worse.")
    assert moves(pattern) == [
        ("open", "proposed", "Mara Okafor"),
        ("proposed", "watching", "Jonas Weber"),
        ("watching", "open", "Mara Okafor"),
    ]
    first = AuditEntry.objects.filter(verb="pattern.status_changed").earliest("pk")
    assert (first.proposal, first.target_label) == (proposal.pk, f"Complaint {pattern.pk}")


@pytest.mark.parametrize("how", ["withdraw", "reject"])
def test_a_pattern_whose_proposal_came_to_nothing_is_open_again_on_the_log(
    how: str, pattern: Pattern, jonas: User
) -> None:
    proposal = drafted(pattern)
    if how == "withdraw":
        withdraw(proposal.pk, user=jonas)
    else:
        reject(proposal.pk, user=jonas, digest=digest_of(proposal), reason="other", note="No.")
    assert moves(pattern) == [("open", "proposed", "Countersign"), ("proposed", "open", "Jonas Weber")]
    pattern.refresh_from_db()
    assert pattern.status == "open"


def test_a_first_text_is_kept_in_the_form_proposals_have(prompt: Document, aiko: User) -> None:
    made = create_document(prompt.agent, "tone", text="Be kind.\r\nBe brief.", actor=SYSTEM)
    assert made.current.text == "Be kind.\nBe brief.\n"
    for same in ("Be kind.\r\nBe brief.", "Be kind.\nBe brief.\n\n"):
        with pytest.raises(Invalid, match="same as the current"):
            submit(document=made, base_number=1, text=same, title="Title", rationale="Why.", user=aiko)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\n " * 3, "The text is empty."),
        ("a\x00", "NUL"),
        ("a" * 400_001, "400,001 characters; at most 400,000"),
        ("a\n" * 10_001, "10,001 lines; at most 10,000"),
    ],
)
def test_a_text_that_cannot_be_kept_is_refused_wherever_it_comes_from(
    text: str, words: str, prompt: Document, pending: Proposal, aiko: User
) -> None:
    with pytest.raises(BadText, match=words):
        create_document(prompt.agent, "tone", text=text, actor=SYSTEM)
    with pytest.raises(Invalid, match=words) as sent:
        submit(document=prompt, base_number=1, text=text, title="Title", rationale="Why.", user=aiko)
    with pytest.raises(Invalid, match=words) as amended:
        amend(pending.pk, user=aiko, text=text, note="", digest=digest_of(pending))
    assert sent.value.field == amended.value.field == "text"


def test_ten_thousand_lines_are_still_kept(prompt: Document) -> None:
    assert create_document(prompt.agent, "tone", text="a\n" * 10_000, actor=SYSTEM).current.number == 1


def test_a_wish_made_from_a_version_read_long_ago_is_refused(
    prompt: Document, pending: Proposal, aiko: User, mara: User
) -> None:
    long_ago = Document.objects.select_related("agent", "current").get(pk=prompt.pk)
    approve(pending.pk, user=mara, digest=digest_of(pending))
    with pytest.raises(StaleProposal, match="Version 1 is not current any more; version 2 is"):
        submit(document=long_ago, base_number=1, text="Other.", title="Title", rationale="Why.", user=aiko)
