"""Races, run with real concurrent transactions: one outcome each, the loser is told, nothing is half-done."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from time import sleep

import pytest
from django.db import connection, transaction

from agents.models import Agent, Document, Release, Version
from agents.protection import protect
from agents.versions import create_agent, sha256
from audit.models import AuditEntry
from audit.record import SYSTEM
from audit.verify import verify
from feedback.actions.mining import mine
from feedback.models import Evidence, Feedback, Pattern
from people.models import User
from proposals.actions import comments
from proposals.actions.comments import Spot, Wording
from proposals.actions.decisions import approve, reject
from proposals.actions.drafting import draft
from proposals.actions.proposals import amend, withdraw
from proposals.actions.rollbacks import roll_back
from proposals.exceptions import Outdated, ReviewError
from proposals.models import Decision, Proposal, Thread
from tests.cast import PROMPT, digest_of, propose, report

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 50
THREADS = 4

Deed = Callable[[], object]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads that keep their database connection from round to round, and close it at the end."""
    with ThreadPoolExecutor(max_workers=THREADS) as threads:
        yield threads
        everybody = Barrier(THREADS)

        def leave() -> None:
            everybody.wait(timeout=10)  # so that no thread takes another's turn
            connection.close()

        for done in [threads.submit(leave) for _ in range(THREADS)]:
            done.result()


def at_once(pool: ThreadPoolExecutor, *deeds: Deed) -> list[object]:
    """Start all deeds at the same instant; their results, or the refusals they met."""
    barrier = Barrier(len(deeds))

    def run(deed: Deed) -> object:
        barrier.wait(timeout=10)
        try:
            return deed()
        except ReviewError as refused:
            return refused

    return [future.result(timeout=30) for future in [pool.submit(run, deed) for deed in deeds]]


def refusals(results: list[object]) -> list[ReviewError]:
    return [result for result in results if isinstance(result, ReviewError)]


def test_two_reviewers_deciding_at_the_same_instant_have_one_winner(
    prompt: Document, aiko: User, mara: User, jonas: User, pool: ThreadPoolExecutor
) -> None:
    approved = 0
    for number in range(ROUNDS):
        proposal = (
            propose(prompt, aiko, "orders", f"orders and {number}") if number == 0 else _next(prompt, aiko, number)
        )
        shown = digest_of(proposal)
        results = at_once(
            pool,
            lambda: approve(proposal.pk, user=mara, digest=shown),  # noqa: B023
            lambda: reject(proposal.pk, user=jonas, digest=shown, reason="other", note="No."),  # noqa: B023
        )
        (refused,) = refusals(results)
        assert "this proposal already. Nothing was recorded." in str(refused)
        assert Decision.objects.filter(revision__proposal=proposal).count() == 1
        proposal.refresh_from_db()
        approved += proposal.status == Proposal.Status.APPROVED
        assert Version.objects.count() == approved + 1
        verbs = AuditEntry.objects.filter(proposal=proposal.pk, verb__in=["proposal.approved", "proposal.rejected"])
        assert [entry.verb for entry in verbs] == [f"proposal.{proposal.status}"]
    prompt.refresh_from_db()
    assert prompt.current.number == approved + 1 == Release.objects.count()
    assert verify().fault is None


def _next(prompt: Document, author: User, number: int) -> Proposal:
    """A proposal that changes the one line every round changes."""
    current = Document.objects.select_related("current").get(pk=prompt.pk).current.text
    line = next(line for line in current.splitlines() if line.startswith("You answer"))
    return propose(prompt, author, line, f"You answer questions about orders, round {number}.")


def test_two_approvals_of_different_proposals_publish_one_after_the_other_or_not_at_all(
    prompt: Document, aiko: User, mara: User, jonas: User, pool: ThreadPoolExecutor
) -> None:
    for number in range(20):
        one = _next(prompt, aiko, number)
        current = Document.objects.select_related("current").get(pk=prompt.pk).current.text
        two = propose(prompt, aiko, current.splitlines()[-1], f"- Never ask for passwords, round {number}.")
        digests = digest_of(one), digest_of(two)
        before = Version.objects.count()
        results = at_once(
            pool,
            lambda: approve(one.pk, user=mara, digest=digests[0]),  # noqa: B023
            lambda: approve(two.pk, user=jonas, digest=digests[1]),  # noqa: B023
        )
        assert len(refusals(results)) == 1
        assert Version.objects.count() == before + 1


def test_approve_and_amend_at_once_never_publish_an_unseen_text(
    prompt: Document, aiko: User, mara: User, jonas: User, pool: ThreadPoolExecutor
) -> None:
    for number in range(20):
        proposal = _next(prompt, aiko, number)
        shown, seen = digest_of(proposal), proposal.revision.text
        results = at_once(
            pool,
            lambda: approve(proposal.pk, user=mara, digest=shown),  # noqa: B023
            lambda: amend(proposal.pk, user=jonas, text=seen + "\nUnseen.", note="", digest=shown),  # noqa: B023
        )
        assert len(refusals(results)) == 1
        prompt.refresh_from_db()
        assert "Unseen." not in prompt.current.text
        proposal.refresh_from_db()
        if proposal.status == Proposal.Status.PENDING:
            reject(proposal.pk, user=mara, digest=digest_of(proposal), reason="other", note="Next round.")


def test_approve_and_withdraw_at_once_have_one_winner(
    prompt: Document, aiko: User, mara: User, pool: ThreadPoolExecutor
) -> None:
    approved = 0
    for number in range(20):
        proposal = _next(prompt, aiko, number)
        shown = digest_of(proposal)
        results = at_once(
            pool,
            lambda: approve(proposal.pk, user=mara, digest=shown),  # noqa: B023
            lambda: withdraw(proposal.pk, user=aiko),  # noqa: B023
        )
        assert len(refusals(results)) == 1
        proposal.refresh_from_db()
        approved += proposal.status == Proposal.Status.APPROVED
        assert Decision.objects.count() == approved == Version.objects.count() - 1
        verbs = AuditEntry.objects.filter(proposal=proposal.pk, verb__in=["proposal.approved", "proposal.withdrawn"])
        assert [entry.verb for entry in verbs] == [f"proposal.{proposal.status}"]


def test_an_approval_waits_for_a_protection_on_its_way(
    pending: Proposal, prompt: Document, mara: User, jonas: User, pool: ThreadPoolExecutor
) -> None:
    shown, protected = digest_of(pending), Event()

    def guard() -> None:
        with transaction.atomic():
            protect(prompt, "Refunds", owners=[jonas], actor=SYSTEM)
            protected.set()
            sleep(0.3)  # long enough for the approval to come by

    guarding = pool.submit(guard)
    assert protected.wait(timeout=10)
    with pytest.raises(Outdated, match="protected sections changed"):
        approve(pending.pk, user=mara, digest=shown)
    guarding.result(timeout=10)
    assert Version.objects.count() == 1


def test_of_two_who_amend_at_once_the_second_is_told(
    pending: Proposal, mara: User, jonas: User, pool: ThreadPoolExecutor
) -> None:
    for number in range(20):
        shown = digest_of(pending)

        def write(user: User, shown: str = shown, number: int = number) -> object:
            return amend(pending.pk, user=user, text=f"{PROMPT}- {user}, {number}.\n", note="", digest=shown)

        (refused,) = refusals(at_once(pool, lambda: write(mara), lambda: write(jonas)))
        assert "meanwhile. Nothing was recorded." in str(refused)
    assert pending.revisions.count() == 21


def test_one_text_submitted_many_times_at_once_is_one_proposal(
    prompt: Document, aiko: User, pool: ThreadPoolExecutor
) -> None:
    for number in range(20):
        results = at_once(pool, *[lambda: propose(prompt, aiko, "30 days", f"{number} days")] * THREADS)  # noqa: B023
        assert len(refusals(results)) == THREADS - 1
        assert all("proposes the same text and is open" in str(refused) for refused in refusals(results))
    assert Proposal.objects.count() == 20


def test_drafting_and_rolling_back_at_once_never_wait_for_each_other(
    aiko: User, mara: User, jonas: User, pool: ThreadPoolExecutor
) -> None:
    for number in range(20):
        agent = create_agent(f"agent-{number}", name="Agent", actor=SYSTEM, documents={"system-prompt": PROMPT})
        document = agent.documents.get()
        pattern = _complained(agent, "first")
        made = draft(pattern.pk)
        assert isinstance(made, Proposal), made
        # Another answer to the same pattern goes into force, so that new reports make a new draft possible.
        amend(made.pk, user=jonas, text=f"{PROMPT}- Be kind.\n", note="", digest=digest_of(made))
        approve(made.pk, user=mara, digest=digest_of(made))
        _complained(agent, "then")

        def back(document: Document = document) -> Proposal:
            return roll_back(document.pk, user=aiko, to_number=1, current_number=2, reason="Worse.")

        results = at_once(pool, back, lambda: draft(pattern.pk))  # noqa: B023
        assert isinstance(results[0], Proposal), results


def _complained(agent: Agent, who: str) -> Pattern:
    for number in range(4):
        report(agent, f"{who} {number}", reason="the refund deadline for digital courses is wrong")
    mine(agent)
    return Pattern.objects.shown().get(agent=agent)


def test_two_rollbacks_at_once_make_one_version(
    prompt: Document, aiko: User, mara: User, jonas: User, pool: ThreadPoolExecutor
) -> None:
    first = _next(prompt, aiko, 1)
    approve(first.pk, user=mara, digest=digest_of(first))
    for number in range(2, 42, 2):

        def back(user: User, current: int = number) -> Proposal:
            return roll_back(prompt.pk, user=user, to_number=current - 1, current_number=current, reason="Worse.")

        results = at_once(pool, lambda: back(aiko), lambda: back(mara))
        assert len(refusals(results)) == 1
        roll_back(prompt.pk, user=aiko, to_number=number, current_number=number + 1, reason="Better after all.")
    assert list(Version.objects.order_by("number").values_list("number", flat=True)) == list(range(1, 43))


def test_two_miners_at_once_find_each_report_once(support: Agent, pool: ThreadPoolExecutor) -> None:
    for number in range(20):
        report(support, f"person {number}", reason=f"the refund deadline for courses is wrong, case {number}")
    at_once(pool, *[lambda: mine(support)] * 4)
    assert not Feedback.objects.unmined().exists()
    assert Evidence.objects.count() == 20
    assert sum(Pattern.objects.values_list("support", flat=True)) == 20
    assert sum(Pattern.objects.values_list("sources", flat=True)) == 20


def test_two_drafters_at_once_make_one_proposal(
    support: Agent, complaints: list[Feedback], pool: ThreadPoolExecutor
) -> None:
    mine(support)
    pattern = Pattern.objects.shown().get()
    at_once(pool, *[lambda: draft(pattern.pk, only_if_due=True)] * 4)
    assert Proposal.objects.filter(pattern=pattern).count() == 1
    assert "Refunds" in PROMPT


def test_a_suggestion_is_applied_once_and_never_to_a_text_nobody_saw(
    pending: Proposal, aiko: User, mara: User, jonas: User, pool: ThreadPoolExecutor
) -> None:
    for number in range(20):
        seen = pending.revisions.latest("number")
        first = seen.text.splitlines(keepends=True)[0]
        wording, spot = Wording(f"# Round {number}", sha256(first)), Spot(seen.number, Thread.Side.NEW, 1, 1)
        thread = comments.open_thread(pending.pk, user=mara, spot=spot, text="", wording=wording)
        suggestion, text = thread.comments.get().pk, f"{seen.text.rstrip()}, in round {number}.\n"
        results = at_once(
            pool,
            lambda: comments.apply_suggestion(suggestion, user=jonas, digest=seen.digest),  # noqa: B023
            lambda: comments.apply_suggestion(suggestion, user=aiko, digest=seen.digest),  # noqa: B023
            lambda: amend(pending.pk, user=aiko, text=text, note="", digest=seen.digest),  # noqa: B023
            lambda: comments.reply(thread.pk, user=mara, text="Well?"),  # noqa: B023
        )
        assert len(refusals(results)) == 2, results
        assert pending.revisions.count() == seen.number + 1
        assert Thread.objects.get(pk=thread.pk).place == 1
    assert verify().fault is None
