"""Small changes of settings start their canary by themselves where that is allowed, and go no further."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from agents import freezing, keys
from agents.models import Agent, Document, Release
from audit.models import AuditEntry
from audit.record import SYSTEM, Actor
from audit.wording import in_words
from feedback.actions.mining import mine
from feedback.models import Pattern
from feedback.tasks import resolve_quiet
from people.models import User
from proposals import tasks
from proposals.actions import comments, rollbacks, steering
from proposals.actions.comments import Spot
from proposals.actions.decisions import approve, reject, request_changes
from proposals.actions.drafting import draft as draft_from
from proposals.actions.proposals import amend, submit
from proposals.actions.rollouts import BY_ITSELF, By, State, end
from proposals.actions.safe_rules import remove_rules, set_rules
from proposals.actions.self_starts import Started, settle_all_undone, start_all, start_by_itself
from proposals.exceptions import Invalid, NotAllowed, NotPending
from proposals.models import Proposal, Rollout, SafeRules, SelfStart, Thread
from proposals.queue import waiting_for
from proposals.safe import Rules
from tests.cast import digest_of, failure, propose
from tests.rollouts import fresh, report_runs, to_the_gate, watch
from tests.safe import RULES, SETTINGS, busy, draft, rollout_of, settings_of, status_of


@pytest.fixture
def config(support: Agent, ada: User) -> Document:
    return settings_of(support, ada)


@pytest.fixture
def started(config: Document) -> Proposal:
    made = draft(config)
    assert isinstance(start_by_itself(made.pk), Started)
    return Proposal.objects.for_page().get(pk=made.pk)


def why(proposal: Proposal) -> str:
    """Why it did not start; nothing may have happened."""
    said = start_by_itself(proposal.pk)
    assert isinstance(said, str), said
    assert not Rollout.objects.filter(proposal=proposal).exists()
    return said


def current(document: Document) -> int:
    found = Document.objects.select_related("current").get(pk=document.pk).current
    assert found is not None
    return found.number


def test_it_starts_a_canary_by_the_plan_and_waits_to_be_confirmed(started: Proposal, mara: User) -> None:
    rollout = rollout_of(started)
    assert (rollout.state, rollout.share, rollout.started_by) == (State.RUNNING, 10, None)
    assert (started.status, started.published, current(started.document)) == ("in_effect", rollout.candidate, 1)
    assert started.pk in waiting_for(mara)
    entry = AuditEntry.objects.get(verb="proposal.started_itself")
    assert entry.actor_label == "Countersign"
    assert in_words(entry).details == (
        "revision 1",
        "as the candidate version 2",
        "timeout_s from 30 to 45",
        "under the rule retry (at most ×2)",
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        SelfStart.objects.update(key="other")


def test_a_real_draft_from_real_errors_starts(support: Agent, config: Document) -> None:
    for number in range(6):
        failure(support, f"unit {number}", "search timed out after 30 s", error_type="timeout")
    mine(support)
    made = draft_from(Pattern.objects.shown().get().pk)
    assert isinstance(made, Proposal)
    assert made.document == config
    assert start_all() == 1
    assert rollout_of(made).candidate.text == SETTINGS.replace("timeout_s: 30", "timeout_s: 60")
    pattern = Pattern.objects.get(proposals=made)
    assert (pattern.status, pattern.answered_by) == ("watching", rollout_of(made).candidate)


def test_off_is_the_default(support: Agent, ada: User) -> None:
    config = settings_of(support, ada)
    remove_rules(config, user=ada)
    made = draft(config)
    assert start_all() == 0
    assert why(made) == "Nothing of this document starts by itself."
    assert [entry.verb for entry in AuditEntry.objects.filter(verb__startswith="safe_rules").order_by("pk")] == [
        "safe_rules.set",
        "safe_rules.removed",
    ]


def test_only_admins_turn_it_on_and_only_for_settings(
    config: Document, prompt: Document, aiko: User, mara: User, ada: User
) -> None:
    for person in (aiko, mara):
        with pytest.raises(NotAllowed):
            set_rules(config, user=person, rules=RULES)
        with pytest.raises(NotAllowed):
            remove_rules(config, user=person)
    with pytest.raises(Invalid, match="Only settings"):
        set_rules(prompt, user=ada, rules=RULES)
    entries = AuditEntry.objects.filter(verb="safe_rules.set").count()
    set_rules(config, user=ada, rules=RULES)
    assert AuditEntry.objects.filter(verb="safe_rules.set").count() == entries, "saving the same again is no change"


def test_instructions_never_start_even_where_a_row_says_so(prompt: Document) -> None:
    SafeRules.objects.create(document=prompt, kept=RULES.to_json())
    made = draft(prompt, "30 days", "31 days")
    assert why(made) == "Nothing of this document starts by itself."


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("greeting: Hello", "greeting: Hi", "Nothing says what kind"),
        ("timeout_s: 30", "timeout_s: 300", "more than ×2"),
        ("min_confidence: 0.6", "min_confidence: 0.65", "Nothing about threshold"),
    ],
)
def test_what_does_not_fit_waits_for_a_person(config: Document, old: str, new: str, said: str) -> None:
    assert said in why(draft(config, old, new))


def test_what_a_person_wrote_or_asked_for_waits(config: Document, aiko: User, mara: User, ada: User) -> None:
    assert "A person" in why(propose(config, aiko, "timeout_s: 30", "timeout_s: 31"))
    assert "A person" in why(draft(config, new="timeout_s: 32", requested_by=mara))
    amended = draft(config, new="timeout_s: 33")
    text = SETTINGS.replace("timeout_s: 30", "timeout_s: 34")
    amend(amended.pk, user=aiko, text=text, note="", digest=digest_of(amended))
    assert "A person" in why(amended)


def test_what_people_are_at_waits(config: Document, aiko: User, mara: User) -> None:
    sent_back, talked_of = draft(config), draft(config, new="timeout_s: 46")
    request_changes(sent_back.pk, user=mara, digest=digest_of(sent_back), note="Less.")
    assert why(sent_back) == "It is changes requested."
    spot = Spot(1, Thread.Side.NEW, 2, 2)
    comments.open_thread(talked_of.pk, user=aiko, spot=spot, text="Really?")
    assert why(talked_of) == "People are at it already."


def test_agents_take_part_only_where_the_rules_say_so(config: Document, support: Agent, ada: User, mara: User) -> None:
    key = keys.create(support, ["propose"], owner=mara, actor=SYSTEM)[0]
    text = SETTINGS.replace("retries: 2", "retries: 3")
    config = Document.objects.select_related("agent", "current").get(pk=config.pk)
    made = submit(document=config, base_number=1, text=text, title="Try once more", rationale="It helps.", key=key)
    assert "An agent proposed it" in why(made)
    set_rules(config, user=ada, rules=Rules(RULES.allowed, agents_too=True))
    assert isinstance(start_by_itself(made.pk), Started)
    with pytest.raises(NotAllowed, match="You wrote revision 1"):  # four eyes hold after the fact as before it
        approve(made.pk, user=mara, digest=digest_of(made))


def test_what_is_protected_never_starts(config: Document) -> None:
    made = draft(config)
    # Only prompts have sections to protect; if settings ever do, this holds all the same.
    config.sections.create(heading="How long we wait", is_protected=True)
    assert "protected" in why(made)


def test_one_a_day_for_each_agent(started: Proposal, support: Agent, ada: User) -> None:
    other = settings_of(support, ada, slug="others")
    second = draft(other)
    assert why(second) == "1 of 1 a day started by themselves for this agent within 24 hours."
    with hours_later(25):
        assert isinstance(start_by_itself(second.pk), Started)


@contextmanager
def hours_later(hours: float) -> Iterator[None]:
    """As the rules will see it after so much time; what has happened cannot be made older."""
    later = timezone.now() + timedelta(hours=hours)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("proposals.actions.self_starts.timezone.now", lambda: later)
        yield


def test_it_rests_after_anything_was_taken_back(config: Document, support: Agent, ada: User, mara: User) -> None:
    set_rules(config, user=ada, rules=busy(rest_h=24))
    first = draft(config, "greeting: Hello", "greeting: Hi")
    approve(first.pk, user=mara, digest=digest_of(first), start="canary")
    rollout = rollout_of(first)
    second = draft(config)
    assert why(second) == "A rollout of this document is running."
    steering.stop(rollout.pk, user=mara, reason="Not so.")
    assert why(second) == "Something of this document was taken back within the last 24 hours."
    with hours_later(25):
        assert isinstance(start_by_itself(second.pk), Started)


def test_it_rests_after_the_document_was_rolled_back(config: Document, ada: User, mara: User) -> None:
    set_rules(config, user=ada, rules=busy())
    first = draft(config, "greeting: Hello", "greeting: Hi")
    approve(first.pk, user=mara, digest=digest_of(first), start="at_once")
    rollbacks.roll_back(config.pk, user=mara, to_number=1, current_number=2, reason="Too short.")
    assert "taken back" in why(draft(config))


def test_a_text_that_was_refused_is_not_started_again(config: Document, ada: User, mara: User) -> None:
    set_rules(config, user=ada, rules=busy())
    first = draft(config)
    reject(first.pk, user=mara, digest=digest_of(first), reason="wrong_fix", note="It is the network.")
    assert why(draft(config)) == "The same text was tried or refused before."
    assert isinstance(start_by_itself(draft(config, new="timeout_s: 46").pk), Started)


def test_a_value_that_was_undone_is_not_started_again_in_another_text(config: Document, ada: User, mara: User) -> None:
    set_rules(config, user=ada, rules=busy())
    first = draft(config)
    start_by_itself(first.pk)
    reject(first.pk, user=mara, digest=digest_of(first), reason="wrong_fix", note="It is the network.")
    approved = draft(config, "greeting: Hello", "greeting: Hi")
    approve(approved.pk, user=mara, digest=digest_of(approved), start="at_once")
    with hours_later(25):
        assert why(draft(config)) == "timeout_s was 45 before, and that was undone."


def test_a_freeze_stops_it(config: Document, aiko: User) -> None:
    made = draft(config)
    freezing.freeze(user=aiko, reason="Quiet, please.")
    assert why(made) == "Everything is frozen."
    tasks.start_safe()
    assert status_of(made) == "pending"
    freezing.thaw(user=aiko)
    tasks.start_safe()
    assert status_of(made) == "in_effect"


def test_nobody_promotes_before_somebody_confirmed(started: Proposal, mara: User, jonas: User) -> None:
    rollout = to_the_gate(rollout_of(started))
    assert (rollout.state, rollout.share) == (State.WAITING, 50)
    with pytest.raises(NotAllowed, match="nobody confirmed it yet"):
        steering.promote(rollout.pk, user=mara, epoch=rollout.epoch)
    with pytest.raises(NotAllowed, match="Only a person"):
        end(rollout, State.PROMOTED, BY_ITSELF, "")
    with pytest.raises(IntegrityError, match="is not approved"), transaction.atomic():
        end(rollout, State.PROMOTED, By.person(mara), "")
    assert current(started.document) == 1
    approve(started.pk, user=mara, digest=digest_of(started))
    assert (status_of(started), fresh(rollout).state) == ("approved", State.WAITING)
    entry = AuditEntry.objects.get(verb="proposal.approved")
    assert in_words(entry).verb == "confirmed the start by itself of version 2:"
    steering.promote(rollout.pk, user=jonas, epoch=fresh(rollout).epoch)
    assert current(started.document) == 2


def test_rejecting_takes_it_from_everybody(started: Proposal, mara: User) -> None:
    reject(started.pk, user=mara, digest=digest_of(started), reason="wrong_fix", note="It is the network.")
    rollout = rollout_of(started)
    assert (status_of(started), rollout.state, rollout.ended_by) == ("rejected", State.STOPPED, mara)
    assert rollout.reason == "It is the network."
    assert not Release.objects.filter(version=rollout.candidate).exists()


@pytest.mark.parametrize("act", [steering.stop, steering.roll_back])
def test_who_stops_it_has_undone_it(
    started: Proposal,
    aiko: User,
    act: Callable[..., Rollout],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        act(rollout_of(started).pk, user=aiko, reason="Too slow.")
    assert status_of(started) == "withdrawn"
    entry = AuditEntry.objects.get(verb="proposal.undone")
    assert (entry.actor_label, in_words(entry).why) == ("Aiko Tanaka", "Too slow.")
    assert settle_all_undone() == 0


def test_the_sweep_closes_what_was_undone_and_lost(started: Proposal, aiko: User) -> None:
    before = AuditEntry.objects.count()
    steering.stop(rollout_of(started).pk, user=aiko, reason="Too slow.")
    assert status_of(started) == "in_effect"
    tasks.start_safe()
    assert status_of(started) == "withdrawn"
    assert AuditEntry.objects.count() == before + 2


def test_what_the_judge_took_back_still_waits_for_a_person(
    started: Proposal, support: Agent, ada: User, mara: User
) -> None:
    set_rules(started.document, user=ada, rules=busy())
    rollout = rollout_of(started)
    report_runs(rollout, candidate=[False] * 60, current=[True] * 540)
    watch(rollout.pk)
    assert fresh(rollout).state == State.ROLLED_BACK
    assert settle_all_undone() == 0
    assert started.pk in waiting_for(mara)
    with pytest.raises(NotPending, match="nothing is left to be confirmed"):
        approve(started.pk, user=mara, digest=digest_of(started))
    assert "has not been looked at" in why(draft(started.document, "retries: 2", "retries: 3"))
    reject(started.pk, user=mara, digest=digest_of(started), reason="wrong_fix", note="It made things worse.")
    assert (status_of(started), fresh(rollout).state) == ("rejected", State.ROLLED_BACK)


def test_a_key_that_stops_it_answers_for_nobody(started: Proposal) -> None:
    steering.stop_with_key(rollout_of(started).pk, by=By(Actor.key("ck_x", "ops")), reason="Alarm.")
    tasks.start_safe()
    assert status_of(started) == "in_effect"


def test_its_pattern_opens_again_when_it_is_undone(support: Agent, config: Document, mara: User) -> None:
    for number in range(6):
        failure(support, f"unit {number}", "search timed out after 30 s", error_type="timeout")
    mine(support)
    made = draft_from(Pattern.objects.shown().get().pk)
    assert isinstance(made, Proposal)
    start_by_itself(made.pk)
    reject(made.pk, user=mara, digest=digest_of(made), reason="wrong_fix", note="It is the network.")
    assert Pattern.objects.get(proposals=made).status == "open"


def test_nothing_expires_or_is_resolved_while_all_is_frozen(
    aiko: User, config: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr("proposals.actions.expiry.expire_stale", lambda: done.append("expired"))
    monkeypatch.setattr("feedback.actions.lifecycle.resolve_quiet", lambda: done.append("resolved"))
    freezing.freeze(user=aiko, reason="Quiet, please.")
    tasks.expire_stale()
    resolve_quiet()
    assert done == []
    freezing.thaw(user=aiko)
    tasks.expire_stale()
    resolve_quiet()
    assert done == ["expired", "resolved"]
