"""The open proposals for one pattern side by side."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from feedback.models import Pattern
from people.requests import PersonRequest
from proposals.actions import candidates as actions
from proposals.exceptions import ReviewError
from proposals.forms.proposals import TypedForm, note_field
from proposals.models import Proposal
from proposals.reviewing import candidates as reads
from proposals.views.refusals import show_in, status_of
from proposals.views.review import may_see


class ChooseForm(TypedForm):
    """Why this one; `seen` names each candidate shown, with its digest."""

    reason = note_field("Why this one", "It stays with those that are withdrawn", rows=2)
    seen = forms.CharField(max_length=1_000, required=False, widget=forms.HiddenInput)

    @property
    def digests(self) -> dict[int, str]:
        """By proposal; what is not of that form is left out."""
        parts = [part.partition(":") for part in self.cleaned_data["seen"].split()]
        return {int(pk): digest for pk, _, digest in parts if pk.isascii() and pk.isdigit() and len(pk) < 16}


@require_safe
@may_see
def candidates(request: PersonRequest, pk: int) -> HttpResponse:
    """Each candidate's change, size, checks and risk; choose one, or have other ways drafted."""
    return _page(request, get_object_or_404(Pattern.objects.select_related("agent").defer("centroid"), pk=pk))


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("feedback.curate_pattern", raise_exception=True)
def alternatives(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Have the drafter put every other way it knows beside the open proposal."""
    pattern = get_object_or_404(Pattern.objects.select_related("agent").defer("centroid"), pk=pk)
    if request.method != "POST":
        return redirect("candidates", pk)
    try:
        made = actions.draft_alternatives(pk, user=request.user)
    except ReviewError as refusal:
        return _page(request, pattern, refusal=str(refusal), status=status_of(refusal))
    if made:
        words = "1 more candidate" if len(made) == 1 else f"{len(made)} more candidates"
        messages.success(request, f"{words} drafted. What is new counts as drafts you asked for.")
    else:
        messages.info(request, "The drafter knows no other way than those that were proposed already.")
    return _see("candidates", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("proposals.decide_proposal", raise_exception=True)
def choose(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Keep one candidate and withdraw the others."""
    proposal = get_object_or_404(Proposal.objects.select_related("pattern__agent"), pk=pk)
    if request.method != "POST" or proposal.pattern is None:
        return redirect("proposal", pk)
    form = ChooseForm(request.POST, auto_id=f"choose{pk}_%s")
    if not form.is_valid():
        return _page(request, proposal.pattern, form=form, chosen=pk, status=422)
    try:
        ended = actions.choose(pk, user=request.user, reason=form.cleaned_data["reason"], seen=form.digests)
    except ReviewError as refusal:
        status = show_in(form, refusal)
        return _page(request, proposal.pattern, form=form, chosen=pk, status=status)
    others = "the other candidate was" if len(ended) == 1 else f"the {len(ended)} others were"
    messages.success(request, f"Chosen; {others} withdrawn. It still has to be decided.")
    return _see("proposal", pk)


def _see(name: str, pk: int) -> HttpResponse:
    answer = redirect(name, pk)
    answer.status_code = 303
    return answer


def _page(
    request: PersonRequest,
    pattern: Pattern,
    *,
    form: ChooseForm | None = None,
    chosen: int = 0,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    found = reads.of_pattern(pattern, request.user)
    forms_of = [
        (one, form if form and one.proposal.pk == chosen else ChooseForm(auto_id=f"choose{one.proposal.pk}_%s"))
        for one in found
    ]
    context = {
        "place": "patterns",
        "pattern": pattern,
        "candidates": forms_of,
        "seen": " ".join(one.seen for one in found),
        "form": form,
        "refusal": refusal,
    }
    return render(request, "proposals/candidates.html", context, status=status)
