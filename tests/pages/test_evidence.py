"""What speaks for a change and against it, on its page: counts as they are now, runs behind, praise, the whole text."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents.models import Agent, Document
from agents.versions import create_agent
from audit.models import AuditEntry
from audit.record import SYSTEM
from feedback.actions.mining import mine
from feedback.actions.rollups import count_runs
from feedback.models import Evidence, Exclusion, Feedback, Pattern, Run
from people.models import User
from proposals.actions import proposals
from proposals.actions.decisions import approve, reject
from proposals.actions.drafting import draft
from proposals.exceptions import NotAllowed
from proposals.grounds import growth
from proposals.models import Decision, Proposal, ProposalEvidence
from tests.cast import PROMPT, digest_of, failure, propose, report, source

pytestmark = pytest.mark.django_db


@pytest.fixture
def drafted(support: Agent, complaints: list[Feedback]) -> Proposal:
    """A machine's draft from four people's complaints."""
    mine(support)
    made = draft(Pattern.objects.shown().get().pk)
    assert isinstance(made, Proposal)
    return made


def _items(proposal: Proposal) -> list[ProposalEvidence]:
    return list(proposal.evidence.order_by("pk"))


def _exclude(client: Client, item: ProposalEvidence, reason: str = "Spam <b>") -> int:
    answer = client.post(reverse("exclude", args=[item.proposal_id, item.pk]) + "?evidence=1", {"reason": reason})
    return answer.status_code


def test_an_excluded_report_stays_listed_and_the_numbers_go_down(client: Client, mara: User, drafted: Proposal) -> None:
    client.force_login(mara)
    page = reverse("proposal", args=[drafted.pk])
    items = _items(drafted)
    assert _exclude(client, items[0]) == 303
    text = client.get(page).text
    assert 'class="struck"' in text
    assert "excluded this" in text
    assert "Spam &lt;b&gt;" in text
    assert "3 sources, none above 33\u00a0%, over 1 day. Counted now, without 1 report." in text
    assert "Too little is left" not in text
    assert _exclude(client, items[1]) == 303
    text = client.get(page).text
    assert "Too little is left:" in text
    assert "Less stands behind this than is asked for: 2 of 3 sources. Counted now, without 2 reports." in text
    assert client.post(reverse("include", args=[drafted.pk, items[0].pk])).status_code == 303
    assert "Too little is left" not in client.get(page).text
    assert AuditEntry.objects.filter(proposal=drafted.pk, verb__startswith="feedback.").count() == 3
    assert "excluded from the evidence" in client.get(page).text


def test_a_bad_reason_is_said_at_the_field_and_nothing_is_lost(client: Client, mara: User, drafted: Proposal) -> None:
    client.force_login(mara)
    item = _items(drafted)[0]
    for reason in ["", " \n", "x" * 501, "\0"]:
        assert _exclude(client, item, reason) == 422
    answer = client.post(reverse("exclude", args=[drafted.pk, item.pk]), {"reason": "y" * 501})
    assert "at most 500 characters" in answer.text
    assert "y" * 501 in answer.text
    assert not Exclusion.objects.exists()
    assert _exclude(client, item) == 303
    assert _exclude(client, item) == 409


def test_an_excluded_report_is_in_no_later_draft(
    client: Client, support: Agent, mara: User, jonas: User, drafted: Proposal
) -> None:
    client.force_login(mara)
    item = _items(drafted)[0]
    _exclude(client, item)
    proposals.withdraw(drafted.pk, user=mara)
    for number in range(4):
        report(support, f"later {number}", reason="wrong refund deadline for my digital course")
    mine(support)
    again = draft(Pattern.objects.shown().get().pk)
    assert isinstance(again, Proposal), again
    assert again.evidence_sources == 7
    assert item.feedback_id not in set(again.evidence.values_list("feedback", flat=True))


def test_the_runs_behind_the_reports_are_shown(client: Client, support: Agent, mara: User, drafted: Proposal) -> None:
    item = _items(drafted)[0]
    Feedback.objects.filter(pk=item.report.pk).update(run_id="run-1")
    Run.objects.create(
        agent=support, external_id="run-1", digest=b"1", source=source("x"), at=timezone.now(), success=True,
        task="answer mail", tool="find_order", latency_ms=1234.4, model="small-2",
    )  # fmt: skip
    client.force_login(mara)
    text = client.get(reverse("proposal", args=[drafted.pk])).text
    for said in ("Run succeeded", "answer mail", "find_order", "1,234 ms", "small-2"):
        assert said in text


def test_praise_of_what_changes_is_shown_as_a_counter_example(
    client: Client, support: Agent, prompt: Document, mara: User, aiko: User
) -> None:
    near = report(support, "happy", rating="positive", reason="clear that refunds are possible within 30 days")
    report(support, "glad", rating="positive", reason="lovely friendly tone, thank you")
    gone = report(support, "shy", rating="positive", reason="refunds within 30 days of purchase, very clear")
    Feedback.objects.filter(pk=gone.pk).update(withdrawn_at=timezone.now())
    for number in range(6):
        report(support, f"angry {number}", reason="refunds within 30 days of purchase is wrong")
    made = propose(prompt, aiko)
    assert made.revision is not None
    assert [example.feedback for example in made.revision.counter_examples.all()] == [near]
    client.force_login(mara)
    text = client.get(reverse("proposal", args=[made.pk])).text
    assert "Counter-examples" in text
    assert "clear that refunds" in text
    assert "lovely" not in text


NEW = "- Check the date of the order before naming a deadline.\n"


@pytest.fixture
def beside(prompt: Document, aiko: User) -> Proposal:
    """A rule proposed beside one that says nearly the same."""
    return propose(prompt, aiko, old="## Safety", new=f"## Learned\n{NEW}\n## Safety")


def test_a_near_duplicate_is_shown_and_merged_with_one_click(
    client: Client, mara: User, jonas: User, beside: Proposal
) -> None:
    client.force_login(mara)
    page = reverse("proposal", args=[beside.pk])
    text = client.get(page).text
    assert "Near-duplicate" in text
    assert f"{page}?view=full&amp;line=8#L8" in text
    sent = {"digest": digest_of(beside), "line": "11", "other": "8"}
    answer = client.post(reverse("merge_rules", args=[beside.pk]), sent)
    assert answer.status_code == 303
    beside.refresh_from_db()
    assert beside.revision is not None
    assert beside.revision.author == mara
    assert beside.revision.text == PROMPT.replace("- Check the order date before you name a deadline.\n", NEW)
    with pytest.raises(NotAllowed):
        approve(beside.pk, user=mara, digest=digest_of(beside))
    assert approve(beside.pk, user=jonas, digest=digest_of(beside)).verdict == Decision.Verdict.APPROVE


@pytest.mark.parametrize(
    ("change", "status"),
    [({"digest": "old"}, 409), ({"line": "3"}, 409), ({"line": "x"}, 422), ({"other": ""}, 422)],
)
def test_a_merge_of_something_else_changes_nothing(
    client: Client, mara: User, beside: Proposal, change: dict[str, str], status: int
) -> None:
    client.force_login(mara)
    sent = {"digest": digest_of(beside), "line": "11", "other": "8"} | change
    assert client.post(reverse("merge_rules", args=[beside.pk]), sent).status_code == status
    assert beside.revisions.count() == 1


def test_no_merge_is_made_on_a_version_that_is_no_longer_current(
    client: Client, prompt: Document, mara: User, aiko: User, beside: Proposal
) -> None:
    other = propose(prompt, aiko)
    approve(other.pk, user=mara, digest=digest_of(other))
    client.force_login(mara)
    sent = {"digest": digest_of(beside), "line": "11", "other": "8"}
    assert client.post(reverse("merge_rules", args=[beside.pk]), sent).status_code == 409
    assert "Put line 11" not in client.get(reverse("proposal", args=[beside.pk])).text


def test_the_size_of_the_document_and_its_growth_are_shown(
    client: Client, prompt: Document, mara: User, beside: Proposal
) -> None:
    client.force_login(mara)
    text = client.get(reverse("proposal", args=[beside.pk])).text
    assert "The whole document" in text
    assert "From about 57 tokens in version 1 to 74 as proposed" in text
    approve(beside.pk, user=mara, digest=digest_of(beside))
    text = client.get(reverse("document", args=["support", "system-prompt"])).text
    assert "From about 57 tokens in version 1 to 74 in version 2" in text


def test_reports_that_say_nearly_the_same_are_folded_and_the_counts_stay_true(
    client: Client, support: Agent, prompt: Document, mara: User
) -> None:
    same = [report(support, f"p{n}", reason=f"Wrong refund deadline{'!' * n} for  my COURSE") for n in range(4)]
    other = report(support, "else", reason="wrong refund deadline for my digital course")
    failed = [failure(support, f"u{n}", f"timeout for order {n}") for n in range(3)]
    made = propose(prompt, mara)
    linked = [ProposalEvidence(proposal=made, feedback=item) for item in [*same, other]]
    ProposalEvidence.objects.bulk_create(linked + [ProposalEvidence(proposal=made, run=run) for run in failed])
    client.force_login(mara)
    page = reverse("proposal", args=[made.pk])

    def folds(address: str = page) -> list[int]:
        quotes = client.get(address).context["quotes"]
        assert sum(1 + quote.more for quote in quotes) == 8
        return sorted(quote.more for quote in quotes)

    text = client.get(page).text
    assert folds() == [0, 2, 3]
    assert "3 more like this" in text
    assert "<dd>8</dd>" in text
    assert _exclude(client, made.evidence.get(feedback=same[1])) == 303
    assert _exclude(client, made.evidence.get(run=failed[0])) == 303
    assert folds(f"{page}?evidence=1") == [0, 0, 0, 1, 2]
    assert folds(f"{page}?evidence=1&each=yes") == [0] * 8


def test_a_first_version_is_counted_by_its_characters_like_every_other(db: None) -> None:
    made = create_agent("tea", name="Tea", actor=SYSTEM, documents={"prompt": "é" * 399})
    grown = growth.of_document(made.documents.get().pk, last=1, then=120)
    assert grown is not None
    assert grown.rows == [("Version 1", 100), ("Proposed", 120)]


def test_a_pattern_lists_what_was_left_out_of_it(client: Client, mara: User, drafted: Proposal) -> None:
    client.force_login(mara)
    _exclude(client, _items(drafted)[0], "Sent four times.")
    text = client.get(reverse("pattern", args=[drafted.pattern_id])).text
    assert "Left out" in text
    assert "Sent four times." in text


def test_queue_and_proposal_say_how_bad_how_often_and_by_whom_in_the_same_words(
    client: Client, support: Agent, mara: User, drafted: Proposal
) -> None:
    client.force_login(mara)
    queue = reverse("queue")
    assert " · 4 sources in 1 day · medium severity · " in client.get(queue).text
    for number in range(2):
        report(support, f"later {number}", reason="wrong refund deadline for my digital course", reason_code="style")
        failure(support, f"unit {number}", "", success=True)
    mine(support)
    count_runs()
    said = "4 sources when drafted, 6 now"
    row = client.get(queue).text
    assert f" · {said}, in 1 day · medium severity, 100\u00a0% of runs · " in row
    assert f">{said}</a>" in client.get(reverse("proposal", args=[drafted.pk])).text
    reject(drafted.pk, user=mara, digest=digest_of(drafted), reason="other", note="No.")
    assert "severity" not in client.get(f"{queue}?show=decided").text


def test_of_a_wrong_label_the_beginning_of_what_was_labelled_is_shown(
    client: Client, mara: User, support: Agent, pending: Proposal
) -> None:
    asked = f"I want my <b>money</b> back {'and soon ' * 60}"
    said = report(support, "ben", predicted="billing", expected="refund", input=asked)
    other = report(support, "zoe", reason="Too slow.", input="Where is my parcel?")
    pattern = Pattern.objects.create(
        agent=support, kind="mislabel", status="open", support=2, sources=2, first_seen=said.at, last_seen=other.at
    )
    for item in (said, other):
        Evidence.objects.create(pattern=pattern, feedback=item, source=item.source, at=item.at)
        ProposalEvidence.objects.create(proposal=pending, feedback=item)
    client.force_login(mara)
    for page in (reverse("pattern", args=[pattern.pk]), f"{reverse('proposal', args=[pending.pk])}?evidence=1"):
        shown = client.get(page).text
        assert "I want my &lt;b&gt;money&lt;/b&gt; back and soon" in shown
        assert "and soon " * 30 not in shown
        assert "Where is my parcel?" not in shown
