"""Amend a proposal's text: a new revision by the person who writes it."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from people.requests import PersonRequest
from proposals import interdiff, review, shown
from proposals.actions import proposals
from proposals.exceptions import ReviewError
from proposals.forms import AmendForm
from proposals.models import Proposal
from proposals.views.attention import to_decision
from proposals.views.editing import editor, template
from proposals.views.refusals import show_in


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("proposals.propose_change", raise_exception=True)
def amend(request: PersonRequest, pk: int) -> HttpResponseBase:
    """An editor with the full text; what was typed survives every refusal. “Preview” saves nothing."""
    proposal = review.find(pk)
    if request.method != "POST":
        return _page(request, proposal, _start(proposal))
    form = AmendForm(request.POST)
    if "preview" in request.POST:
        return _page(request, proposal, form)
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


def _start(proposal: Proposal) -> AmendForm:
    """The newest text; where the document moved on, the change carried over to what is current now."""
    revision = review.newest(proposal)
    merged = proposals.merged_onto_current(proposal) if proposal.is_stale else None
    text = merged.text if merged else revision.text
    form = AmendForm(initial={"title": proposal.title, "text": text, "digest": revision.digest})
    form.is_merged, form.conflicts = proposal.is_stale, merged.conflicts if merged else ()
    return form


def _page(request: PersonRequest, proposal: Proposal, form: AmendForm, *, status: int = 200) -> HttpResponseBase:
    newest = review.newest(proposal)
    sent = str(form["digest"].value() or "")[:64] if form.is_bound else ""
    context = {
        "place": "review",
        "proposal": proposal,
        "revision": newest,
        "form": form,
        "conflicts": form.conflicts,
        "code": shown.is_code(proposal.document),
        "interdiff": interdiff.since(proposal, newest, request.user, digest=sent) if sent else None,
    }
    context |= editor(request, proposal.document, form, proposal)
    return render(request, template(request, "proposals/amend.html"), context, status=status)
