"""A named cast, and the small world they meet in. States are reached through the real actions only."""

from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from django.utils import timezone

from agents.models import Agent, Document
from agents.versions import create_agent
from audit.record import SYSTEM
from feedback.models import Feedback, Pattern, Run, SharedMember, SharedPattern
from people.models import User
from people.roles import Role
from people.signin import create_person
from proposals.actions.proposals import submit
from proposals.models import Proposal

PROMPT = """# Support agent

## Role
You answer questions about orders.

## Refunds
- Refunds are possible within 30 days of purchase.
- Check the order date before you name a deadline.

## Safety
- Never ask for card numbers or passwords.
"""


@pytest.fixture
def mara(db: None) -> User:
    """A reviewer."""
    return create_person("mara", name="Mara Okafor", roles=[Role.REVIEWER])


@pytest.fixture
def jonas(db: None) -> User:
    """Another reviewer."""
    return create_person("jonas", name="Jonas Weber", roles=[Role.REVIEWER])


@pytest.fixture
def aiko(db: None) -> User:
    """An operator."""
    return create_person("aiko", name="Aiko Tanaka", roles=[Role.OPERATOR])


@pytest.fixture
def luis(db: None) -> User:
    """An auditor."""
    return create_person("luis", name="Luis Romero", roles=[Role.AUDITOR])


@pytest.fixture
def ada(db: None) -> User:
    """The admin."""
    return create_person("ada", name="Ada Brandt", roles=[Role.ADMIN])


@pytest.fixture
def stranger(db: None) -> User:
    """Signed in, without any role."""
    return create_person("stranger", name="Sam Stranger", roles=[])


@pytest.fixture
def support(db: None) -> Agent:
    """An agent with one prompt at version 1."""
    return create_agent("support", name="Support agent", actor=SYSTEM, documents={"system-prompt": PROMPT})


@pytest.fixture
def prompt(support: Agent) -> Document:
    return support.documents.get(slug="system-prompt")


def propose(prompt: Document, author: User, old: str = "30 days", new: str = "14 days") -> Proposal:
    """A person's proposal that replaces a phrase of the current text."""
    current = Document.objects.select_related("current").get(pk=prompt.pk).current
    assert current is not None
    return submit(
        document=Document.objects.select_related("agent", "current").get(pk=prompt.pk),
        base_number=current.number,
        text=current.text.replace(old, new),
        title=f"Say {new}" if new.isprintable() else "Say it otherwise",
        rationale=f"People are told {old}.",
        user=author,
    )


@pytest.fixture
def pending(prompt: Document, aiko: User) -> Proposal:
    """Aiko's proposal, waiting for a reviewer."""
    return propose(prompt, aiko)


def digest_of(proposal: Proposal) -> str:
    """The digest of the newest revision, as the decision form carries it."""
    revision = Proposal.objects.select_related("revision").get(pk=proposal.pk).revision
    assert revision is not None
    return revision.digest


def source(name: str) -> bytes:
    """The source of a person of this name."""
    return sha256(name.encode()).digest()[:16]


def report(agent: Agent, who: str, **fields: object) -> Feedback:
    """One stored feedback from this person."""
    number = Feedback.objects.count()
    row: dict[str, object] = {
        "external_id": f"f{number}-{who}",
        "digest": sha256(f"{number}{who}".encode()).digest(),
        "source": source(who),
        "at": timezone.now(),
        "rating": Feedback.Rating.NEGATIVE,
    }
    return Feedback.objects.create(agent=agent, **(row | fields))


def failure(agent: Agent, who: str, error: str, at: datetime | None = None, **fields: object) -> Run:
    """One stored failed run for this unit."""
    number = Run.objects.count()
    row: dict[str, object] = {
        "external_id": f"r{number}-{who}",
        "digest": sha256(f"{number}{who}".encode()).digest(),
        "source": source(who),
        "at": at or timezone.now() - timedelta(minutes=number),
        "success": False,
        "error": error,
    }
    return Run.objects.create(agent=agent, **(row | fields))


def shared(pattern: Pattern) -> SharedPattern:
    """What recurs at two agents, one of them this pattern's."""
    now = timezone.now()
    found = SharedPattern.objects.create(
        kind=pattern.kind, support=3, sources=3, agents=2, first_seen=now, last_seen=now
    )
    SharedMember.objects.create(pattern=pattern, shared=found)
    return found


COMPLAINTS = [
    "the refund deadline for digital courses is wrong",
    "wrong refund deadline for a digital course again",
    "it told me the wrong refund deadline for my digital course",
    "refund deadline for digital courses was wrong in the answer",
]


@pytest.fixture
def complaints(support: Agent) -> list[Feedback]:
    """Four people complain about the same thing in their own words."""
    return [report(support, f"person {n}", reason=text) for n, text in enumerate(COMPLAINTS)]
