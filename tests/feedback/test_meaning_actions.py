"""Mining by meaning: paraphrases find each other, people's word is heeded, and without the model words do."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle

import pytest
from pytest_django import Settings

from agents.models import Agent
from audit.models import AuditEntry
from audit.record import SYSTEM
from feedback.actions import consolidation, meaning, mining
from feedback.actions.exclusion import exclude, include
from feedback.actions.mining import mine, waiting_agents
from feedback.actions.regrouping import split
from feedback.actions.withdraw import withdraw_feedback
from feedback.mining import TextGrouper
from feedback.models import Evidence, Feedback, Pattern, PatternSource, TextPoint
from people.models import User
from reviewapp import health
from tests.cast import failure, report

pytestmark = pytest.mark.django_db

MONEY = [
    "How do I get a refund?",
    "Can I have my money back?",
    "I want my money back, I need a refund",
    "please refund my order",
    "give me a refund for what I bought",
]
WEATHER = [
    "will it rain tomorrow",
    "is it going to rain tomorrow",
    "does the forecast say rain for tomorrow",
    "is rain expected tomorrow",
]


@pytest.fixture(autouse=True)
def by_meaning(settings: Settings) -> None:
    settings.COUNTERSIGN_MEANING = True


def _say(agent: Agent, texts: list[str]) -> list[Feedback]:
    first = Feedback.objects.count()
    return [report(agent, f"person {first + number}", reason=text) for number, text in enumerate(texts)]


def _patterns(agent: Agent) -> list[list[str]]:
    """The texts of each pattern that is shown, its counts found true."""
    found = []
    for pattern in Pattern.objects.filter(agent=agent).order_by("pk"):
        texts = sorted(pattern.evidence.values_list("feedback__reason", flat=True))
        assert pattern.support == len(texts)
        assert pattern.sources == PatternSource.objects.filter(pattern=pattern).count()
        if pattern.status == Pattern.Status.OPEN:
            found.append(texts)
    return sorted(found)


def test_paraphrases_are_one_pattern(support: Agent) -> None:
    _say(support, [text for pair in zip(MONEY, WEATHER, strict=False) for text in pair])
    mine(support)
    assert _patterns(support) == sorted([sorted(MONEY[:4]), sorted(WEATHER)])
    assert TextPoint.objects.count() == 8


def _all_kinds(agent: Agent) -> None:
    """Paraphrases, one-off texts, corrections, praise, wrong labels and errors, all mixed."""
    texts = [text for pair in zip(MONEY, WEATHER, strict=False) for text in pair] + MONEY[4:]
    for number, text in enumerate(texts):
        report(agent, f"p{number}", reason=text)
        report(agent, f"p{number}", rating="positive", reason=f"thanks for the {text}")
        report(agent, f"p{number}", output="You have 30 days.", correction=f"You have {10 + number % 3} days.")
        report(agent, f"p{number}", predicted="billing", expected=("refund", "card")[number % 2])
        failure(agent, f"u{number}", f"Quota of {('ann', 'bob', 'eve', 'mia', 'tom')[number % 5]} exceeded in step 7")


def _state(agent: Agent) -> list[tuple[str, str, int, list[str]]]:
    """Kind, status, sources and reports of each pattern, whatever its key."""
    found = []
    for pattern in Pattern.objects.filter(agent=agent).exclude(status="merged"):
        ids = [evidence.report.external_id.split("-", 1)[1] for evidence in pattern.evidence.all()]
        found.append((pattern.kind, pattern.status, pattern.sources, sorted(ids)))
    return sorted(found)


def _mine_killed(agent: Agent, monkeypatch: pytest.MonkeyPatch, dies: Iterator[bool]) -> None:
    """Mine to the end, by workers that die again and again, before or after they have counted a batch."""
    real = mining.counting.add

    def killed(linked: list[Evidence]) -> None:
        if next(dies):
            raise KeyboardInterrupt
        real(linked)
        if next(dies):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(mining.counting, "add", killed)
        while agent in waiting_agents():
            with suppress(KeyboardInterrupt):
                mine(agent)


@pytest.mark.parametrize(("by_meaning", "most"), [(True, (3, 2)), (False, (20_000, 20_000))])
def test_batches_and_killed_workers_change_nothing(
    support: Agent, settings: Settings, monkeypatch: pytest.MonkeyPatch, by_meaning: bool, most: tuple[int, int]
) -> None:
    settings.COUNTERSIGN_MEANING = by_meaning
    monkeypatch.setattr(meaning, "grouper", lambda: TextGrouper(by_meaning=most, by_words=most))
    _all_kinds(support)
    mine(support)
    whole = _state(support)
    assert {kind for kind, status, *_ in whole if status == "open"} >= {"error", "mislabel", "complaint"}
    for size in (1, 7):
        other = Agent.objects.create(slug=f"other-{size}", name="Other")
        _all_kinds(other)
        settings.COUNTERSIGN_MINE_BATCH = size
        _mine_killed(other, monkeypatch, cycle((False, True, False, False, True)))
        assert _state(other) == whole, size


def test_what_is_withdrawn_or_excluded_leaves_and_can_come_back(support: Agent, mara: User) -> None:
    first, second, *_ = _say(support, MONEY[:2])
    mine(support)
    exclude(first, user=mara, reason="a test")
    _say(support, MONEY[2:])
    mine(support)
    withdraw_feedback(second.pk, actor=SYSTEM)
    include(first, user=mara)
    mine(support)
    assert _patterns(support) == [sorted([MONEY[0], *MONEY[2:]])]


def test_the_night_puts_right_what_came_too_early_and_keeps_numbers(support: Agent) -> None:
    _say(support, WEATHER + MONEY)
    mine(support)
    weather, money = Pattern.objects.shown().order_by("pk")
    stray = weather.evidence.order_by("pk").first()
    Evidence.objects.filter(pk=stray.pk).update(pattern=money)
    before = set(Pattern.objects.shown().values_list("pk", flat=True))
    assert consolidation.consolidate(support) == 1
    assert set(Pattern.objects.shown().values_list("pk", flat=True)) == before
    assert _patterns(support) == sorted([sorted(MONEY), sorted(WEATHER)])
    assert consolidation.consolidate(support) == 0


def test_of_two_patterns_that_are_one_the_larger_goes_on(support: Agent) -> None:
    _say(support, MONEY)
    mine(support)
    whole = Pattern.objects.shown().get()
    other = Pattern.objects.create(agent=support, kind="complaint", status=Pattern.Status.OPEN, label="Twin")
    Evidence.objects.filter(pk__in=list(whole.evidence.values_list("pk", flat=True)[:2])).update(pattern=other)
    consolidation.consolidate(support)
    other.refresh_from_db()
    assert (other.status, other.merged_into, other.support) == ("merged", whole, 0)
    assert _patterns(support) == [sorted(MONEY)]
    assert AuditEntry.objects.filter(verb="pattern.merged", actor_kind="system").count() == 1
    _say(support, ["refund please, I want my money"])
    mine(support)
    assert Pattern.objects.shown().get().support == 6


def test_what_people_split_stays_split(support: Agent, mara: User) -> None:
    _say(support, MONEY)
    mine(support)
    pattern = Pattern.objects.shown().get()
    new = split(pattern.pk, evidence_ids=list(pattern.evidence.values_list("pk", flat=True)[:2]), user=mara)
    _say(support, ["I would like a refund of my money"])
    mine(support)
    consolidation.consolidate(support)
    assert sum(Pattern.objects.filter(pk__in=[pattern.pk, new.pk]).values_list("support", flat=True)) == 6
    assert new.evidence.count() >= 2


def test_patterns_from_before_the_model_go_on_with_it(support: Agent, settings: Settings) -> None:
    settings.COUNTERSIGN_MEANING = False
    _say(support, ["refund my money"] * 3)
    mine(support)
    pattern = Pattern.objects.shown().get()
    settings.COUNTERSIGN_MEANING = True
    consolidation.consolidate(support)
    _say(support, MONEY)
    mine(support)
    assert Pattern.objects.shown().get() == pattern
    assert pattern.evidence.count() >= 6
    settings.COUNTERSIGN_MEANING = False
    _say(support, ["refund my money"])
    mine(support)
    assert pattern.evidence.filter(feedback__reason="refund my money").count() == 4


def test_without_the_model_words_do_and_the_board_says_so(support: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    _say(support, MONEY[:1])
    mine(support)
    monkeypatch.setattr("feedback.mining.meaning._PACKAGE", "no_such_package")
    meaning.model.cache_clear()
    _say(support, ["the refund deadline is wrong"] * 3)
    mine(support)
    assert _patterns(support) == [["the refund deadline is wrong"] * 3]
    assert TextPoint.objects.count() == 1
    assert health.degraded()[0] == (
        "The sentence model is missing (no_such_package): what people write is grouped by its words alone."
    )
    monkeypatch.undo()
    assert meaning.missing() == ""
