"""Patterns merged, taken apart and split by hand: true counts, and a miner that goes along."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from agents.models import Agent, Document
from audit.models import AuditEntry
from audit.record import SYSTEM
from feedback.actions.exclusion import exclude, include
from feedback.actions.mining import mine
from feedback.actions.regrouping import merge, part, split
from feedback.actions.withdraw import withdraw_feedback
from feedback.exceptions import PatternError
from feedback.models import Evidence, Feedback, Pattern, PatternDay, PatternSource
from people.models import User
from proposals.actions.decisions import approve
from proposals.actions.drafting import draft
from proposals.actions.proposals import submit, withdraw
from proposals.models import Proposal
from tests.cast import COMPLAINTS, PROMPT, digest_of, failure, report

PARCELS = [
    "the parcel arrived broken and the box was open",
    "my parcel arrived broken, the box was open",
    "broken parcel again, the box was open",
]


@pytest.fixture
def two(support: Agent) -> tuple[Pattern, Pattern]:
    """Refunds (4 reports) and parcels (3 reports, one by a person of the first)."""
    for number, text in enumerate(COMPLAINTS):
        report(support, f"person {number}", reason=text)
    for number, text in enumerate(PARCELS):
        report(support, f"person {number + 3}", reason=text)
    mine(support)
    refunds, parcels = Pattern.objects.shown().order_by("-support")
    return refunds, parcels


def _more(support: Agent, text: str, count: int = 1) -> None:
    for number in range(count):
        report(support, f"more {text[:8]} {number}", reason=text)
    mine(support)


def _again(pattern: Pattern) -> Pattern:
    """As it is now, its counts found true."""
    pattern.refresh_from_db()
    evidence = pattern.evidence.all()
    assert pattern.support == evidence.count()
    assert pattern.sources == evidence.values("source").distinct().count()
    assert sum(PatternDay.objects.filter(pattern=pattern).values_list("items", flat=True)) == pattern.support
    assert sum(PatternSource.objects.filter(pattern=pattern).values_list("items", flat=True)) == pattern.support
    return pattern


@pytest.mark.django_db
def test_merged_patterns_count_as_one_and_later_reports_follow(
    support: Agent, two: tuple[Pattern, Pattern], mara: User
) -> None:
    refunds, parcels = two
    merge(refunds.pk, other_id=parcels.pk, user=mara)
    assert (_again(refunds).support, refunds.sources) == (7, 6)
    assert (_again(parcels).status, parcels.merged_into, parcels.support) == ("merged", refunds, 0)
    assert parcels.draft_due_at is None
    _more(support, PARCELS[0])
    assert _again(refunds).support == 8
    assert list(Pattern.objects.shown()) == [refunds]
    assert AuditEntry.objects.filter(verb="pattern.merged").count() == 1


@pytest.mark.django_db
def test_taking_apart_gives_back_what_was_merged_and_what_joined_it_since(
    support: Agent, two: tuple[Pattern, Pattern], mara: User
) -> None:
    refunds, parcels = two
    merge(refunds.pk, other_id=parcels.pk, user=mara)
    _more(support, PARCELS[0])
    part(parcels.pk, user=mara)
    assert (_again(refunds).support, _again(parcels).support) == (4, 4)
    assert (parcels.status, parcels.merged_into) == ("open", None)
    assert not Evidence.objects.exclude(grouped_in=None).exists()
    with pytest.raises(PatternError, match="not merged any more"):
        part(parcels.pk, user=mara)


@pytest.mark.django_db
def test_merges_of_merges_come_apart_one_by_one(support: Agent, two: tuple[Pattern, Pattern], mara: User) -> None:
    refunds, parcels = two
    _more(support, "the voucher code expired before I could use it", 3)
    vouchers = Pattern.objects.latest("pk")
    merge(parcels.pk, other_id=vouchers.pk, user=mara)
    merge(refunds.pk, other_id=parcels.pk, user=mara)
    _more(support, "the voucher code expired before I could use it, again")
    assert _again(refunds).support == 11
    part(parcels.pk, user=mara)
    assert (_again(refunds).support, _again(parcels).support) == (4, 7)
    part(vouchers.pk, user=mara)
    assert (_again(parcels).support, _again(vouchers).support) == (3, 4)


@pytest.mark.django_db
def test_only_patterns_of_one_agent_and_kind_are_merged(
    support: Agent, two: tuple[Pattern, Pattern], mara: User, luis: User
) -> None:
    refunds, parcels = two
    for number in range(3):
        failure(support, f"unit {number}", "TimeoutError: find_order timed out")
    mine(support)
    errors = Pattern.objects.get(kind="error")
    for wrong, why in ((errors.pk, "one kind"), (refunds.pk, "another pattern"), (999_999, "no such")):
        with pytest.raises(PatternError, match=why):
            merge(refunds.pk, other_id=wrong, user=mara)
    with pytest.raises(PatternError, match="role"):
        merge(refunds.pk, other_id=parcels.pk, user=luis)
    Pattern.objects.filter(pk=parcels.pk).update(status="proposed")
    with pytest.raises(PatternError, match="proposal of the other pattern is open"):
        merge(refunds.pk, other_id=parcels.pk, user=mara)
    with pytest.raises(PatternError, match="cannot be split"):
        split(errors.pk, evidence_ids=[errors.evidence.all()[0].pk], user=mara)


@pytest.mark.django_db
def test_merged_errors_follow_their_signature(support: Agent, mara: User) -> None:
    for number in range(3):
        failure(support, f"unit {number}", "TimeoutError: find_order timed out")
        failure(support, f"unit {number}", "ConnectionError: find_order is away")
    mine(support)
    one, other = Pattern.objects.filter(kind="error").order_by("pk")
    merge(one.pk, other_id=other.pk, user=mara)
    failure(support, "unit 9", "TimeoutError: find_order timed out")
    failure(support, "unit 9", "ConnectionError: find_order is away")
    mine(support)
    assert _again(one).support == 8


@pytest.mark.django_db
def test_a_mixed_pattern_is_split_and_later_reports_go_to_the_nearer_half(support: Agent, mara: User) -> None:
    # Two things told in almost the same words end up in one pattern.
    words = "the answer about {} in my order was wrong and did not help"
    for number in range(3):
        report(support, f"a{number}", reason=words.format("refund deadlines"))
        report(support, f"b{number}", reason=words.format("parcel tracking"))
    mine(support)
    mixed = Pattern.objects.shown().get()
    chosen = mixed.evidence.filter(feedback__reason__contains="parcel").values_list("pk", flat=True)
    new = split(mixed.pk, evidence_ids=list(chosen), user=mara, label="Parcel tracking")
    assert (_again(mixed).support, _again(new).support) == (3, 3)
    assert (new.status, new.label, new.split_from) == ("open", "Parcel tracking", mixed)
    assert "refund" in mixed.label.lower()
    _more(support, words.format("parcel tracking"), 2)
    _more(support, words.format("refund deadlines"), 1)
    assert (_again(mixed).support, _again(new).support) == (4, 5)
    merge(mixed.pk, other_id=new.pk, user=mara)
    assert _again(mixed).support == 9


@pytest.mark.django_db
def test_what_too_few_people_report_is_a_candidate_after_a_split(two: tuple[Pattern, Pattern], mara: User) -> None:
    refunds, parcels = two
    items = list(refunds.evidence.values_list("pk", flat=True))
    for wrong in ([], items, [*items[:1], parcels.evidence.all()[0].pk]):
        with pytest.raises(PatternError):
            split(refunds.pk, evidence_ids=wrong, user=mara)
    new = split(refunds.pk, evidence_ids=items[:1], user=mara)
    assert _again(new).status == "candidate"
    assert _again(refunds).support == 3


def test_merging_splitting_mining_and_withdrawing_at_once_keep_the_counts_true(
    transactional_db: None, support: Agent, two: tuple[Pattern, Pattern], mara: User, pool: ThreadPoolExecutor
) -> None:
    refunds, parcels = two
    for number in range(12):
        for each in range(6):
            report(support, f"round {number} {each}", reason=(COMPLAINTS + PARCELS)[each])
        taken = Feedback.objects.filter(withdrawn_at=None).exclude(evidence=None).order_by("pk")[number * 2]
        some = list(refunds.evidence.order_by("pk").values_list("pk", flat=True)[:1])

        def regroup(number: int = number, some: list[int] = some) -> None:
            try:
                if number % 3 == 0:
                    merge(refunds.pk, other_id=parcels.pk, user=mara)
                elif number % 3 == 1:
                    part(parcels.pk, user=mara)
                else:
                    split(refunds.pk, evidence_ids=some, user=mara)
            except PatternError:
                return  # the one report chosen was withdrawn first

        together = Barrier(4)

        def at_once(deed: object, together: Barrier = together) -> None:
            together.wait(timeout=10)
            assert callable(deed)
            deed()

        deeds = [
            regroup,
            lambda: mine(support),
            lambda: mine(support),
            lambda: withdraw_feedback(taken.pk, actor=SYSTEM),  # noqa: B023
        ]
        for done in [pool.submit(at_once, deed) for deed in deeds]:
            done.result(timeout=30)
    mine(support)
    for pattern in Pattern.objects.all():
        _again(pattern)
    assert Evidence.objects.count() == Feedback.objects.filter(withdrawn_at=None).count()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads that close their database connection at the end."""
    with ThreadPoolExecutor(max_workers=4) as threads:
        yield threads
        everybody = Barrier(4)

        def leave() -> None:
            everybody.wait(timeout=10)
            connection.close()

        for done in [threads.submit(leave) for _ in range(4)]:
            done.result()


@pytest.mark.django_db
def test_what_was_left_out_comes_back_where_its_pattern_is_now(
    support: Agent, two: tuple[Pattern, Pattern], mara: User
) -> None:
    refunds, parcels = two
    left_out = Feedback.objects.filter(reason=PARCELS[0]).get()
    exclude(left_out, user=mara, reason="A test.")
    merge(refunds.pk, other_id=parcels.pk, user=mara)
    include(left_out, user=mara)
    found = Evidence.objects.get(feedback=left_out)
    assert (found.pattern_id, found.grouped_in_id) == (refunds.pk, parcels.pk)
    assert _again(refunds).support == 7
    made = exclude(left_out, user=mara, reason="A test after all.")
    assert made.patterns == [parcels.pk]
    part(parcels.pk, user=mara)
    include(left_out, user=mara)
    assert (_again(refunds).support, _again(parcels).support) == (4, 3)


@pytest.mark.django_db
def test_what_was_left_out_before_a_split_is_mined_again(
    support: Agent, two: tuple[Pattern, Pattern], mara: User
) -> None:
    refunds, parcels = two
    merge(refunds.pk, other_id=parcels.pk, user=mara)
    left_out = Feedback.objects.filter(reason=PARCELS[0]).get()
    exclude(left_out, user=mara, reason="A test.")
    chosen = Evidence.objects.filter(feedback__reason__in=PARCELS).values_list("pk", flat=True)
    new = split(refunds.pk, evidence_ids=list(chosen), user=mara)
    include(left_out, user=mara)
    assert not Evidence.objects.filter(feedback=left_out).exists()
    mine(support)
    assert Evidence.objects.get(feedback=left_out).pattern == new
    assert _again(new).support == 3


@pytest.mark.django_db
def test_a_pattern_is_not_merged_away_under_a_proposal_beside_the_one_that_answers_it(
    support: Agent, two: tuple[Pattern, Pattern], mara: User, aiko: User
) -> None:
    refunds, parcels = two
    drafted = draft(refunds.pk)
    assert isinstance(drafted, Proposal), drafted
    document = Document.objects.select_related("agent", "current").get(agent=support)
    text = f"{PROMPT}- Name the goods.\n"
    own = submit(
        document=document, base_number=1, text=text, title="Goods", rationale="x", user=aiko, pattern_id=refunds.pk
    )
    approve(drafted.pk, user=mara, digest=digest_of(drafted))
    with pytest.raises(PatternError, match="A proposal of the other pattern is open"):
        merge(parcels.pk, other_id=refunds.pk, user=mara)
    withdraw(own.pk, user=aiko)
    merge(parcels.pk, other_id=refunds.pk, user=mara)
