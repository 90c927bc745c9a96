"""What a pattern says about itself: how often, how bad, where, in whose words, and what is like it."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.models import Agent
from agents.versions import create_agent
from audit.record import SYSTEM
from feedback.actions.across import link_across
from feedback.actions.mining import mine
from feedback.actions.patterns import dismiss
from feedback.actions.regrouping import split
from feedback.actions.rollups import count_runs
from feedback.insight import Insight
from feedback.mining.reasons import fitted, shared, template_pieces
from feedback.mining.typical import stems_of, typical
from feedback.models import Feedback, Pattern, Run
from feedback.rates import by_chance, rate
from feedback.severity import Level, Said, severity
from feedback.why import why
from people.models import User
from tests.cast import COMPLAINTS, failure, report

pytestmark = pytest.mark.django_db
TIMEOUT = "TimeoutError: order_lookup timed out after {0} ms for order #{0}"


def _timeouts(agent: Agent, people: str = "abcd", tool: str = "order_lookup") -> Pattern:
    for number, who in enumerate(people):
        failure(agent, f"unit {who}", TIMEOUT.format(4000 + number))
    Run.objects.filter(agent=agent).update(tool=tool, version=3)
    mine(agent)
    return Pattern.objects.get(agent=agent, kind="error", status="open")


def test_the_rate_has_its_interval_over_the_runs_of_the_window(support: Agent) -> None:
    pattern = _timeouts(support)
    assert Insight(pattern).rate is None
    Run.objects.bulk_create(
        Run(agent=support, external_id=f"good {n}", digest=b"", source=b"", at=timezone.now(), success=True)
        for n in range(96)
    )
    Run.objects.filter(external_id="good 0").update(at=timezone.now() - timedelta(days=15))
    count_runs()
    found = Insight(pattern).rate
    assert found == rate(4, 99)
    assert found
    assert (round(found.low, 3), round(found.high, 3)) == (0.016, 0.099)


def test_the_interval_is_wilsons_and_stays_within_zero_and_one() -> None:
    known = rate(10, 100)
    assert known
    assert (round(known.low, 4), round(known.high, 4)) == (0.0552, 0.1744)
    assert rate(0, 0) is None
    for events, runs in ((0, 1), (1, 1), (5, 3), (0, 10**9)):
        found = rate(events, runs)
        assert found
        assert 0 <= found.low <= found.share <= found.high <= 1


def test_chance_is_poissons_tail_at_any_size() -> None:
    assert round(by_chance(3, 1000, 0.001), 4) == 0.0803
    assert by_chance(0, 10, 0.1) == 1
    assert by_chance(3, 0, 0.1) == 0
    assert by_chance(900, 1_000_000, 0.001) > 0.99
    assert by_chance(1200, 1_000_000, 0.001) < 1e-6


@pytest.mark.parametrize(
    ("reports", "level", "sources"),
    [
        ([Said(n, failed=True) for n in range(3)], Level.HIGH, 3),
        ([Said(n, reason_code="style") for n in range(3)], Level.LOW, 3),
        ([Said(n, reason_code="style") for n in range(7)] + [Said(9, reason_code="wrong")], Level.LOW, 8),
        ([Said(n, reason_code="style") for n in range(6)] + [Said(n, failed=True) for n in "ab"], Level.HIGH, 2),
        ([Said(n, rating="negative") for n in range(40)] + [Said(n, reason_code="unsafe") for n in "ab"], Level(4), 2),
        ([Said(1, reason_code="unsafe")] * 9 + [Said(n, rating="negative") for n in range(2, 9)], Level.MEDIUM, 8),
        ([Said(n, rating="negative", signals=["task_completed=false"]) for n in range(2)], Level.HIGH, 2),
        ([Said(n, signals=["regenerated"]) for n in range(2)], Level.LOW, 2),
        ([Said(n, rating="positive") for n in range(5)], Level.NONE, 0),
        ([], Level.NONE, 0),
    ],
)  # fmt: skip
def test_severity_is_what_a_quarter_of_the_sources_reached(reports: list[Said], level: Level, sources: int) -> None:
    found = severity(reports)
    assert (found.level, found.sources) == (level, sources)


def test_tools_versions_and_severity_come_from_the_runs(support: Agent) -> None:
    insight = Insight(_timeouts(support))
    assert insight.places.tools == [("order_lookup", 4)]
    assert insight.places.main == ("tool", "order_lookup")
    assert insight.versions == [(3, 4)]
    assert (insight.severity.level, insight.severity.mostly) == (Level.HIGH, "failed runs")


def test_tools_of_feedback_are_those_of_the_runs_behind_it_also_late_ones(
    support: Agent, complaints: list[Feedback]
) -> None:
    mine(support)
    pattern = Pattern.objects.shown().get()
    assert Insight(pattern).places.main is None
    for item in complaints[:2]:
        run = failure(support, "x", "")
        Run.objects.filter(pk=run.pk).update(task="refunds")
        Feedback.objects.filter(pk=item.pk).update(run_id=run.external_id)
    assert Insight(pattern).places.tasks == [("refunds", 2)]


def test_signals_weigh_by_source_and_never_count_as_reports(support: Agent, settings: Settings) -> None:
    settings.COUNTERSIGN_SIGNAL_WEIGHTS = {"retried": 0.0, "copied=false": 0.1}
    pattern = _timeouts(support)
    run = failure(support, "y", "")
    Run.objects.filter(pk=run.pk).update(tool="order_lookup", success=True)
    elsewhere = failure(support, "y", "")
    sent: list[tuple[str, dict[str, bool], str]] = [
        ("one", {"regenerated": True, "abandoned": True}, run.external_id),
        ("one", {"regenerated": True}, run.external_id),
        ("two", {"task_completed": True, "copied": False}, run.external_id),
        ("three", {"retried": True}, run.external_id),
        ("four", {"abandoned": True}, elsewhere.external_id),
        ("unit a", {"abandoned": True}, run.external_id),
    ]
    for who, signals, run_id in sent:
        report(support, who, rating="", signals=signals, run_id=run_id)
    report(support, "five", rating="negative", signals={"abandoned": True}, run_id=run.external_id)
    mine(support)
    found = Insight(pattern).hints
    assert found
    assert (found.weight, found.sources) == (0.6, 2)
    assert dict(found.observed) == {"answer regenerated": 1, "run abandoned": 1, "copied: no": 1}
    pattern.refresh_from_db()
    assert (pattern.support, pattern.sources) == (4, 4)


def test_the_typical_report_is_most_like_the_others_and_the_odd_one_is_told_apart(
    support: Agent, complaints: list[Feedback]
) -> None:
    report(support, "odd", reason="refund deadline for digital courses: also my neighbour's cat, the weather, Tuesday")
    mine(support)
    found = Insight(Pattern.objects.shown().get()).examples
    assert found
    assert found.medoid.feedback in complaints
    assert found.different[0].source == report(support, "odd").source


def test_of_texts_without_words_none_is_typical() -> None:
    assert typical(["", "…", "12"]) is None
    assert typical(["refund", "refund"]) == type(typical(["refund"]))(0, ())  # type: ignore[misc]


def test_the_same_error_of_another_agent_is_shown_and_a_dismissed_one_of_its_own(support: Agent, mara: User) -> None:
    coding = create_agent("coding", name="Coding agent", actor=SYSTEM)
    here, there = _timeouts(support), _timeouts(coding)
    assert Insight(here).related.elsewhere == [there]
    assert not Insight(here).related.closed
    for number in range(3):
        report(support, f"person {number}", reason=COMPLAINTS[number])
        report(coding, f"person {number}", reason=COMPLAINTS[number])
        report(coding, f"person {number}", reason="the parcel arrived broken, its box was open")
    mine(support)
    mine(coding)
    link_across()
    words = Pattern.objects.get(agent=support, kind="complaint")
    assert [str(other) for other in Insight(words).related.elsewhere] == [words.label]
    dismiss(words.pk, user=mara, dismissed_as="noise", reason="Old shop.")
    same = Pattern.objects.get(agent=coding, label=words.label)
    assert not Insight(same).related.elsewhere
    assert not Insight(same).related.closed


def test_why_an_error_is_there_shows_what_varies(support: Agent) -> None:
    pattern = _timeouts(support)
    found = why(pattern, pattern.evidence.select_related("run").earliest("pk"))
    assert [piece.text for piece in found.template if piece.is_marked]
    marked = [piece.text for piece in found.pieces if piece.is_marked]
    assert "timed" in marked
    assert "4000" not in marked
    assert found.evidence.similarity == 1


def test_why_a_text_is_there_shows_the_words_it_shares_and_the_threshold(
    support: Agent, complaints: list[Feedback]
) -> None:
    mine(support)
    pattern = Pattern.objects.shown().get()
    found = why(pattern, pattern.evidence.select_related("feedback").order_by("pk")[1])
    words = dict(found.words)
    assert words["refund"] == words["deadline"] == 3
    assert "again" not in words
    assert found.evidence.similarity
    assert found.evidence.threshold
    assert found.evidence.similarity >= found.evidence.threshold > 0
    assert not found.is_by_hand


def test_pieces_put_together_are_the_text() -> None:
    text = "Naïve <b>Refund</b>\n of #12, 数字 refunds!"
    for pieces in (shared(text, {"refund": 2}), fitted(text, "refund <*> of")):
        assert "".join(piece.text for piece in pieces) == text
    assert [piece.text for piece in shared(text, {"refund": 2}) if piece.is_marked] == ["Refund", "refunds"]
    assert [piece.text for piece in template_pieces("<*> a <*>")] == ["varies", " a ", "varies"]
    assert stems_of("The refunds of 12 orders") == {"refund", "ord"}


def test_why_a_correction_is_there_shows_what_it_changes(support: Agent) -> None:
    for number in range(3):
        told, right = f"Order {number}: refunds within 30 days, sorry.", f"Order {number}: refunds within 14 days."
        report(support, f"person {number}", output=told, correction=right)
    mine(support)
    pattern = Pattern.objects.shown().get()
    found = why(pattern, pattern.evidence.select_related("feedback").earliest("pk"))
    assert found.changes == [("30", "14", 2), ("sorry", "", 2)]


def test_what_a_person_split_off_has_no_similarity_of_the_miners(
    support: Agent, mara: User, complaints: list[Feedback]
) -> None:
    mine(support)
    pattern = Pattern.objects.shown().get()
    chosen = pattern.evidence.latest("pk")
    new = split(pattern.pk, evidence_ids=[chosen.pk], user=mara, label="Something else")
    assert why(new, new.evidence.select_related("feedback").get()).is_by_hand
