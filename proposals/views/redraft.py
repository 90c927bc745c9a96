"""Ask the drafter to write its draft again."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from people.requests import PersonRequest
from proposals.actions import redrafts
from proposals.authority import policies
from proposals.diffs import Diff
from proposals.exceptions import ReviewError
from proposals.forms.redraft import RedraftForm
from proposals.models import Proposal
from proposals.reviewing import review, shown
from proposals.views.refusals import show_in, status_of
from proposals.views.review import may_see, refused


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("proposals.decide_proposal", raise_exception=True)
def ask(request: PersonRequest, pk: int) -> HttpResponseBase:
    """What can be asked of the drafter, with the draft beside it; what was typed survives every refusal."""
    proposal = review.find(pk)
    form = _form(request, proposal)
    if request.method != "POST":
        return _page(request, proposal, form)
    if not form.is_valid():
        return _page(request, proposal, form, status=422)
    word = form.cleaned_data
    try:
        redrafts.ask(
            pk, user=request.user, digest=word["digest"], kind=word["ask"], about=form.about, note=word["note"]
        )
    except ReviewError as refusal:
        status = show_in(form, refusal)
        return _page(request, review.find(pk), form, status=status)
    messages.success(request, "Asked. Countersign redrafts it within a minute.")
    return _see(pk)


@require_http_methods(["GET", "HEAD", "POST"])
@may_see
def on_current(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Draft it anew on the current version, where moving it word for word is not possible."""
    if request.method != "POST":
        return redirect("proposal", pk)
    get_object_or_404(Proposal, pk=pk)
    try:
        made = redrafts.on_current(pk, user=request.user)
    except ReviewError as refusal:
        return refused(request, pk, status_of(refusal), refusal=str(refusal))
    messages.success(request, f"Revision {made.number}: {made.note} It counts as a draft you asked for.")
    return _see(pk)


def _see(pk: int) -> HttpResponse:
    answer = redirect("proposal", pk)
    answer.status_code = 303
    return answer


def _form(request: PersonRequest, proposal: Proposal) -> RedraftForm:
    newest = review.newest(proposal)
    possible = proposal.is_open and not redrafts.why_not(proposal)
    sections, rules = redrafts.offered(proposal, newest) if possible else ([], [])
    data = request.POST if request.method == "POST" else None
    return RedraftForm(data, initial={"digest": newest.digest}, sections=sections, rules=rules)


def _page(request: PersonRequest, proposal: Proposal, form: RedraftForm, *, status: int = 200) -> HttpResponse:
    newest = review.newest(proposal)
    context = {
        "place": "review",
        "proposal": proposal,
        "revision": newest,
        "form": form,
        "why_not": "" if form.is_bound else _why_not(request, proposal),
        "lines": shown.inline(Diff.from_json(newest.diff).rows),
        "code": shown.is_code(proposal.document),
    }
    return render(request, "proposals/redraft.html", context, status=status)


def _why_not(request: PersonRequest, proposal: Proposal) -> str:
    """Why this person cannot ask now; empty if they can."""
    if not proposal.is_open:
        return f"This proposal is {proposal.get_status_display().lower()}; it cannot be changed any more."
    if reason := redrafts.why_not(proposal):
        return reason
    leave = policies.may_decide(request.user, proposal)
    return "" if leave.allowed else leave.why
