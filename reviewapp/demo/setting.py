"""What the demo agent finds on a board that knows nothing of it: an agent, a document, a short plan, and a key."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from django.db import transaction

from agents import keys
from agents.exceptions import NameTaken
from agents.models import Agent, ApiKey, Document
from agents.versions import create_agent, create_document
from audit.record import COMMAND_LINE
from people.models import User
from proposals.actions.rollout_plans import set_plan
from proposals.rules.plans import Plan, Step

SLUG: Final = "demo"
PROMPT: Final = """# Demo agent

## Role
You answer questions about orders.

## Answers
- Be brief.
"""
PLAN: Final = Plan(
    steps=(Step(5, 20, 1 / 60), Step(25, 40, 1 / 60), Step(50, 60, 1 / 60)),
    start="canary",
    margin=10,
    unsafe_margin=5,
    complaints_after_h=0.1,
    inconclusive="ask",
    patience_days=5 / 24 / 60,
)
"""Minutes where real plans take hours: what people say of a run counts after 11 minutes, when a good one waits."""


@transaction.atomic
def prepare(document: str, *, user: User) -> Document:
    """The document, with PLAN as its plan; agent and document are made if they are missing. Raises NotAllowed."""
    with suppress(NameTaken):  # another demo agent was here before, or is at this moment
        create_agent(SLUG, name="Demo agent", actor=COMMAND_LINE)
    agent = Agent.objects.get(slug=SLUG)
    found = agent.documents.filter(slug=document).first()
    made = found or create_document(agent, document, text=PROMPT, actor=COMMAND_LINE)
    set_plan(user=user, document=made, plan=PLAN)
    return made


@contextmanager
def lent_key(*, owner: User) -> Iterator[str]:
    """A key of the demo agent for as long as it works."""
    scopes = [ApiKey.Scope.INGEST, ApiKey.Scope.READ, ApiKey.Scope.PROPOSE]
    agent = Agent.objects.get(slug=SLUG)
    key, token = keys.create(agent, scopes, owner=owner, actor=COMMAND_LINE, label="demo agent", days=1)
    try:
        yield token
    finally:
        keys.revoke(key.prefix, actor=COMMAND_LINE)
