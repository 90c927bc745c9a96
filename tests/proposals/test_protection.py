"""Protected sections: no machine's change of one is ever published, whenever the protection came."""

from typing import Any

import pytest

from agents.keys import create
from agents.models import ApiKey, Document
from agents.protection import protect
from audit.record import SYSTEM
from people.models import User
from proposals.actions.decisions import approve, reject, request_changes
from proposals.actions.proposals import amend, open_proposal, rebase, submit
from proposals.actions.revisions import Author
from proposals.actions.wishes import Wish
from proposals.authority import policies
from proposals.authority.digests import decision_digest
from proposals.exceptions import Blocked, NotAllowed, NotPending, Outdated
from proposals.models import Check, Proposal
from tests.cast import PROMPT, digest_of, propose

pytestmark = pytest.mark.django_db
UNSAFE = PROMPT.replace("- Never ask for card numbers", "- You may ask for card numbers")


def by_key(prompt: Document, owner: User, text: str = UNSAFE) -> Proposal:
    """What an agent sends with an API key of this person's."""
    key, _token = create(prompt.agent, [ApiKey.Scope.PROPOSE], owner=owner, actor=SYSTEM)
    return submit(document=prompt, base_number=1, text=text, title="Ask", rationale="Faster.", key=key)


def by_countersign(prompt: Document, text: str = UNSAFE) -> Proposal:
    assert prompt.current is not None
    origin = Proposal.Origin.DRAFTER
    return open_proposal(Wish(prompt, prompt.current, text, "Ask", "Faster.", origin, Author()))


def protected_check(proposal: Proposal) -> str:
    return Check.objects.filter(revision__proposal=proposal, name="protected").latest("pk").verdict


def again(proposal: Proposal) -> Proposal:
    return Proposal.objects.select_related("document__current", "revision__base_version").get(pk=proposal.pk)


def protection_changed(proposal: Proposal) -> bool:
    found = again(proposal)
    assert found.revision
    return policies.protection_changed(found, found.revision)


def test_an_agents_change_of_a_section_protected_since_is_never_published(
    prompt: Document, aiko: User, mara: User, jonas: User, ada: User
) -> None:
    proposal = by_key(prompt, aiko)
    shown = digest_of(proposal)
    protect(prompt, "Safety", owners=[ada], actor=SYSTEM)
    for person in (mara, jonas, ada):
        with pytest.raises(Outdated, match="protected sections changed meanwhile"):
            approve(proposal.pk, user=person, digest=shown)
    rebase(proposal.pk, user=mara)
    assert protected_check(proposal) == "fail"
    with pytest.raises(Blocked, match="Safety"):
        approve(proposal.pk, user=ada, digest=digest_of(proposal))
    assert again(proposal).document.current.text == PROMPT


def test_countersigns_own_wording_is_refused_whatever_its_checks_said(prompt: Document, mara: User, ada: User) -> None:
    proposal = by_countersign(prompt)
    protect(prompt, "Safety", owners=[ada], actor=SYSTEM)
    rebase(proposal.pk, user=mara)
    with pytest.raises(Blocked, match="A machine wrote this and it changes Safety, which is protected"):
        approve(proposal.pk, user=ada, digest=digest_of(proposal))


def test_a_person_who_takes_the_wording_on_needs_two_approvals(
    prompt: Document, aiko: User, mara: User, jonas: User, ada: User
) -> None:
    proposal = by_key(prompt, aiko)
    protect(prompt, "Safety", owners=[ada], actor=SYSTEM)
    amend(proposal.pk, user=jonas, text=UNSAFE + "- Say why.\n", note="", digest=digest_of(proposal))
    assert protected_check(proposal) == "warn"
    approve(proposal.pk, user=mara, digest=digest_of(proposal))
    assert again(proposal).status == "pending"
    approve(proposal.pk, user=ada, digest=digest_of(proposal))
    assert again(proposal).document.current.text == UNSAFE + "- Say why.\n"


def test_protection_outdates_what_was_shown_and_a_rebase_brings_it_forward(
    pending: Proposal, prompt: Document, mara: User, ada: User
) -> None:
    shown = digest_of(pending)
    with pytest.raises(NotPending, match="up to date already"):
        rebase(pending.pk, user=mara)
    protect(prompt, "Refunds", owners=[ada], actor=SYSTEM)
    assert protection_changed(pending)
    with pytest.raises(Outdated, match="checked again first"):
        approve(pending.pk, user=mara, digest=shown)
    moved = rebase(pending.pk, user=mara)
    assert (moved.number, moved.note) == (2, "Checked against the sections protected now.")
    assert not protection_changed(pending)
    approve(pending.pk, user=mara, digest=digest_of(pending))
    assert again(pending).status == "pending", "the section's owner has still to approve"
    approve(pending.pk, user=ada, digest=digest_of(pending))
    assert again(pending).status == "approved"


def test_an_approval_given_before_the_protection_does_not_count_after_it(
    prompt: Document, aiko: User, mara: User, jonas: User, ada: User
) -> None:
    protect(prompt, "Safety", owners=[mara], actor=SYSTEM)
    proposal = propose(prompt, aiko, "card numbers or passwords", "card numbers")
    approve(proposal.pk, user=mara, digest=digest_of(proposal))
    protect(prompt, "Role", owners=[ada], actor=SYSTEM)
    with pytest.raises(Outdated):
        approve(proposal.pk, user=jonas, digest=digest_of(proposal))
    rebase(proposal.pk, user=aiko)
    approve(proposal.pk, user=jonas, digest=digest_of(proposal))
    assert again(proposal).status == "pending"


def test_what_was_protected_since_can_still_be_rejected(pending: Proposal, prompt: Document, mara: User) -> None:
    protect(prompt, "Refunds", owners=[mara], actor=SYSTEM)
    reject(pending.pk, user=mara, digest=digest_of(pending), reason="too_risky", note="Not in this section.")
    assert again(pending).status == "rejected"


def test_a_persons_change_of_a_protected_section_survives_being_moved_twice(
    prompt: Document, aiko: User, mara: User, jonas: User, ada: User
) -> None:
    protect(prompt, "Safety", owners=[ada], actor=SYSTEM)
    proposal = propose(prompt, aiko, "card numbers or passwords", "card numbers")
    for phrase in ("30 days", "order date"):
        other = propose(prompt, aiko, phrase, "another thing")
        approve(other.pk, user=mara, digest=digest_of(other))
        moved = rebase(proposal.pk, user=jonas)
        assert (moved.author, moved.author_key) == (None, None)
        assert protected_check(proposal) == "warn"
    approve(proposal.pk, user=jonas, digest=digest_of(proposal))
    approve(proposal.pk, user=ada, digest=digest_of(proposal))
    assert again(proposal).status == "approved"


def test_a_moved_text_does_not_answer_requested_changes(pending: Proposal, prompt: Document, mara: User) -> None:
    request_changes(pending.pk, user=mara, digest=digest_of(pending), note="Name the goods.")
    protect(prompt, "Safety", owners=[mara], actor=SYSTEM)
    moved = rebase(pending.pk, user=mara)
    assert moved.note == "Checked against the sections protected now. Changes are still requested."
    assert again(pending).status == "changes_requested"


def test_the_digest_stands_for_base_text_and_protected_sections() -> None:
    told: dict[str, Any] = {"base_sha256": "a" * 64, "text": "One.\n", "protected": ["Safety", "Role"]}
    same = decision_digest(**told)
    assert decision_digest(**told | {"protected": ["Role", "Safety"]}) == same
    others = [
        told | {"base_sha256": "b" * 64},
        told | {"text": "One.\n\n"},
        told | {"protected": ["Safety"]},
        told | {"protected": []},
        told | {"text": "One.\nSafety", "protected": ["Role"]},
    ]
    assert len({same, *(decision_digest(**other) for other in others)}) == 6


def test_a_machine_may_not_even_propose_to_change_a_protected_section(prompt: Document, aiko: User, ada: User) -> None:
    protect(prompt, "Safety", owners=[ada], actor=SYSTEM)
    with pytest.raises(NotAllowed, match="Only people may change protected sections: Safety"):
        by_key(prompt, aiko)
