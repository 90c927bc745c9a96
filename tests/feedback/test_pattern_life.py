"""What becomes of patterns by themselves: opened, resolved, back again, and silent beside a dismissed one."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.models import Agent, Document
from audit.models import AuditEntry
from feedback.actions.lifecycle import resolve_quiet
from feedback.actions.mining import mine
from feedback.actions.patterns import dismiss, rename, reopen
from feedback.exceptions import PatternError
from feedback.models import Feedback, Pattern
from people.models import User
from proposals.actions.decisions import approve
from proposals.actions.drafting import draft
from proposals.actions.proposals import submit
from proposals.actions.rollbacks import roll_back
from proposals.models import Proposal
from tests.cast import COMPLAINTS, digest_of, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def watched(support: Agent, prompt: Document, complaints: list[Feedback], aiko: User, mara: User) -> Pattern:
    """A pattern that version 2 answers, since 20 days."""
    mine(support)
    pattern = Pattern.objects.shown().get()
    made = _written(prompt, aiko, pattern)
    approve(made.pk, user=mara, digest=digest_of(made))
    pattern.refresh_from_db()
    assert pattern.answered_by
    assert (pattern.status, pattern.answered_by.number) == ("watching", 2)
    Pattern.objects.update(answered_at=timezone.now() - timedelta(days=20))
    Feedback.objects.update(at=timezone.now() - timedelta(days=25))
    pattern.evidence.update(at=timezone.now() - timedelta(days=25))
    pattern.refresh_from_db()
    return pattern


def _written(prompt: Document, author: User, pattern: Pattern) -> Proposal:
    """A person's own answer to a pattern."""
    document = Document.objects.select_related("agent", "current").get(pk=prompt.pk)
    assert document.current
    return submit(
        document=document,
        base_number=document.current.number,
        text=document.current.text + "- Digital courses: 14 days.\n",
        title="Say the deadline of courses",
        rationale="People are told the wrong one.",
        user=author,
        pattern_id=pattern.pk,
    )


def _again(support: Agent, count: int, days: int, **fields: object) -> None:
    for number in range(count):
        at = timezone.now() - timedelta(days=days)
        report(support, f"again {number}", reason=COMPLAINTS[number % 4], at=at, **fields)
    mine(support)


def _verbs() -> list[str]:
    return list(AuditEntry.objects.filter(target_kind="pattern").order_by("pk").values_list("verb", flat=True))


def test_what_recurs_for_the_first_time_is_on_the_log_once(support: Agent, complaints: list[Feedback]) -> None:
    mine(support)
    report(support, "late", reason=COMPLAINTS[0])
    mine(support)
    assert _verbs() == ["pattern.opened"]


def test_an_own_change_carries_the_evidence_of_its_pattern(
    support: Agent, prompt: Document, complaints: list[Feedback], aiko: User
) -> None:
    mine(support)
    pattern = Pattern.objects.shown().get()
    made = _written(prompt, aiko, pattern)
    pattern.refresh_from_db()
    assert (made.origin, made.pattern, made.evidence_sources) == ("person", pattern, 4)
    assert made.evidence.count() == 4
    assert (pattern.status, pattern.draft_due_at) == ("proposed", None)
    assert draft(pattern.pk) == f"Proposal {made.pk} is open."


def test_a_quiet_pattern_is_resolved_once(watched: Pattern) -> None:
    assert resolve_quiet() == 1
    assert resolve_quiet() == 0
    watched.refresh_from_db()
    assert watched.status == "resolved"
    assert _verbs()[-1] == "pattern.resolved"


def test_a_pattern_is_watched_as_long_as_something_new_comes(watched: Pattern, support: Agent) -> None:
    _again(support, 1, days=3)
    assert resolve_quiet() == 0


def test_reports_about_the_version_before_do_not_keep_it_watched(watched: Pattern, support: Agent) -> None:
    _again(support, 4, days=3, version=1)
    assert resolve_quiet() == 1


def test_the_days_until_resolved_are_a_setting(watched: Pattern, settings: Settings) -> None:
    settings.COUNTERSIGN_RESOLVED_AFTER_DAYS = 21
    assert resolve_quiet() == 0


@pytest.mark.parametrize("is_resolved", [False, True])
def test_what_comes_back_opens_again_and_may_be_drafted(watched: Pattern, support: Agent, is_resolved: bool) -> None:
    if is_resolved:
        resolve_quiet()
    _again(support, 2, days=17)
    watched.refresh_from_db()
    assert watched.status in Pattern.ANSWERED
    _again(support, 3, days=17)
    watched.refresh_from_db()
    assert (watched.status, watched.back_after_days) == ("open", 3)
    assert watched.draft_due_at is not None
    assert _verbs()[-1] == "pattern.came_back"
    drafted = draft(watched.pk)
    assert isinstance(drafted, Proposal) or "new sources" not in drafted


def test_reports_about_older_versions_bring_nothing_back(watched: Pattern, support: Agent) -> None:
    _again(support, 4, days=2, version=1)
    watched.refresh_from_db()
    assert watched.status == "watching"
    _again(support, 4, days=2, version=2)
    watched.refresh_from_db()
    assert watched.status == "open"


def test_with_several_documents_a_number_without_a_document_says_nothing(watched: Pattern, support: Agent) -> None:
    Document.objects.create(agent=support, slug="settings", name="Settings", kind="prompt")
    _again(support, 4, days=2, version=1)
    watched.refresh_from_db()
    assert watched.status == "open"


def test_one_loud_person_brings_nothing_back(watched: Pattern, support: Agent) -> None:
    for text in COMPLAINTS:
        report(support, "loud", reason=text)
    mine(support)
    watched.refresh_from_db()
    assert watched.status == "watching"


def test_rolling_back_the_answer_opens_a_resolved_pattern(watched: Pattern, prompt: Document, aiko: User) -> None:
    resolve_quiet()
    roll_back(prompt.pk, user=aiko, to_number=1, current_number=2, reason="Worse.")
    watched.refresh_from_db()
    assert (watched.status, watched.answered_by, watched.answered_at) == ("open", None, None)


def test_reports_like_a_dismissed_pattern_never_open_another(
    support: Agent, complaints: list[Feedback], mara: User
) -> None:
    mine(support)
    pattern = Pattern.objects.shown().get()
    # One candidate was begun before: far enough from the pattern as it stood, near to what comes later.
    other = Pattern.objects.create(agent=support, kind="complaint", centroid=pattern.centroid, grouped=4)
    Pattern.objects.filter(pk=pattern.pk).update(centroid=_faded(bytes(pattern.centroid)))
    dismiss(pattern.pk, user=mara, dismissed_as="not_a_problem", reason="The shop is right.")
    for number in range(4):
        report(support, f"more {number}", reason=COMPLAINTS[number])
    mine(support)
    pattern.refresh_from_db()
    other.refresh_from_db()
    assert pattern.support + other.support == 8
    assert other.support >= 3
    assert (other.status, other.dismissed_as, other.duplicate_of) == ("dismissed", "alike", pattern)
    assert not Pattern.objects.shown().exclude(status="dismissed").exists()
    reopen(pattern.pk, user=mara)
    other.refresh_from_db()
    assert (other.status, other.dismissed_reason) == ("open", "")


def _faded(centroid: bytes) -> bytes:
    """The same direction but for some numbers, so that the one it was taken from is nearer."""
    return centroid[: len(centroid) // 2] + bytes(len(centroid) - len(centroid) // 2)


def test_a_dismissed_pattern_counts_on_and_keeps_other_things_apart(
    support: Agent, complaints: list[Feedback], mara: User
) -> None:
    mine(support)
    pattern = Pattern.objects.shown().get()
    dismiss(pattern.pk, user=mara, dismissed_as="noise", reason="Test traffic.")
    for number in range(4):
        report(support, f"more {number}", reason=COMPLAINTS[number])
        report(support, f"else {number}", reason="the parcel arrived broken and the box was open")
    mine(support)
    pattern.refresh_from_db()
    assert (pattern.status, pattern.support, pattern.draft_due_at) == ("dismissed", 8, None)
    assert Pattern.objects.get(status="open").support == 4


def test_a_duplicate_names_its_original(support: Agent, complaints: list[Feedback], mara: User) -> None:
    mine(support)
    pattern = Pattern.objects.shown().get()
    for wrong in (None, pattern.pk, 999_999):
        with pytest.raises(PatternError, match="duplicate of"):
            dismiss(pattern.pk, user=mara, dismissed_as="duplicate", reason="Same.", duplicate_of=wrong)
    with pytest.raises(PatternError, match="Choose what is wrong"):
        dismiss(pattern.pk, user=mara, dismissed_as="alike", reason="Only the miner says so.")


def test_a_label_given_by_hand_is_kept(support: Agent, complaints: list[Feedback], mara: User, luis: User) -> None:
    mine(support)
    pattern = Pattern.objects.shown().get()
    with pytest.raises(PatternError):
        rename(pattern.pk, user=luis, label="Mine")
    with pytest.raises(PatternError):
        rename(pattern.pk, user=mara, label="Deadline\u202e of courses")
    rename(pattern.pk, user=mara, label="  Deadline of  courses ")
    _again(support, 6, days=0)
    pattern.refresh_from_db()
    assert pattern.label == "Deadline of courses"
    entry = AuditEntry.objects.get(verb="pattern.renamed")
    assert (entry.fact["before"], entry.fact["after"]) == (
        {"by_hand": False},
        {"by_hand": True, "label": "Deadline of courses"},
    )
    rename(pattern.pk, user=mara, label="")
    pattern.refresh_from_db()
    assert "refund" in pattern.label.lower()
    assert not pattern.is_named_by_hand
