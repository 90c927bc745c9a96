"""A text that was rolled back is not proposed again as if nothing had been: whoever does says why."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents import keys
from agents.models import Agent, ApiKey, Document, Version
from audit.models import AuditEntry
from audit.record import SYSTEM
from audit.wording import in_words
from feedback.actions.mining import mine
from feedback.models import Evidence, Feedback, Pattern
from people.models import User
from proposals.actions import steering
from proposals.actions.attention import open_evidence
from proposals.actions.decisions import approve
from proposals.actions.drafting import draft, known_already
from proposals.actions.proposals import amend, open_proposal, submit
from proposals.actions.revisions import Author
from proposals.actions.rollbacks import roll_back
from proposals.actions.wishes import Wish
from proposals.exceptions import Invalid, RolledBackBefore
from proposals.models import Proposal
from tests.cast import COMPLAINTS, PROMPT, digest_of, propose, report, source
from tests.rollouts import canary

pytestmark = pytest.mark.django_db
MARK = "value|14 days|refunds|refunds are possible within 14 days"
BAD = PROMPT.replace("30 days", "14 days")


@pytest.fixture
def undone(prompt: Document, aiko: User, mara: User) -> Document:
    """Version 2 said 14 days, and was rolled back."""
    made = propose(prompt, aiko)
    approve(made.pk, user=mara, digest=digest_of(made))
    roll_back(prompt.pk, user=mara, to_number=1, current_number=2, reason="Nobody could return anything.")
    return fresh(prompt)


def fresh(document: Document) -> Document:
    return Document.objects.select_related("agent", "current").get(pk=document.pk)


def once_more(document: Document, user: User, again: str = "", text: str = BAD) -> Proposal:
    return submit(
        document=document,
        base_number=current(document).number,
        user=user,
        text=text,
        title="Say 14 days",
        rationale="It is 14.",
        again=again,
    )


def current(document: Document) -> Version:
    found = fresh(document).current
    assert found
    return found


def test_the_very_text_that_was_rolled_back_takes_a_reason(undone: Document, aiko: User) -> None:
    for wordless in ("", "  \n"):
        with pytest.raises(RolledBackBefore) as refused:
            once_more(undone, aiko, wordless)
    with pytest.raises(Invalid, match="at most 1000"):
        once_more(undone, aiko, "x" * 1001)
    said = str(refused.value)
    assert said.startswith("Version 2 had this very text and was rolled back by Mara Okafor on ")
    assert "“Nobody could return anything”. Say why it should be tried again" in said
    assert Proposal.objects.exclude(origin="rollback").count() == 1
    made = once_more(undone, aiko, " The law changed. ")
    assert made.again == "The law changed."
    entry = AuditEntry.objects.get(verb="proposal.opened", proposal=made.pk)
    assert entry.fact["after"]["rolled_back_before"] == 2
    assert "with the text of version 2, which was rolled back" in in_words(entry).details


def test_any_other_text_takes_none_and_a_reason_given_all_the_same_is_not_kept(undone: Document, aiko: User) -> None:
    assert once_more(undone, aiko, "For fun.", text=f"{BAD}- More.\n").again == ""


def test_what_was_approved_again_is_no_longer_what_was_rolled_back(undone: Document, aiko: User, mara: User) -> None:
    made = once_more(undone, aiko, "The law changed.")
    approve(made.pk, user=mara, digest=digest_of(made))
    back = submit(
        document=fresh(undone), base_number=4, user=aiko, text=f"{BAD}- More.\n", title="More", rationale="More."
    )
    approve(back.pk, user=mara, digest=digest_of(back))
    assert once_more(fresh(undone), aiko).again == ""


def test_what_a_later_rollback_brought_back_can_be_proposed(
    undone: Document, aiko: User, mara: User, jonas: User
) -> None:
    review = roll_back(undone.pk, user=mara, to_number=2, current_number=3, reason="It was right.")
    approve(review.pk, user=jonas, digest=digest_of(review))
    other = propose(undone, aiko, "Never ask", "Do not ask")
    approve(other.pk, user=mara, digest=digest_of(other))
    assert once_more(fresh(undone), aiko).again == ""


def test_a_candidate_that_was_rolled_back_counts_and_one_that_was_only_stopped_does_not(
    prompt: Document, aiko: User, mara: User
) -> None:
    worse = canary(prompt, aiko, mara)
    steering.roll_back(worse.pk, user=mara, reason="It is worse.")
    with pytest.raises(RolledBackBefore, match=r"by Mara Okafor on .*: “It is worse”"):
        once_more(fresh(prompt), aiko)
    stopped = canary(prompt, aiko, mara, new="21 days")
    steering.stop(stopped.pk, user=mara, reason="Later.")
    assert once_more(fresh(prompt), aiko, text=PROMPT.replace("30 days", "21 days")).again == ""


def test_amending_to_that_text_takes_a_reason_too(undone: Document, aiko: User, mara: User) -> None:
    made = once_more(undone, aiko, text=PROMPT.replace("30 days", "21 days"))
    with pytest.raises(RolledBackBefore):
        amend(made.pk, user=mara, text=BAD, note="", digest=digest_of(made))
    amend(made.pk, user=mara, text=BAD, note="", digest=digest_of(made), again="The law changed.")
    assert Proposal.objects.get(pk=made.pk).again == "The law changed."
    amend(made.pk, user=mara, text=f"{BAD}- More.\n", note="", digest=digest_of(made))
    assert Proposal.objects.get(pk=made.pk).again == ""


def test_the_page_asks_for_the_reason_and_keeps_what_was_typed(client: Client, undone: Document, aiko: User) -> None:
    client.force_login(aiko)
    address = reverse("propose", args=["support", "system-prompt"])
    assert "Again, because" not in client.get(address).text
    typed = {"base": 3, "title": "Say 14 days", "rationale": "It is 14.", "text": BAD}
    answer = client.post(address, typed)
    assert answer.status_code == 422
    assert "Version 2 had this very text and was rolled back" in answer.text
    assert 'name="again"' in answer.text
    assert "It is 14." in answer.text
    sent = client.post(address, typed | {"again": "The <b>law</b> changed."})
    assert sent.status_code == 303
    assert "The &lt;b&gt;law&lt;/b&gt; changed." in client.get(sent["Location"]).text


def test_an_agent_is_told_by_a_problem_of_its_own_and_can_give_a_reason(
    client: Client, undone: Document, aiko: User
) -> None:
    _, secret = keys.create(undone.agent, [ApiKey.Scope.PROPOSE, ApiKey.Scope.READ], owner=aiko, actor=SYSTEM)
    headers = {"Authorization": f"Bearer {secret}"}
    body = {
        "document": "system-prompt",
        "base_version": 3,
        "content": BAD,
        "title": "Say 14 days",
        "rationale": "It is 14.",
    }
    address = "/api/v1/proposals"
    refused = client.post(address, body, content_type="application/json", headers=headers)
    assert refused.status_code == 409
    problem = refused.json()
    assert problem["type"] == "/problems/rolled-back-before"
    assert problem["errors"] == [{"loc": ["again"], "msg": problem["detail"]}]
    made = client.post(address, body | {"again": "The law changed."}, content_type="application/json", headers=headers)
    assert made.status_code == 201
    shown = client.get(f"{address}/{made.json()['id']}", headers=headers).json()
    assert shown["again"] == "The law changed."


def test_a_draft_of_that_text_is_not_made_until_enough_reported_it_since(
    support: Agent, complaints: list[Feedback], mara: User, prompt: Document
) -> None:
    mine(support)
    pattern = Pattern.objects.shown().get()
    made = draft(pattern.pk)
    assert isinstance(made, Proposal)
    open_evidence(user=mara, proposal=made.pk)
    approve(made.pk, user=mara, digest=digest_of(made))
    said(pattern, 3)
    roll_back(prompt.pk, user=mara, to_number=1, current_number=2, reason="It was worse.")
    refused = draft(pattern.pk)
    assert isinstance(refused, str)
    assert refused == f"Proposal {made.pk} was rolled back; 0 of 3 new sources since."
    assert Proposal.objects.filter(origin="drafter").count() == 1
    said(pattern, 3)
    assert isinstance(draft(pattern.pk), Proposal)


def test_a_draft_of_another_pattern_that_comes_to_that_text_says_why_again_by_itself(
    undone: Document, support: Agent
) -> None:
    pattern = Pattern.objects.create(agent=support, kind="complaint", status="open", label="Window", sources=3)
    wish = Wish(
        undone, current(undone), BAD, "Say 14 days", "It is 14.", Proposal.Origin.DRAFTER, Author(), pattern=pattern
    )
    said(pattern, 2)
    with pytest.raises(RolledBackBefore, match="2 of 3 new sources since"):
        open_proposal(wish)
    said(pattern, 1)
    assert open_proposal(wish).again == "3 sources reported what it answers after that."


def test_a_draft_of_another_pattern_that_says_the_same_waits_for_reports_since_the_rollback(
    prompt: Document, support: Agent, mara: User
) -> None:
    one, other = (
        Pattern.objects.create(agent=support, kind="complaint", status="open", label=label, sources=3)
        for label in ("Window", "Deadline")
    )
    wish = Wish(
        fresh(prompt), current(prompt), BAD, "Say 14", "It is 14.", Proposal.Origin.DRAFTER, Author(),
        pattern=one, fingerprint=MARK,
    )  # fmt: skip
    made = open_proposal(wish)
    assert "is open" in known_already(other, prompt, MARK)
    approve(made.pk, user=mara, digest=digest_of(made))
    assert known_already(other, prompt, MARK) == ""
    said(other, 3)
    roll_back(prompt.pk, user=mara, to_number=1, current_number=2, reason="Wrong.")
    assert known_already(other, prompt, MARK).endswith("said the same and was rolled back; 0 of 3 new sources since.")
    roll_back(prompt.pk, user=mara, to_number=2, current_number=3, reason="Right.")
    assert known_already(other, prompt, MARK) == ""


def said(pattern: Pattern, count: int) -> None:
    """So many more people report it."""
    for number in range(count):
        at = timezone.now() + timedelta(milliseconds=number)
        item = report(pattern.agent, f"later {Feedback.objects.count()}", at=at, mined_at=at, reason=COMPLAINTS[number])
        Evidence.objects.create(pattern=pattern, feedback=item, source=source(item.external_id), at=at)
