"""What is done with the evidence of a proposal, and with what its rules meet in the text."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from audit.numbers import counted
from people.requests import PersonRequest
from proposals.actions import evidence
from proposals.exceptions import Invalid, ReviewError
from proposals.forms.proposals import MergeRulesForm
from proposals.models import Proposal, ProposalEvidence
from proposals.views.refusals import status_of
from proposals.views.review import refused

NONE = "None that counts reads like instructions any more."
may_curate = permission_required("feedback.curate_pattern", raise_exception=True)
may_propose = permission_required("proposals.propose_change", raise_exception=True)


@require_http_methods(["GET", "HEAD", "POST"])
@may_curate
def exclude(request: PersonRequest, pk: int, item: int) -> HttpResponseBase:
    """Leave one report out, with a reason; a refusal keeps the reason typed."""
    found = get_object_or_404(ProposalEvidence.objects.select_related("feedback", "run"), proposal=pk, pk=item)
    if request.method != "POST":
        return redirect("proposal", pk)
    reason = request.POST.get("reason", "").replace("\0", "")
    try:
        evidence.exclude(found, user=request.user, reason=reason)
    except Invalid as refusal:
        said = {"reason": reason, "error": str(refusal), "at": item}
        return refused(request, pk, 422, refusal=str(refusal), excluding=said)
    except ReviewError as refusal:
        return refused(request, pk, status_of(refusal), refusal=str(refusal))
    messages.success(request, "Excluded. It counts nowhere any more; the numbers below are without it.")
    return _see(request, pk)


@require_http_methods(["GET", "HEAD", "POST"])
@may_curate
def exclude_commanding(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Leave out all reports that read like instructions."""
    get_object_or_404(Proposal, pk=pk)
    if request.method != "POST":
        return redirect("proposal", pk)
    try:
        count = evidence.exclude_commanding(pk, user=request.user)
    except ReviewError as refusal:
        return refused(request, pk, status_of(refusal), refusal=str(refusal))
    messages.success(request, f"Excluded {counted(count, 'report')}; the numbers below are without." if count else NONE)
    return _see(request, pk)


@require_http_methods(["GET", "HEAD", "POST"])
@may_curate
def include(request: PersonRequest, pk: int, item: int) -> HttpResponseBase:
    """Count one report again."""
    found = get_object_or_404(ProposalEvidence.objects.select_related("feedback", "run"), proposal=pk, pk=item)
    if request.method != "POST":
        return redirect("proposal", pk)
    try:
        evidence.include(found, user=request.user)
    except ReviewError as refusal:
        return refused(request, pk, status_of(refusal), refusal=str(refusal))
    messages.success(request, "It counts again.")
    return _see(request, pk)


@require_http_methods(["GET", "HEAD", "POST"])
@may_propose
def merge_rules(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Put the new rule in the place of the one that says nearly the same."""
    get_object_or_404(Proposal, pk=pk)
    if request.method != "POST":
        return redirect("proposal", pk)
    form = MergeRulesForm(request.POST)
    if not form.is_valid():
        return refused(request, pk, 422, refusal="The form was not complete. Nothing was changed; try it again.")
    try:
        made = evidence.merge_rules(pk, user=request.user, **form.cleaned_data)
    except ReviewError as refusal:
        return refused(request, pk, status_of(refusal), refusal=str(refusal))
    messages.success(
        request, f"Merged. Revision {made.number} is what people decide on now. You are one of its authors."
    )
    answer = redirect("proposal", pk)
    answer.status_code = 303
    return answer


def _see(request: PersonRequest, pk: int) -> HttpResponse:
    """Back to the page of quotes it was done on."""
    number = request.GET.get("evidence", "")
    each = {"each": "yes"} if "each" in request.GET else {}
    query = "?" + urlencode({"evidence": number} | each) if number.isdecimal() else ""
    answer = redirect(f"{reverse('proposal', args=[pk])}{query}#evidence")
    answer.status_code = 303
    return answer
