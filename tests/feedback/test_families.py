"""Errors that differ in words alone are one pattern, which keeps its identity and what people said of it."""

import pytest
from django.test import override_settings

from agents.models import Agent
from audit.models import AuditEntry
from feedback.actions.mining import Tally, mine, mine_batch, waiting_agents
from feedback.actions.patterns import dismiss
from feedback.actions.regrouping import part
from feedback.models import Evidence, Pattern, PatternDay, PatternSource, Run
from people.models import User
from tests.cast import failure

pytestmark = pytest.mark.django_db
USERS = ["ann", "bob", "carla", "dora", "emil"]
ERRORS = [f"PermissionError: export of {user} was refused by the vault" for user in USERS]
OTHERS = ["KeyError: 'order_id'", "PermissionError: export of the vault was refused", "TimeoutError: vault is away"]


def _fail(agent: Agent, *errors: str) -> None:
    for number, error in enumerate(errors, start=Run.objects.count()):
        failure(agent, f"unit {number}", error)


def _shown() -> Pattern:
    """The only pattern that is shown, its counts found true."""
    pattern = Pattern.objects.shown().get()
    assert pattern.support == pattern.evidence.count()
    for rollup in (PatternDay, PatternSource):
        counts = rollup.objects.values_list("pattern", "items")
        assert sum(items for key, items in counts if key == pattern.pk) == pattern.support
    return pattern


def test_errors_that_differ_in_a_word_are_one_pattern_named_by_what_they_share(support: Agent) -> None:
    _fail(support, *ERRORS, *OTHERS)
    mine(support)
    pattern = _shown()
    assert (pattern.support, pattern.sources) == (5, 5)
    assert pattern.label == "PermissionError: export of … was refused by the vault"
    assert not AuditEntry.objects.filter(verb="pattern.merged").exists()


def test_a_new_word_joins_the_pattern_that_is_there(support: Agent) -> None:
    _fail(support, *ERRORS)
    mine(support)
    pattern = _shown()
    _fail(support, ERRORS[0].replace("ann", "zoe"), ERRORS[0])
    mine(support)
    assert _shown() == pattern
    assert _shown().support == 7


def test_the_pattern_that_people_know_takes_the_others_in(support: Agent) -> None:
    _fail(support, *ERRORS[:3])
    for number in range(3):
        failure(support, f"unit {number}", ERRORS[3])
    mine(support)
    known = _shown()
    _fail(support, ERRORS[4])
    mine(support)
    assert _shown() == known
    assert _shown().support == 7


def test_two_patterns_that_turn_out_to_be_one_are_merged_on_the_record(support: Agent) -> None:
    for number in range(3):
        failure(support, f"unit {number}", ERRORS[0])
        failure(support, f"unit {number}", ERRORS[1])
    mine(support)
    one, other = Pattern.objects.shown().order_by("pk")
    _fail(support, *ERRORS[2:])
    mine(support)
    assert _shown() == one
    entry = AuditEntry.objects.get(verb="pattern.merged")
    assert (entry.actor_kind, entry.target_id) == ("system", str(other.pk))
    assert f'"merged_into":{one.pk}' in entry.body


def test_what_was_dismissed_takes_in_what_nobody_saw_and_hides_nothing_else(support: Agent, mara: User) -> None:
    for number in range(3):
        failure(support, f"unit {number}", ERRORS[0])
        failure(support, f"unit {number}", ERRORS[1])
    mine(support)
    dismissed, seen = Pattern.objects.shown().order_by("pk")
    dismiss(dismissed.pk, user=mara, dismissed_as="not_a_problem", reason="by design")
    _fail(support, *ERRORS[2:])
    mine(support)
    seen.refresh_from_db()
    assert (seen.status, seen.support) == ("open", 6)
    dismiss(seen.pk, user=mara, dismissed_as="not_a_problem", reason="by design")
    for number in range(3):
        failure(support, f"unit {number}", ERRORS[0].replace("ann", "zoe"))
    mine(support)
    assert not Pattern.objects.shown().filter(status="open").exists()


def test_what_a_person_took_out_stays_out(support: Agent, mara: User) -> None:
    _fail(support, *ERRORS)
    mine(support)
    taken = part(Pattern.objects.filter(merged_into=_shown()).first().pk, user=mara)
    _fail(support, *(error.replace("export", "import") for error in ERRORS), ERRORS[0].replace("ann", "zoe"))
    mine(support)
    taken.refresh_from_db()
    assert (taken.status, taken.support) == ("candidate", 1)


def test_errors_that_wait_to_be_compared_are_found_after_a_crash(support: Agent) -> None:
    _fail(support, *ERRORS)
    assert mine_batch(support.pk, Tally())  # and the miner dies
    assert waiting_agents() == [support]
    mine(support)
    assert _shown().support == 5
    assert waiting_agents() == []


def test_the_patterns_are_the_same_however_the_stream_is_cut(support: Agent) -> None:
    errors = [ERRORS[0], OTHERS[0], *ERRORS[1:4], OTHERS[1], ERRORS[4], OTHERS[2], *ERRORS]
    found = []
    for size in (1, 4, 500):
        agent = Agent.objects.create(slug=f"agent-{size}", name="Agent")
        _fail(agent, *errors)
        with override_settings(COUNTERSIGN_MINE_BATCH=size):
            while mine_batch(agent.pk, Tally()):
                if size == 1:
                    mine(agent)
            mine(agent)
        rows = Evidence.objects.filter(pattern__agent=agent).order_by("run").values_list("pattern", flat=True)
        names = {pk: number for number, pk in enumerate(dict.fromkeys(rows))}
        found.append([names[pk] for pk in rows])
    assert found[0] == found[1] == found[2]
    assert max(found[0]) == 3
