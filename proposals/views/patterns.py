"""One pattern: what recurs, its evidence, and what is made of it."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from feedback.actions import patterns
from feedback.charts import spark
from feedback.exceptions import PatternError
from feedback.models import Pattern
from feedback.trends import trends
from people.requests import PersonRequest
from proposals import evidence
from proposals.actions import drafting
from proposals.forms import DismissForm
from proposals.models import Proposal

EVIDENCE_PER_PAGE = 25
may_see = permission_required("feedback.view_pattern", raise_exception=True)
may_curate = permission_required("feedback.curate_pattern", raise_exception=True)


@require_safe
@may_see
def pattern(request: PersonRequest, pk: int) -> HttpResponse:
    """Label, trend, evidence and the proposals that came of it."""
    return _page(request, pk)


@require_http_methods(["GET", "HEAD", "POST"])
@may_curate
def draft(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Draft from the pattern now; where that cannot be, say why."""
    get_object_or_404(Pattern, pk=pk)
    if request.method != "POST":
        return redirect("pattern", pk)
    outcome = drafting.draft(pk, requested_by=request.user)
    if isinstance(outcome, Proposal):
        messages.success(request, "Drafted. You asked for it, so somebody else decides.")
        return _see("proposal", outcome.pk)
    return _page(request, pk, refusal=f"Nothing was drafted: {outcome}", status=409)


@require_http_methods(["GET", "HEAD", "POST"])
@may_curate
def dismiss(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Say that the pattern is wrongly found."""
    get_object_or_404(Pattern, pk=pk)
    if request.method != "POST":
        return redirect("pattern", pk)
    form = DismissForm(request.POST)
    if not form.is_valid():
        return _page(request, pk, form=form, status=422)
    try:
        patterns.dismiss(pk, user=request.user, reason=form.cleaned_data["reason"])
    except PatternError as refusal:
        missing = not form.cleaned_data["reason"].strip()
        form.refuse("reason" if missing else "", str(refusal))
        return _page(request, pk, form=form, status=422 if missing else 409)
    messages.success(request, "Dismissed. Nothing is drafted from it any more.")
    return _see("pattern", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@may_curate
def reopen(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Take a dismissal back."""
    get_object_or_404(Pattern, pk=pk)
    if request.method != "POST":
        return redirect("pattern", pk)
    try:
        patterns.reopen(pk, user=request.user)
    except PatternError as refusal:
        return _page(request, pk, refusal=str(refusal), status=409)
    messages.success(request, "Reopened. It is looked at again.")
    return _see("pattern", pk)


def _page(
    request: PersonRequest, pk: int, *, refusal: str = "", form: DismissForm | None = None, status: int = 200
) -> HttpResponse:
    found = get_object_or_404(Pattern.objects.select_related("agent"), pk=pk)
    rows = found.evidence.select_related("feedback", "run").order_by("-at", "-pk")
    context = {
        "place": "patterns",
        "pattern": found,
        "trend": spark(trends({pk}).get(pk, []), width=150, height=40),
        "page": Paginator(rows, EVIDENCE_PER_PAGE).get_page(request.GET.get("page")),
        "loudest": _loudest(found),
        "left_out": evidence.left_out_of(pk),
        "proposals": found.proposals.select_related("document", "revision").order_by("-pk")[:20],
        "refusal": refusal,
        "form": form or DismissForm(),
    }
    return render(request, "proposals/pattern.html", context, status=status)


def _loudest(pattern: Pattern) -> float:
    """The share of all reports that came from the source with most of them."""
    most = pattern.source_counts.order_by("-items").values_list("items", flat=True).first() or 0
    return most / pattern.support if pattern.support else 0.0


def _see(name: str, pk: int) -> HttpResponse:
    answer = redirect(name, pk)
    answer.status_code = 303
    return answer
