"""The real cases behind a proposal: what the agent answered then, and what it answers under the proposed text."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from people.requests import PersonRequest
from proposals.actions.attention import open_evidence
from proposals.reviewing import review, trials
from proposals.views.review import may_see


@require_safe
@may_see
def cases(request: PersonRequest, pk: int) -> HttpResponse:
    """All cases; where there are no new outputs yet, how to supply them."""
    proposal = review.find(pk)
    page = trials.page_of_cases(proposal, request.GET.get("page"))
    if page.object_list:
        open_evidence(user=request.user, proposal=pk)
    context = {
        "place": "review",
        "proposal": proposal,
        "revision": review.newest(proposal),
        "page": page,
        "api": request.build_absolute_uri(f"/api/v1/proposals/{pk}"),
    }
    return render(request, "proposals/cases.html", context)
