"""What commands look up by name, with an answer that helps when it is not there."""

from django.core.management.base import CommandError

from agents.models import Agent, Document


def agent_named(slug: str) -> Agent:
    """The agent of this name. Raises CommandError that tells which there are."""
    try:
        return Agent.objects.get(slug=slug)
    except Agent.DoesNotExist:
        known = ", ".join(Agent.objects.order_by("slug").values_list("slug", flat=True)[:20])
        there = f"There are: {known}." if known else "Make it with create_agent."
        raise CommandError(f"There is no agent “{slug}”. {there}") from None


def document_named(agent: str, slug: str) -> Document:
    """The document of this name. Raises CommandError that tells which there are."""
    owner = agent_named(agent)
    try:
        return owner.documents.select_related("agent", "current").get(slug=slug)
    except Document.DoesNotExist:
        known = ", ".join(owner.documents.order_by("slug").values_list("slug", flat=True)[:20])
        raise CommandError(f"{agent} has no document “{slug}”. There are: {known or 'none'}.") from None
