"""A reviewer asks, the drafter writes again, somebody else approves."""

import pytest

from agents.models import Document
from agents.versions import publish
from audit.models import AuditEntry
from audit.record import SYSTEM
from feedback.actions.mining import mine
from feedback.models import Pattern
from people.models import User
from proposals.actions import redrafts
from proposals.actions.decisions import approve, request_changes
from proposals.actions.drafting import draft
from proposals.actions.following import follow
from proposals.actions.proposals import amend
from proposals.authority.policies import may_decide
from proposals.exceptions import Invalid, NotAllowed, NotPending, Outdated
from proposals.models import Decision, Proposal, Redraft
from proposals.queue import decidable_by
from proposals.tasks import draft_due
from tests.cast import PROMPT, digest_of, failure

pytestmark = pytest.mark.django_db

ERROR = "429 Too Many Requests"
RULE = "When a service says that you call it too often, wait before you try again"


@pytest.fixture
def drafted(prompt: Document) -> Proposal:
    """Countersign's draft of a rule with a clause to spare."""
    for who in "abc":
        failure(prompt.agent, f"unit {who}", ERROR)
    mine(prompt.agent)
    made = draft(Pattern.objects.shown().get().pk)
    assert isinstance(made, Proposal), made
    return made


def ask(proposal: Proposal, user: User, kind: str = "shorter", about: str = "", note: str = "") -> Redraft:
    return redrafts.ask(proposal.pk, user=user, digest=digest_of(proposal), kind=kind, about=about, note=note)


def now(proposal: Proposal) -> Proposal:
    return Proposal.objects.select_related("revision__author", "document__current").get(pk=proposal.pk)


def test_an_ask_is_a_request_for_changes_that_the_drafter_answers(drafted: Proposal, mara: User, jonas: User) -> None:
    wish = ask(drafted, mara, note="Our users are in a hurry.")
    assert now(drafted).status == "changes_requested"
    assert Decision.objects.get().note == "Redraft it shorter. Our users are in a hurry."
    draft_due()
    found, wish = now(drafted), Redraft.objects.get(pk=wish.pk)
    assert found.revision
    assert (found.status, found.revision.number, found.revision.author_label) == ("pending", 2, "Countersign")
    assert f"{RULE}.\n" in found.revision.text
    assert (wish.made, wish.is_due) == (found.revision, False)
    entry = AuditEntry.objects.get(verb="proposal.redrafted")
    assert (entry.actor_label, entry.fact["after"]["asked_by"]) == ("Countersign", "Mara Okafor")
    assert may_decide(mara, found).why == "You asked for revision 2. Somebody else has to decide."
    assert not decidable_by(mara)
    with pytest.raises(NotAllowed):
        approve(drafted.pk, user=mara, digest=digest_of(drafted))
    approve(drafted.pk, user=jonas, digest=digest_of(drafted))
    assert now(drafted).status == "approved"


def test_carried_out_twice_it_is_done_once(drafted: Proposal, mara: User) -> None:
    wish = ask(drafted, mara)
    assert redrafts.carry_out(wish.pk)
    assert redrafts.carry_out(wish.pk) is None
    assert redrafts.carry_out_all() == 0
    assert drafted.revisions.count() == 2
    assert AuditEntry.objects.filter(verb="proposal.redrafted").count() == 1


def test_what_cannot_be_done_is_declined_with_the_reason_and_bars_nobody(
    drafted: Proposal, mara: User, jonas: User
) -> None:
    ask(drafted, mara)
    redrafts.carry_out_all()
    wish = ask(drafted, jonas)
    assert redrafts.carry_out_all() == 0
    wish.refresh_from_db()
    assert wish.why_not == "It is as short as the drafter can make it."
    assert now(drafted).status == "changes_requested"
    assert AuditEntry.objects.filter(verb="proposal.redraft_declined").count() == 1
    assert "You asked" not in may_decide(jonas, now(drafted)).why


def test_a_rule_is_moved_merged_and_reworded(drafted: Proposal, mara: User) -> None:
    seen = now(drafted)
    assert seen.revision
    sections, rules = redrafts.offered(seen, seen.revision)
    assert "Role" in sections
    assert "Safety" in sections
    assert "Check the order date before you name a deadline." in rules
    ask(drafted, mara, "wording", "Wait a minute,\n  then try again.")
    redrafts.carry_out_all()
    newest = now(drafted).revision
    assert newest
    assert "- Wait a minute, then try again.\n" in newest.text
    assert newest.note == "Drafted again as “Wait a minute, then try again.”, as Mara Okafor asked."


@pytest.mark.parametrize(
    ("kind", "about", "field"),
    [("", "", "ask"), ("current", "", "ask"), ("move", "Nowhere", "section"), ("merge", "", "rule"),
     ("wording", " ", "wording"), ("wording", "x" * 1001, "wording")],
)  # fmt: skip
def test_an_ask_that_says_nothing_is_refused_at_its_field(
    drafted: Proposal, mara: User, kind: str, about: str, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        ask(drafted, mara, kind, about)
    assert refused.value.field == field
    assert now(drafted).status == "pending"
    assert not Redraft.objects.exists()


def test_only_who_may_decide_asks_and_only_of_what_they_saw(
    drafted: Proposal, mara: User, aiko: User, jonas: User
) -> None:
    with pytest.raises(NotAllowed):
        ask(drafted, aiko)
    with pytest.raises(Outdated):
        redrafts.ask(drafted.pk, user=mara, digest="0" * 64, kind="shorter")
    ask(drafted, mara)
    with pytest.raises(NotPending, match="redrafts this already"):
        ask(drafted, jonas)


def test_peoples_words_are_left_alone(drafted: Proposal, pending: Proposal, mara: User, jonas: User) -> None:
    with pytest.raises(NotPending, match="did not draft this"):
        ask(pending, mara)
    wish = ask(drafted, mara)
    newest = now(drafted).revision
    assert newest
    amend(drafted.pk, user=jonas, text=f"{newest.text}\nMore.\n", note="", digest=newest.digest)
    assert redrafts.carry_out(wish.pk) is None
    wish.refresh_from_db()
    assert wish.why_not == "Somebody amended or ended it before Countersign came to it."
    with pytest.raises(NotPending, match="Jonas Weber worded it"):
        ask(drafted, mara)


def test_an_ask_can_follow_a_plain_request_for_changes(drafted: Proposal, mara: User, jonas: User) -> None:
    request_changes(drafted.pk, user=mara, digest=digest_of(drafted), note="Too long.")
    ask(drafted, jonas)
    assert redrafts.carry_out_all() == 1
    assert Decision.objects.count() == 1


def test_a_redraft_stands_on_the_version_of_today_and_is_not_forgotten_when_that_moves(
    drafted: Proposal, prompt: Document, mara: User
) -> None:
    ask(drafted, mara)
    _publish(prompt, PROMPT.replace("30 days", "60 days"))
    redrafts.carry_out_all()
    found = now(drafted)
    assert found.revision
    assert not found.is_stale
    assert "60 days" in found.revision.text
    _publish(prompt, "# Other\n\nAll is new.\n")
    follow()
    assert now(drafted).revision == found.revision


def _publish(prompt: Document, text: str) -> None:
    document = Document.objects.select_related("agent", "current").get(pk=prompt.pk)
    assert document.current
    publish(document, text, base=document.current, actor=SYSTEM, proposal=0)


def test_a_conflicted_draft_is_drafted_anew_on_request(
    drafted: Proposal, prompt: Document, mara: User, aiko: User
) -> None:
    with pytest.raises(NotPending):
        redrafts.on_current(drafted.pk, user=mara)
    _publish(prompt, "# Other\n\n## Tools\n\n- Use few tools.\n")
    with pytest.raises(NotAllowed):
        redrafts.on_current(drafted.pk, user=aiko)
    made = redrafts.on_current(drafted.pk, user=mara)
    assert f"- Use few tools.\n- {RULE}, and" in made.text
    assert not now(drafted).is_stale
    assert may_decide(mara, now(drafted)).why.startswith("You asked for revision 2.")
