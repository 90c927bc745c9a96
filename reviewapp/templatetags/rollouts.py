"""Rollouts on pages of apps that know nothing of them."""

from django import template

from agents.models import Agent
from proposals.models import Drift
from proposals.rollouts import page as rollout_page

register = template.Library()


@register.inclusion_tag("includes/drifts.html")
def drifts_of(agent: Agent) -> dict[str, object]:
    """The documents of an agent that drift; nothing where none does. One query."""
    return {"drifts": Drift.objects.now().filter(document__agent=agent).select_related("document__agent")}


@register.inclusion_tag("includes/agent_rollouts.html")
def rollouts_of(agent: Agent) -> dict[str, object]:
    """The newest rollouts of an agent, a line each; nothing where it had none."""
    return {"rows": rollout_page.of_agent(agent)}
