"""Publish in an emergency, without the approvals needed."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from people import fresh
from people.requests import PersonRequest
from proposals.actions import bypass as emergency
from proposals.diffs import Diff
from proposals.exceptions import ReviewError
from proposals.forms.decisions import BypassForm
from proposals.models import Proposal
from proposals.queue import desk_of
from proposals.reviewing import review, shown
from proposals.status.holdings import holdings
from proposals.views.refusals import show_in


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("proposals.bypass_review", raise_exception=True)
def bypass(request: PersonRequest, pk: int) -> HttpResponseBase:
    """What it would do and what it leaves behind; with a reason and the number typed, do it."""
    proposal, here = review.find(pk), reverse("bypass", args=[pk])
    if request.method != "POST":
        words = fresh.take_words(request, here)
        start = BypassForm(initial=words | {"digest": review.newest(proposal).digest})
        return _page(request, proposal, start, is_back=bool(words))
    form = BypassForm(request.POST)
    if not form.is_valid():
        return _page(request, proposal, form, status=422)
    if not fresh.is_fresh(request):
        return fresh.ask_again(request, back=here, words=form.cleaned_data)
    try:
        emergency.bypass(pk, user=request.user, **form.cleaned_data)
    except ReviewError as refusal:
        status = show_in(form, refusal)
        return _page(request, review.find(pk), form, status=status)
    messages.success(request, "Published without the approvals needed. Somebody else has to confirm it.")
    answer = redirect("proposal", pk)
    answer.status_code = 303
    return answer


def _page(
    request: PersonRequest, proposal: Proposal, form: BypassForm, *, is_back: bool = False, status: int = 200
) -> HttpResponse:
    newest = review.newest(proposal)
    part = shown.part(shown.inline(Diff.from_json(newest.diff).rows, opened=shown.opened(request.GET)), request.GET)
    context = {
        "place": "review",
        "proposal": proposal,
        "revision": newest,
        "standing": review.standing(proposal, desk_of(request)),
        "effect": review.effect(proposal, holdings(proposal).last),
        "form": form,
        "is_back": is_back,
        "lines": part.lines,
        "part": part,
        "code": shown.is_code(proposal.document),
    }
    return render(request, "proposals/bypass.html", context, status=status)
