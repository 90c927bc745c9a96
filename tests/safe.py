"""Documents of settings with rules, and machine drafts that fit them, for tests."""

from dataclasses import replace

from agents.models import Agent, Document
from agents.versions import create_document
from audit.record import SYSTEM
from people.models import User
from proposals.actions.proposals import open_proposal
from proposals.actions.revisions import Author
from proposals.actions.safe_rules import set_rules
from proposals.actions.wishes import Wish
from proposals.models import Proposal, Rollout, RolloutPlan
from proposals.safe import Bounds, Category, Rules
from tests.rollouts import QUICKLY

SETTINGS = """# How long we wait
timeout_s: 30
retries: 2
min_confidence: 0.6
greeting: Hello
"""
RULES = Rules({Category.RETRY: Bounds()})


def settings_of(agent: Agent, admin: User, *, rules: Rules = RULES, slug: str = "settings") -> Document:
    """A document of settings with these rules, and a plan that is quick to climb."""
    made = create_document(agent, slug, text=SETTINGS, actor=SYSTEM, kind=Document.Kind.CONFIG)
    RolloutPlan.objects.create(document=made, plan=QUICKLY.to_json())
    set_rules(made, user=admin, rules=rules)
    return made


def busy(rules: Rules = RULES, *, rest_h: float = 24) -> Rules:
    """These rules, without being held back by how often."""
    return replace(rules, per_day=20, rest_h=rest_h)


def draft(
    document: Document, old: str = "timeout_s: 30", new: str = "timeout_s: 45", *, requested_by: User | None = None
) -> Proposal:
    """What the drafter would propose."""
    current = Document.objects.select_related("agent", "current").get(pk=document.pk)
    assert current.current is not None
    return open_proposal(
        Wish(
            document=current,
            base=current.current,
            text=current.current.text.replace(old, new),
            title=f"Raise {new}",
            rationale="44 runs failed in 9 days: a call took too long.",
            origin=Proposal.Origin.DRAFTER,
            author=Author(),
            requested_by=requested_by,
        )
    )


def rollout_of(proposal: Proposal) -> Rollout:
    return Rollout.objects.for_page().get(proposal=proposal)


def status_of(proposal: Proposal) -> str:
    return Proposal.objects.values_list("status", flat=True).get(pk=proposal.pk)
