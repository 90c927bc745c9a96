"""The page of one proposal, and what is done there."""

from collections.abc import Mapping
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from feedback.charts import spark
from feedback.trends import trends
from people.models import User
from people.requests import PersonRequest
from proposals import evidence, review, shown, talks
from proposals.actions import decisions, drafting, proposals
from proposals.diffs import Diff, compute
from proposals.exceptions import ReviewError
from proposals.forms import DecisionForm
from proposals.models import Decision, Proposal, Revision
from proposals.views.refusals import show_in, status_of

VIEWS = {"inline": "Inline", "side": "Side by side", "full": "Full text"}
may_see = permission_required("proposals.view_proposal", raise_exception=True)


@require_safe
@may_see
@vary_on_headers("HX-Request", "HX-Target")
def page(request: PersonRequest, pk: int) -> HttpResponse:
    """The change, its reason, evidence, checks and consequence; and the decision."""
    return show(request, review.find(pk))


@require_http_methods(["GET", "HEAD", "POST"])
@may_see
def decide(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Approve, request changes or reject; a refusal shows the present state with the words typed."""
    if request.method != "POST":
        return redirect("proposal", pk)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return show(request, review.find(pk), form, status=422)
    get_object_or_404(Proposal, pk=pk)
    try:
        said = _carry_out(pk, request.user, form)
    except ReviewError as refusal:
        status = show_in(form, refusal)
        return show(request, review.find(pk), form, status=status)
    messages.success(request, said)
    return _see(pk)


def _carry_out(pk: int, user: User, form: DecisionForm) -> str:
    """Call the action that was pressed; what to say afterwards."""
    word = form.cleaned_data
    match word["verdict"]:
        case Decision.Verdict.APPROVE:
            decisions.approve(pk, user=user, digest=word["digest"], note=word["note"])
            return _approved(Proposal.objects.select_related("published").get(pk=pk))
        case Decision.Verdict.REQUEST_CHANGES:
            decisions.request_changes(pk, user=user, digest=word["digest"], note=word["note"])
            return "Changes requested. The proposal is back with its author."
        case _:
            decisions.reject(pk, user=user, digest=word["digest"], reason=word["reason"], note=word["note"])
            return "Rejected. Nothing like it is drafted again before there is new evidence."


def _approved(proposal: Proposal) -> str:
    if proposal.status != Proposal.Status.APPROVED or proposal.published is None:
        return "Approval recorded. The change takes effect with the last approval needed."
    if proposal.origin == Proposal.Origin.ROLLBACK:
        return f"Approved. Version {proposal.published.number} stays as it is."
    return f"Approved. Version {proposal.published.number} is current from now on."


@require_http_methods(["GET", "HEAD", "POST"])
@may_see
def rebase(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Move the change onto the current version."""
    if request.method != "POST":
        return redirect("proposal", pk)
    get_object_or_404(Proposal, pk=pk)
    try:
        revision = drafting.carry_over(pk, user=request.user)
    except ReviewError as refusal:
        return show(request, review.find(pk), refusal=str(refusal), status=status_of(refusal))
    messages.success(request, f"Revision {revision.number}: {revision.note}")
    return _see(pk)


@require_http_methods(["GET", "HEAD", "POST"])
@may_see
def withdraw(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Take the proposal back."""
    if request.method != "POST":
        return redirect("proposal", pk)
    get_object_or_404(Proposal, pk=pk)
    try:
        proposals.withdraw(pk, user=request.user)
    except ReviewError as refusal:
        return show(request, review.find(pk), refusal=str(refusal), status=status_of(refusal))
    messages.success(request, "Withdrawn. Nothing was changed.")
    return _see(pk)


@require_safe
@may_see
def revision(request: PersonRequest, pk: int, number: int) -> HttpResponse:
    """One revision, compared with the one before it or with the version it stands on."""
    proposal = review.find(pk)
    found = proposal.revisions.select_related("base_version", "author", "author_key")
    this = get_object_or_404(found, number=number)
    earlier = found.filter(number=number - 1).first()
    before, label = (earlier.text, str(earlier)) if earlier else (this.base_version.text, str(this.base_version))
    difference = compute(before, this.text, _protected(proposal))
    context = {
        "place": "review",
        "proposal": proposal,
        "this": this,
        "from_label": label,
        "difference": difference,
        "lines": shown.inline(difference.rows),
        "code": shown.is_code(proposal.document),
    }
    return render(request, "proposals/revision.html", context)


def refused(request: PersonRequest, pk: int, status: int, **more: object) -> HttpResponse:
    """The page as it is now, with what a refused act has to say and what was typed for it."""
    return show(request, review.find(pk), status=status, more=more)


def _protected(proposal: Proposal) -> list[str]:
    return [section.heading for section in proposal.document.sections.all() if section.is_protected]


def _see(pk: int) -> HttpResponse:
    answer = redirect("proposal", pk)
    answer.status_code = 303
    return answer


def show(
    request: PersonRequest,
    proposal: Proposal,
    form: DecisionForm | None = None,
    *,
    refusal: str = "",
    status: int = 200,
    typed: talks.Typed | None = None,
    more: Mapping[str, object] | None = None,
) -> HttpResponse:
    """The whole page, with what was typed and could not be kept; to htmx, the part it asks for."""
    newest = review.newest(proposal)
    context = {
        "place": "review",
        "proposal": proposal,
        "revision": newest,
        "here": reverse("proposal", args=[proposal.pk]),
        **_change(request, proposal, newest, typed),
    }
    if request.htmx.boosted and request.GET.get("comment"):
        return render(request, "includes/comment_row.html", context)
    if request.htmx.target == "change":
        return render(request, "proposals/proposal.html#change", context)
    context |= {
        "standing": review.standing(proposal, request.user),
        "form": form or DecisionForm(),
        "refusal": refusal,
        **evidence.grounds(proposal, newest, request.GET.get("evidence")),
        "decisions": review.decisions(proposal),
        "history": review.history(proposal),
        "effect": review.effect(proposal),
        "trend": _trend(proposal),
        **(more or {}),
    }
    return render(request, "proposals/proposal.html", context, status=status)


def _change(
    request: PersonRequest, proposal: Proposal, newest: Revision, typed: talks.Typed | None
) -> dict[str, object]:
    """The change card: which view of the difference, and its lines."""
    view = request.GET.get("view", "inline")
    view = view if view in VIEWS else "inline"
    whole = request.GET.get("lines") == "all"
    rows = Diff.from_json(newest.diff).rows
    asked, query = request.GET.get("comment", ""), view_query(request)
    found = talks.talks_of(proposal, newest, request.user, asked=asked, query=query, typed=typed)
    found = found.without(rows) if view == "full" else found
    lines = (shown.beside if view == "side" else shown.inline)(rows, whole=whole, talks=found)
    text = shown.text_lines(proposal.document, newest.text) if view == "full" else []
    return {
        "talks": found,
        "view": view,
        "views": VIEWS.items(),
        "lines": lines,
        "text_lines": shown.talked_about(text, rows, found),
        "whole": whole,
        "code": shown.is_code(proposal.document),
    }


def view_query(request: PersonRequest) -> str:
    """The part of the address that says which view of the change is open."""
    kept = {"view": request.GET.get("view", ""), "lines": request.GET.get("lines", "")}
    known = {"view": [*VIEWS][1:], "lines": ["all"]}
    return urlencode({name: value for name, value in kept.items() if value in known[name]})


def _trend(proposal: Proposal) -> object:
    found = trends({proposal.pattern_id} if proposal.pattern_id else set())
    return spark(found.get(proposal.pattern_id or 0, []), width=150, height=40)
