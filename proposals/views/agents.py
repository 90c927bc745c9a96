"""The agents, with what waits for each."""

from django.contrib.auth.decorators import permission_required
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from agents.models import Agent
from proposals.models import Proposal


@require_safe
@permission_required("agents.view_agent", raise_exception=True)
def agents(request: HttpRequest) -> HttpResponse:
    """Every agent with its documents and the number of its open proposals."""
    is_open = Q(documents__proposals__status__in=Proposal.OPEN)
    waiting = Count("documents__proposals", filter=is_open, distinct=True)
    found = Agent.objects.annotate(waiting=waiting).prefetch_related("documents__current")
    return render(request, "agents/agents.html", {"place": "agents", "agents": found})
