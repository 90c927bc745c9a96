"""The page of one proposal: what it shows, and what happens when a button is pressed."""

from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from agents.keys import create
from agents.models import ApiKey, Document
from agents.protection import protect
from agents.versions import create_agent, publish
from audit.models import AuditEntry
from audit.record import SYSTEM
from feedback.models import Feedback
from people.models import User
from proposals.actions import proposals, rollbacks
from proposals.models import Decision, Proposal, ProposalEvidence
from tests.cast import digest_of, propose

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer


def decide(client: Client, proposal: Proposal, verdict: str, **more: str) -> "Answer":
    sent = {"verdict": verdict, "digest": digest_of(proposal), **more}
    return client.post(reverse("decide", args=[proposal.pk]), sent)


@pytest.fixture
def page(pending: Proposal) -> str:
    return reverse("proposal", args=[pending.pk])


def test_the_page_shows_change_reason_and_consequence(client: Client, mara: User, page: str) -> None:
    client.force_login(mara)
    text = client.get(page).text
    assert "People are told 30 days." in text
    assert "<del>30</del>" in text
    assert "<ins>14</ins>" in text
    assert "Approving makes this text version 2, current at once." in text
    assert "You may decide: you neither wrote, edited nor asked for this text." in text


@pytest.mark.parametrize("view", ["inline", "side", "full", "nonsense"])
def test_every_view_of_the_change_works_without_script(client: Client, mara: User, page: str, view: str) -> None:
    client.force_login(mara)
    assert "14" in client.get(f"{page}?view={view}&lines=all").text


def test_paper_gets_every_changed_line_of_a_long_change(client: Client, mara: User, aiko: User) -> None:
    text = "".join(f"- Rule {number} of {'the handbook ' * 12}\n" for number in range(400))
    agent = create_agent("long", name="Long", actor=SYSTEM, documents={"prompt": text})
    made = propose(agent.documents.get(), aiko, "handbook", "manual")
    client.force_login(mara)
    page = reverse("proposal", args=[made.pk])
    shown, printed = client.get(page).text, client.get(f"{page}?print=yes&view=full").text
    assert "This is not the whole change" in shown
    assert "Rule 399 " not in shown
    assert printed.count('<tr class="add') == printed.count('<tr class="cut') == 400
    assert "This is not the whole change" not in printed


def test_a_record_names_policy_decisions_and_digests(client: Client, mara: User, pending: Proposal, page: str) -> None:
    digest = digest_of(pending)
    client.force_login(mara)
    decide(client, pending, "approve")
    text = client.get(page).text
    assert "<dt>Policy</dt>" in text
    assert f"by Mara Okafor, {timezone.now():%Y-%m-%d} " in text
    assert f"revision 1, digest {digest}" in text


def test_a_key_is_named_by_its_label_and_its_owner(client: Client, mara: User, aiko: User, prompt: Document) -> None:
    key, _ = create(prompt.agent, [ApiKey.Scope.PROPOSE], owner=aiko, actor=SYSTEM, label="nightly job")
    made = proposals.submit(
        document=prompt, base_number=1, text="Be kind.\n", title="Be kind", rationale="Asked.", key=key
    )
    client.force_login(mara)
    for address in (reverse("proposal", args=[made.pk]), reverse("queue") + "?show=open"):
        text = client.get(address).text
        assert "nightly job" in text
        assert key.prefix not in text
    assert "an API key of <b>Aiko Tanaka</b>" in client.get(reverse("proposal", args=[made.pk])).text


def test_htmx_gets_the_change_alone(client: Client, mara: User, page: str) -> None:
    client.force_login(mara)
    response = client.get(f"{page}?view=side", headers={"HX-Request": "true", "HX-Target": "change"})
    assert response.text.strip().startswith('<section class="card" id="change">')


def test_approving_publishes_and_says_so(client: Client, mara: User, pending: Proposal, page: str) -> None:
    client.force_login(mara)
    response = decide(client, pending, "approve")
    assert response.status_code == 303
    assert "Approved. Version 2 is current from now on." in client.get(page).text
    assert AuditEntry.objects.filter(verb="proposal.approved").count() == 1


def test_the_author_is_told_why_not(client: Client, aiko: User, jonas: User, prompt: Document) -> None:
    own = propose(prompt, jonas)
    client.force_login(jonas)
    page = client.get(reverse("proposal", args=[own.pk])).text
    assert "Somebody else has to decide." in page
    assert ">Approve</button>" not in page
    response = decide(client, own, "approve", note="my own")
    assert response.status_code == 403
    assert "Somebody else has to decide." in response.text
    assert not Decision.objects.exists()


def test_the_single_operator_is_told_that_the_log_keeps_it(
    client: Client, settings: Settings, jonas: User, prompt: Document
) -> None:
    settings.COUNTERSIGN_SINGLE_OPERATOR = True
    own = propose(prompt, jonas)
    client.force_login(jonas)
    page = client.get(reverse("proposal", args=[own.pk])).text
    assert "because four eyes are off on this board" in page
    assert "Four eyes off" in page
    assert ">Approve</button>" in page


def test_rejecting_without_words_keeps_what_was_chosen(client: Client, mara: User, pending: Proposal) -> None:
    client.force_login(mara)
    response = decide(client, pending, "reject", reason="too_risky")
    assert response.status_code == 422
    text = response.text
    assert "Say in a sentence why it is rejected." in text
    assert '<option value="too_risky" selected>' in text
    pending.refresh_from_db()
    assert pending.status == Proposal.Status.PENDING


def test_a_reason_and_a_note_reject(client: Client, mara: User, pending: Proposal, page: str) -> None:
    client.force_login(mara)
    decide(client, pending, "reject", reason="too_risky", note="Legal has to see it.")
    text = client.get(page).text
    assert "Too risky" in text or "too risky" in text
    assert "Legal has to see it." in text
    assert ">Approve</button>" not in text


def test_a_text_that_changed_meanwhile_is_not_approved(
    client: Client, mara: User, aiko: User, pending: Proposal
) -> None:
    seen = digest_of(pending)
    text = pending.revision.text.replace("14 days", "21 days") if pending.revision else ""
    proposals.amend(pending.pk, user=aiko, text=text, note="", digest=seen)
    client.force_login(mara)
    sent = {"verdict": "approve", "digest": seen, "note": "Looks right to me."}
    response = client.post(reverse("decide", args=[pending.pk]), sent)
    assert response.status_code == 409
    assert "changed this to revision 2 meanwhile. Nothing was recorded." in response.text
    assert "Looks right to me." in response.text
    assert digest_of(pending) in response.text
    assert not Decision.objects.exists()


def test_a_second_press_says_who_was_first(client: Client, mara: User, jonas: User, pending: Proposal) -> None:
    client.force_login(mara)
    decide(client, pending, "approve")
    client.force_login(jonas)
    response = decide(client, pending, "approve")
    assert response.status_code == 409
    assert "Mara Okafor approved this proposal already." in response.text


@pytest.mark.parametrize("sent", [{}, {"verdict": "promote", "digest": "x"}, {"verdict": "approve"}])
def test_a_mangled_form_is_refused(client: Client, mara: User, pending: Proposal, sent: dict[str, str]) -> None:
    client.force_login(mara)
    assert client.post(reverse("decide", args=[pending.pk]), sent).status_code == 422


@pytest.fixture
def stale(pending: Proposal, prompt: Document) -> Proposal:
    document = Document.objects.select_related("agent", "current").get(pk=prompt.pk)
    assert document.current
    text = document.current.text.replace("card numbers", "card numbers, PINs")
    publish(document, text, base=document.current, actor=SYSTEM, proposal=0)
    return pending


def test_a_moved_base_is_said_and_rebased(client: Client, mara: User, stale: Proposal, page: str) -> None:
    client.force_login(mara)
    before = client.get(page).text
    assert "Being brought up to date with version 2" in before
    assert "disabled>Approve</button>" in before
    assert client.post(reverse("rebase", args=[stale.pk])).status_code == 303
    after = client.get(page).text
    assert "The document moved on." not in after
    assert ">Approve</button>" in after
    assert "disabled>Approve" not in after


def test_amending_a_stale_one_starts_from_the_current_version(client: Client, mara: User, stale: Proposal) -> None:
    client.force_login(mara)
    text = client.get(reverse("amend", args=[stale.pk])).text
    assert "is carried over to it below" in text
    assert "card numbers, PINs" in text
    assert "14 days" in text


def test_amending_makes_a_revision_and_keeps_every_character(client: Client, mara: User, pending: Proposal) -> None:
    client.force_login(mara)
    text = "\n  # Support agent\r\n\r\nSay “14 days”.  \r\n"
    sent = {"digest": digest_of(pending), "text": text, "note": "Shorter"}
    assert client.post(reverse("amend", args=[pending.pk]), sent).status_code == 303
    revision = pending.revisions.get(number=2)
    assert revision.text == "\n  # Support agent\n\nSay “14 days”.  \n"
    assert revision.author == mara


def test_amending_what_changed_meanwhile_keeps_the_typed_text(
    client: Client, mara: User, aiko: User, pending: Proposal
) -> None:
    seen = digest_of(pending)
    proposals.amend(pending.pk, user=aiko, text="Another text.\n", note="", digest=seen)
    client.force_login(mara)
    sent = {"digest": seen, "text": "What I typed for an hour.", "note": "mine"}
    response = client.post(reverse("amend", args=[pending.pk]), sent)
    assert response.status_code == 409
    assert "What I typed for an hour." in response.text
    assert "start from revision 2" in response.text
    assert "Merge it with revision 2" in response.text


def test_revisions_are_compared(client: Client, mara: User, aiko: User, pending: Proposal) -> None:
    text = pending.revision.text.replace("14 days", "21 days") if pending.revision else ""
    proposals.amend(pending.pk, user=aiko, text=text, note="Legal says 21.", digest=digest_of(pending))
    client.force_login(mara)
    shown = client.get(reverse("revision", args=[pending.pk, 2])).text
    assert "Compared with revision 1" in shown
    assert "<ins>21</ins>" in shown
    assert "Legal says 21." in shown


def test_withdrawing_takes_it_off_the_queue(client: Client, aiko: User, pending: Proposal, page: str) -> None:
    client.force_login(aiko)
    client.post(reverse("withdraw", args=[pending.pk]))
    assert "Withdrawn" in client.get(page).text


def test_evidence_is_quoted_with_its_invisible_characters(
    client: Client, mara: User, pending: Proposal, page: str, complaints: list[Feedback]
) -> None:
    Feedback.objects.filter(pk=complaints[0].pk).update(reason="<b>wrong</b> \u202eanswer", correction="Say\u200b 14")
    ProposalEvidence.objects.bulk_create(ProposalEvidence(proposal=pending, feedback=item) for item in complaints)
    client.force_login(mara)
    text = client.get(page).text
    assert "What people reported, unedited. Not instructions." in text
    assert "&lt;b&gt;wrong&lt;/b&gt;" in text
    assert "U+202E" in text
    assert "U+200B" in text
    assert "\u202e" not in text


def test_a_rollback_is_reviewed_after_the_fact(
    client: Client, mara: User, jonas: User, pending: Proposal, prompt: Document
) -> None:
    client.force_login(mara)
    decide(client, pending, "approve")
    made = rollbacks.roll_back(prompt.pk, user=mara, to_number=1, current_number=2, reason="Wrong after all.")
    client.force_login(jonas)
    text = client.get(reverse("proposal", args=[made.pk])).text
    assert "Approving confirms the rollback that made version 3. It stays current." in text
    assert "Request changes" not in text
    assert decide(client, made, "approve").status_code == 303
    text = client.get(reverse("proposal", args=[made.pk])).text
    assert "Confirmed: version 3 was right." in text
    assert "confirmed the rollback that made version 3" in text
    undone = client.get(reverse("proposal", args=[pending.pk])).text
    assert ">Rolled back</span>" in undone
    assert "Wrong after all." in undone
    assert ">Rolled back</span>" in client.get(reverse("queue") + "?show=decided").text


@pytest.fixture
def protected(prompt: Document, ada: User) -> Document:
    """The prompt, its section Safety protected and Ada's."""
    protect(prompt, "Safety", owners=[ada], actor=SYSTEM)
    return prompt


def test_a_protected_section_says_whose_approval_is_missing(
    client: Client, aiko: User, mara: User, ada: User, protected: Document
) -> None:
    proposal = propose(protected, aiko, old="card numbers", new="card numbers, PINs")
    client.force_login(mara)
    page = client.get(reverse("proposal", args=[proposal.pk])).text
    assert "Two approvals, one by an owner of Safety: protected section." in page
    assert "nothing takes effect yet" in page
    decide(client, proposal, "approve")
    page = client.get(reverse("proposal", args=[proposal.pk])).text
    assert "You approved this revision." in page
    client.force_login(ada)
    page = client.get(reverse("proposal", args=[proposal.pk])).text
    assert "Approving makes this text version 2, current at once." in page


def test_a_greyed_approve_has_its_reason_and_the_way_out_above_it(
    client: Client, mara: User, jonas: User, ada: User, aiko: User, protected: Document
) -> None:
    guarded = propose(protected, aiko, "card numbers", "bank numbers")
    other = propose(protected, aiko)
    client.force_login(jonas)
    decide(client, guarded, "approve")
    client.force_login(mara)
    text = client.get(reverse("proposal", args=[guarded.pk])).text
    assert "Still needed: Ada Brandt, owner of Safety." in text
    decide(client, other, "approve")
    text = client.get(reverse("proposal", args=[guarded.pk])).text
    form = text[text.index('data-keep="decide:') : text.index("disabled>Approve</button>")]
    assert "Version 2 is current. Jonas Weber’s approval will have to be given again." in form
    assert "Bring up to date</button>" in form


def test_all_that_is_wanting_is_said_at_once(client: Client, mara: User, pending: Proposal) -> None:
    client.force_login(mara)
    text = decide(client, pending, "reject", note="", reason="").text
    assert "Choose why it is rejected." in text
    assert "Say in a sentence why it is rejected." in text
    proposed = client.post(reverse("propose", args=["support", "system-prompt"]), {"base": 1, "text": "New.\n"}).text
    assert "Give the change a title." in proposed
    assert "Say why the change is needed." in proposed
