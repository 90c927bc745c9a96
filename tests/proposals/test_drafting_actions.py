"""From patterns to proposals: in the reports' own subject, and never the same change twice without new evidence."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from agents.models import Agent, Document
from agents.versions import create_agent
from audit.models import AuditEntry
from audit.record import SYSTEM
from feedback.actions.mining import mine
from feedback.insight import Insight
from feedback.models import Feedback, Pattern
from people.models import User
from proposals.actions.decisions import approve, reject
from proposals.actions.drafting import draft, draft_all_due
from proposals.actions.proposals import open_proposal, withdraw
from proposals.actions.revisions import Author
from proposals.actions.wishes import Wish
from proposals.drafting import Brief, DocumentText, Draft, fingerprint
from proposals.drafting import draft as plan
from proposals.exceptions import Duplicate
from proposals.models import Proposal
from tests.cast import PROMPT, digest_of, failure, report

pytestmark = pytest.mark.django_db

# Two shapes of error that ask for the same rule: the miner keeps them apart, the drafter must not write it twice.
LIMITED = ("429 Too Many Requests", "Rate limit exceeded for this account, slow down")


def _fail(agent: Agent, error: str, *, people: str = "abc", hours: int = 0) -> None:
    for who in people:
        failure(agent, f"unit {who}", error, at=timezone.now() + timedelta(hours=hours))


def _limited(agent: Agent) -> tuple[Pattern, Pattern]:
    for error in LIMITED:
        _fail(agent, error)
    mine(agent)
    one, other = Pattern.objects.filter(agent=agent).order_by("pk")
    return one, other


def _drafted(pattern: Pattern) -> Proposal:
    made = draft(pattern.pk)
    assert isinstance(made, Proposal), made
    return made


def _reject(proposal: Proposal, reviewer: User) -> None:
    reject(proposal.pk, user=reviewer, digest=digest_of(proposal), reason="wrong_fix", note="Fixed elsewhere.")


def test_a_rule_that_is_open_is_not_drafted_from_another_pattern(support: Agent) -> None:
    one, other = _limited(support)
    first = _drafted(one)
    assert draft(other.pk) == f"Proposal {first.pk}, “{first.title}”, says the same and is open."
    other.refresh_from_db()
    assert (other.status, other.draft_due_at) == ("open", None)
    assert other.draft_note.startswith(f"Proposal {first.pk}")
    assert Proposal.objects.count() == 1
    assert AuditEntry.objects.filter(verb="proposal.opened").count() == 1


def test_a_tick_that_took_its_time_leaves_the_rest_due_for_the_next(support: Agent) -> None:
    _limited(support)
    due = Pattern.objects.due().count()
    assert due
    assert draft_all_due(within=-1) == 0
    assert Pattern.objects.due().count() == due
    assert draft_all_due() == 1


def test_nearly_the_same_rule_is_not_drafted_from_a_pattern_of_another_kind(support: Agent) -> None:
    for number, text in enumerate(["no refund of vouchers", "vouchers cannot be refunded", "refund for vouchers"]):
        report(support, f"person {number}", reason=f"{text}, is that wrong?", reason_code="wrong")
        report(support, f"other {number}", correction=f"{text}.", output="Let me see.")
    mine(support)
    made = [draft(pattern.pk) for pattern in Pattern.objects.shown().order_by("pk")]
    assert sum(isinstance(outcome, Proposal) for outcome in made) == 1
    assert any("says the same and is open" in outcome for outcome in made if isinstance(outcome, str))


def test_complaints_about_a_rule_soften_it_and_put_nothing_beside_it(support: Agent) -> None:
    said = ("Stop checking the order date every time!", "It checks my order date again", "always checks the order date")
    for number, text in enumerate(said):
        report(support, f"person {number}", reason=text, reason_code="slow")
    mine(support)
    made = _drafted(Pattern.objects.shown().get())
    assert made.revision is not None
    rule = "- Check the order date before you name a deadline"
    assert made.revision.text == PROMPT.replace(f"{rule}.", f"{rule}, but only when it is needed.")
    assert made.title == "Soften “Check the order date before you name a deadline.”"


def test_each_agent_may_have_the_same_rule(support: Agent) -> None:
    coding = create_agent("coding", name="Coding agent", actor=SYSTEM, documents={"system-prompt": PROMPT})
    _drafted(_limited(support)[0])
    _drafted(_limited(coding)[0])
    assert Proposal.objects.count() == 2


def test_a_rejected_rule_is_drafted_from_another_pattern_only_with_new_evidence(support: Agent, mara: User) -> None:
    one, other = _limited(support)
    first = _drafted(one)
    _reject(first, mara)
    said = f"Proposal {first.pk}, “{first.title}”, said the same and was rejected; "
    assert draft(other.pk) == said + "0 of 3 new sources since."
    _fail(support, LIMITED[1], people="aax", hours=1)
    mine(support)
    assert draft(other.pk) == said + "2 of 3 new sources since."
    _fail(support, LIMITED[1], people="y", hours=1)
    mine(support)
    assert draft_all_due() == 1
    assert Proposal.objects.open().get().pattern == other


def test_a_withdrawn_rule_stands_in_nobodys_way(support: Agent, mara: User) -> None:
    one, other = _limited(support)
    withdraw(_drafted(one).pk, user=mara)
    assert _drafted(other).is_open


def test_a_rule_in_force_is_not_drafted_again(support: Agent, mara: User) -> None:
    one, other = _limited(support)
    first = _drafted(one)
    approve(first.pk, user=mara, digest=digest_of(first))
    assert draft(other.pk) == "The document already says so."


def test_the_database_refuses_a_second_open_proposal_of_the_same_change(prompt: Document) -> None:
    base = prompt.current
    assert base is not None
    drafted = plan(Brief("error", error_class="timeout"), [DocumentText(prompt.slug, "prompt", PROMPT)])
    assert isinstance(drafted, Draft)
    mark = fingerprint(drafted)

    def wish(text: str) -> Wish:
        return Wish(prompt, base, text, "Title", "Why.", Proposal.Origin.DRAFTER, Author(), fingerprint=mark)

    open_proposal(wish(PROMPT + "One.\n"))
    with pytest.raises(Duplicate, match="of the same change"):
        open_proposal(wish(PROMPT + "Two.\n"))
    assert Proposal.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_drafters_for_two_patterns_write_the_same_rule_once() -> None:
    with ThreadPoolExecutor(max_workers=2) as threads:
        for number in range(20):
            agent = create_agent(f"agent-{number}", name="Agent", actor=SYSTEM, documents={"system-prompt": PROMPT})
            together = Barrier(2)

            def work(pattern: Pattern, together: Barrier = together) -> Proposal | str:
                try:
                    together.wait(timeout=10)
                    return draft(pattern.pk)
                finally:
                    connection.close()

            made = [done.result(timeout=30) for done in [threads.submit(work, each) for each in _limited(agent)]]
            (proposal,) = [outcome for outcome in made if isinstance(outcome, Proposal)]
            (refused,) = [outcome for outcome in made if isinstance(outcome, str)]
            assert refused == f"Proposal {proposal.pk}, “{proposal.title}”, says the same and is open."


def test_the_rationale_stays_true_when_more_evidence_comes(support: Agent, complaints: list[Feedback]) -> None:
    mine(support)
    proposal = _drafted(Pattern.objects.shown().get())
    why = "4 people in 1 day found answers about digital courses and the refund deadline wrong."
    assert proposal.rationale == why
    report(support, "person 9", reason="wrong refund deadline for digital courses")
    mine(support)
    proposal.refresh_from_db()
    assert (proposal.rationale, proposal.evidence_sources) == (why, 4)
    assert Pattern.objects.shown().get().sources == 5


def test_a_complaint_without_a_reason_code_is_answered_by_what_most_people_say(
    support: Agent, complaints: list[Feedback]
) -> None:
    mine(support)
    proposal = _drafted(Pattern.objects.shown().get())
    assert proposal.title == "Check the refund deadline for digital courses"
    assert proposal.revision is not None
    assert "- For digital courses, check which refund deadline applies before you answer.\n" in proposal.revision.text


def test_one_loud_person_does_not_choose_the_reason(support: Agent) -> None:
    for number in range(6):
        report(support, "loud", reason=f"refund rules, case {number}", reason_code="unsafe")
    for number in range(3):
        report(support, f"person {number}", reason="about the refund rules", reason_code="too_long")
    mine(support)
    assert _drafted(Pattern.objects.shown().get()).title == "Be brief about refund rules"


def test_a_mislabel_is_about_what_the_agent_was_asked(support: Agent, settings: Settings) -> None:
    settings.COUNTERSIGN_MIN_MISSES = 3
    for number, asked in enumerate(["where is the invoice", "I need an invoice", "send me the invoice please"]):
        report(support, f"person {number}", predicted="billing", expected="documents", input=asked)
    mine(support)
    proposal = _drafted(Pattern.objects.shown().get())
    assert proposal.revision is not None
    rule = "When both could fit, as in messages about the invoice, use “documents” rather than “billing”."
    assert rule in proposal.revision.text


def test_a_word_that_all_messages_may_have_is_no_example_for_a_label(support: Agent, settings: Settings) -> None:
    settings.COUNTERSIGN_MIN_MISSES = 3
    for number, asked in enumerate(["pay back order 7", "money for order 8", "i want order 9 paid back"]):
        report(support, f"person {number}", predicted="billing", expected="refund", input=asked)
    mine(support)
    proposal = _drafted(Pattern.objects.shown().get())
    assert proposal.revision is not None
    assert "When both could fit, use “refund” rather than “billing”." in proposal.revision.text


def test_a_mislabel_names_what_tells_the_two_labels_apart(support: Agent, settings: Settings) -> None:
    settings.COUNTERSIGN_MIN_MISSES = 3
    for number, asked in enumerate(["return the parcel", "a return label for my parcel", "returning this parcel"]):
        report(support, f"person {number}", predicted="delivery", expected="returns", input=asked)
    for number, asked in enumerate(["where is the parcel", "is my parcel lost", "lost parcel, where is it"]):
        report(support, f"other {number}", predicted="delivery", expected="delivery", input=asked)
    report(support, "other 9", predicted="billing", expected="Delivery", input="the parcel is lost, or so it seems")
    mine(support)
    pattern = Pattern.objects.shown().get()
    assert (pattern.label, pattern.terms) == ("Delivery → returns (return)", ["return"])
    insight = Insight(pattern)
    assert insight.contrast is not None
    assert (insight.contrast.for_expected, insight.contrast.for_predicted) == (["return"], ["lost"])
    proposal = _drafted(pattern)
    assert proposal.revision is not None
    assert "as in messages that mention “return”, use “returns” rather than “delivery”." in proposal.revision.text
