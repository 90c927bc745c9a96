"""The agents, with what waits for each."""

from datetime import timedelta

from django.contrib.auth.decorators import permission_required
from django.db.models import Count, OuterRef, Prefetch, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from agents.models import Agent, Document, whole_of
from agents.reach import unseen
from feedback import vitals
from people.requests import PersonRequest
from proposals.models import Proposal


@require_safe
@permission_required("agents.view_agent", raise_exception=True)
def agents(request: PersonRequest) -> HttpResponse:
    """Every agent this person sees with its documents, its health and the number of its open proposals."""
    open_ones = Proposal.objects.open().filter(document__agent=OuterRef("pk")).order_by()
    waiting = Coalesce(Subquery(open_ones.values("document__agent").annotate(n=Count("pk")).values("n")), 0)
    documents = Document.objects.select_related("current").defer(*whole_of("current"))
    found = (
        Agent.objects.for_person(request.user)
        .select_related("team")
        .annotate(waiting=waiting)
        .prefetch_related(Prefetch("documents", documents))
    )
    scores, since = vitals.scores(), timezone.now() - timedelta(days=vitals.OVERALL_DAYS)
    context = {
        "place": "agents",
        "agents": [(agent, agent.pk in scores, scores.get(agent.pk)) for agent in found],
        "statistics": vitals.statistics(since, but=unseen(request.user)),
        "days": vitals.OVERALL_DAYS,
    }
    return render(request, "agents/agents.html", context)
