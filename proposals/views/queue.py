"""The review queue."""

from django.contrib.auth.decorators import permission_required
from django.core.paginator import Page, Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from agents.models import Agent
from people.requests import PersonRequest
from proposals import queue
from proposals.models import Proposal
from proposals.turns import pill

PER_PAGE = 50


@require_safe
@permission_required("proposals.view_proposal", raise_exception=True)
@vary_on_headers("HX-Request", "HX-Target")
def board(request: PersonRequest) -> HttpResponse:
    """What waits, for whom."""
    filters = queue.Filters.from_query(request.GET.dict())
    page = Paginator(filters.apply(request.user), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "place": "review",
        "filters": filters,
        "counts": queue.counts(request.user),
        "agents": Agent.objects.all(),
        "page": page,
        "rows": _rows(page),
        "never_used": not page.paginator.count and not Proposal.objects.exists(),
    }
    part = "#board" if request.htmx.target == "board" else ""
    return render(request, f"proposals/queue.html{part}", context)


def _rows(page: Page[Proposal]) -> list[dict[str, object]]:
    proposals = list(page)
    trends = queue.trends({p.pattern_id for p in proposals if p.pattern_id})
    return [
        {
            "proposal": proposal,
            "days": queue.span_days(proposal),
            "trend": trends.get(proposal.pattern_id or 0),
            "pill": pill(proposal, my_turn=proposal.is_my_turn, blocked=proposal.is_blocked),
        }
        for proposal in proposals
    ]
