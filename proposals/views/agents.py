"""The agents, with what waits for each."""

from django.contrib.auth.decorators import permission_required
from django.db.models import Count, OuterRef, Prefetch, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from agents.models import Agent, Document, whole_of
from proposals.models import Proposal


@require_safe
@permission_required("agents.view_agent", raise_exception=True)
def agents(request: HttpRequest) -> HttpResponse:
    """Every agent with its documents and the number of its open proposals."""
    open_ones = Proposal.objects.open().filter(document__agent=OuterRef("pk")).order_by()
    waiting = Coalesce(Subquery(open_ones.values("document__agent").annotate(n=Count("pk")).values("n")), 0)
    documents = Document.objects.select_related("current").defer(*whole_of("current"))
    found = Agent.objects.annotate(waiting=waiting).prefetch_related(Prefetch("documents", documents))
    return render(request, "agents/agents.html", {"place": "agents", "agents": found})
