"""How risky a change is said to be, and why."""

import pytest

from agents.models import Document
from agents.protection import protect
from audit.record import SYSTEM
from people.models import User
from proposals.checking.risk import LARGE, SMALL, Facts, Level, assess
from proposals.models import Proposal
from tests.cast import propose


@pytest.mark.parametrize(
    ("facts", "level", "why"),
    [
        (Facts("prompt", "drafter", 12), Level.LOW, "12 words of prose, and no check asks for a look."),
        (Facts("prompt", "person", SMALL), Level.LOW, "100 words of prose, and no check asks for a look."),
        (Facts("prompt", "person", SMALL + 1), Level.MEDIUM, "101 words change."),
        (Facts("prompt", "agent", 5), Level.MEDIUM, "An agent wrote it."),
        (Facts("prompt", "rollback", 5), Level.MEDIUM, "It took effect before it was reviewed."),
        (Facts("config", "person", 2), Level.MEDIUM, "It changes settings."),
        (Facts("prompt", "person", 2, approvals=2), Level.MEDIUM, "It needs 2 approvals."),
        (Facts("prompt", "drafter", 2, warning={"links"}), Level.MEDIUM, "A check asks for a look."),
        (Facts("prompt", "person", LARGE + 1), Level.HIGH, "401 words change."),
        (Facts("tool", "person", 2), Level.HIGH, "It changes the source of a tool."),
        (Facts("prompt", "drafter", 2, warning={"overrides"}), Level.HIGH, "It may set other rules aside."),
        (
            Facts("prompt", "person", 2, warning={"protected"}, approvals=2),
            Level.HIGH,
            "It changes a protected section.",
        ),
        (Facts("prompt", "person", 2, failing={"secrets"}), Level.HIGH, "A check blocks it."),
    ],
)
def test_the_worst_that_is_known_sets_the_level(facts: Facts, level: Level, why: str) -> None:
    risk = assess(facts)
    assert risk.level is level
    assert risk.reasons == (why,)


@pytest.mark.django_db
def test_a_revision_brings_its_risk_to_the_proposal(prompt: Document, aiko: User, ada: User) -> None:
    small = propose(prompt, aiko)
    protect(prompt, "Safety", owners=[ada], actor=SYSTEM)
    grave = propose(prompt, aiko, "card numbers", "bank details")
    small, grave = Proposal.objects.get(pk=small.pk), Proposal.objects.get(pk=grave.pk)
    assert (small.risk, grave.risk) == (Level.LOW, Level.HIGH)
    assert "protected section" in grave.risk_why
