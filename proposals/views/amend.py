"""Amend a proposal's text: a new revision by the person who writes it."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from agents.models import Version
from people.requests import PersonRequest
from proposals.actions import proposals
from proposals.exceptions import ReviewError
from proposals.forms.proposals import AmendForm
from proposals.models import Proposal, Revision
from proposals.reviewing import carrying, interdiff, review, shown
from proposals.reviewing.carrying import Carried
from proposals.views.attention import to_decision
from proposals.views.editing import editor, template
from proposals.views.refusals import show_in


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("proposals.propose_change", raise_exception=True)
def amend(request: PersonRequest, pk: int) -> HttpResponseBase:
    """An editor with the full text; what was typed survives every refusal. “Preview” saves nothing."""
    proposal = review.find(pk)
    if request.method != "POST":
        return _start(request, proposal)
    form = AmendForm(request.POST)
    if "preview" in request.POST:
        return _page(request, proposal, form)
    if "merge" in request.POST:
        return _merge(request, proposal, form)
    if not form.is_valid():
        return _page(request, proposal, form, status=422)
    typed = form.cleaned_data
    try:
        made = proposals.amend(pk, user=request.user, **typed)
    except ReviewError as refusal:
        status = show_in(form, refusal)
        return _page(request, review.find(pk), form, status=status)
    messages.success(request, to_decision(f"Amended. Revision {made.number} is what people decide on now."))
    answer = redirect("proposal", pk)
    answer.status_code = 303
    return answer


def _start(request: PersonRequest, proposal: Proposal) -> HttpResponseBase:
    """The newest text; where the document moved on, the change carried over to what is current now."""
    newest, carried = review.newest(proposal), carrying.change_onto_current(proposal)
    text, base = (carried.text, carried.base) if carried else (newest.text, newest.base_version.number)
    start = {"title": proposal.title, "text": text, "digest": newest.digest, "base": base}
    return _page(request, proposal, AmendForm(initial=start), carried)


def _merge(request: PersonRequest, proposal: Proposal, form: AmendForm) -> HttpResponseBase:
    """What was typed, carried over to the newest text; nothing is saved."""
    if not form.is_valid():
        return _page(request, proposal, form, status=422)
    typed = form.cleaned_data
    try:
        carried = carrying.typed_onto_newest(proposal, typed["text"], digest=typed["digest"], base=typed["base"])
    except ReviewError as refusal:
        return _page(request, proposal, form, status=show_in(form, refusal))
    merged = AmendForm(typed | {"text": carried.text, "digest": carried.digest, "base": carried.base})
    return _page(request, proposal, merged, carried)


def _behind(newest: Revision, current: Version | None, form: AmendForm) -> str:
    """The text that came between, “revision 2” or “version 3”; empty where what is typed can be saved."""
    if not form.is_bound or current is None:
        return ""
    if form["digest"].value() != newest.digest:
        return str(newest)
    base = form["base"].value() or newest.base_version.number
    return "" if str(base) == str(current.number) else str(current)


def _page(
    request: PersonRequest, proposal: Proposal, form: AmendForm, carried: Carried | None = None, *, status: int = 200
) -> HttpResponseBase:
    newest = review.newest(proposal)
    sent = str(form["digest"].value() or "")[:64] if form.is_bound else ""
    context = {
        "place": "review",
        "proposal": proposal,
        "revision": newest,
        "form": form,
        "carried": carried,
        "behind": _behind(newest, proposal.document.current, form),
        "again": reverse("amend", args=[proposal.pk]),
        "code": shown.is_code(proposal.document),
        "interdiff": interdiff.since(proposal, newest, request.user, digest=sent) if sent else None,
    }
    context |= editor(request, proposal.document, form, proposal)
    return render(request, template(request, "proposals/amend.html"), context, status=status)
