"""What may start by itself in a document of settings, what did, and what waits for a person all the same."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from agents.models import Document
from people import fresh
from people.requests import PersonRequest
from proposals.actions.safe_rules import remove_rules, set_rules
from proposals.actions.self_starts import eligible, why_not
from proposals.exceptions import ReviewError
from proposals.forms.safe import SafeForm
from proposals.models import Proposal, Rollout, SafeRules, SelfStart
from proposals.rollouts.page import rollout_of
from proposals.rollouts.pills import pill as rollout_pill
from proposals.safe import BadRules, Fits
from proposals.views.refusals import show_in

SHOWN = 10
LOOKED_AT = 3
"""Proposals that are looked at anew for the page; each takes some questions and reading two texts."""
may_manage = permission_required("proposals.manage_policy", raise_exception=True)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("proposals.view_proposal", raise_exception=True)
def rules(request: PersonRequest, slug: str, name: str) -> HttpResponseBase:
    """The rules of one document, for everybody; a form for admins. Only settings have such a page."""
    named = Document.objects.named(slug, name).filter(kind=Document.Kind.CONFIG)
    found = get_object_or_404(named.select_related("agent", "current"))
    if request.method == "POST":
        return _set(request, found)
    kept = SafeRules.objects.filter(document=found).first()
    if words := fresh.take_words(request, _here(found)):
        return _page(request, found, kept, SafeForm(initial=words))
    return _page(request, found, kept, SafeForm.of(kept.rules if kept else None))


@may_manage
def _set(request: PersonRequest, found: Document) -> HttpResponseBase:
    kept = SafeRules.objects.filter(document=found).first()
    if request.POST.get("act") == "remove":
        return _remove(request, found)
    form = SafeForm(request.POST)
    if not form.is_valid():
        return _page(request, found, kept, form, status=422)
    try:
        wanted = form.rules
    except BadRules as bad:
        form.refuse(bad.field, str(bad))
        return _page(request, found, kept, form, status=422)
    if not fresh.is_fresh(request):
        words = {name: form.data.get(name, "") for name in form.fields}
        return fresh.ask_again(request, back=_here(found), words=words)
    try:
        set_rules(found, user=request.user, rules=wanted)
    except ReviewError as refusal:
        return _page(request, found, kept, form, status=show_in(form, refusal))
    messages.success(request, f"Saved. From now on this may start by itself: {wanted.in_words}.")
    return _see(found)


def _remove(request: PersonRequest, found: Document) -> HttpResponseBase:
    if not fresh.is_fresh(request):
        return fresh.ask_again(request, back=_here(found), words={})
    gone = remove_rules(found, user=request.user)
    messages.success(request, "Removed. Every change waits for a person." if gone else "There was no rule any more.")
    return _see(found)


def _here(document: Document) -> str:
    return reverse("safe_rules", args=[document.agent.slug, document.slug])


def _see(document: Document) -> HttpResponse:
    answer = redirect(_here(document))
    answer.status_code = 303
    return answer


def _page(
    request: PersonRequest, found: Document, kept: SafeRules | None, form: SafeForm, *, status: int = 200
) -> HttpResponse:
    starts = SelfStart.objects.filter(proposal__document=found).select_related("proposal__rollout__split")
    context = {
        "place": "agents",
        "document": found,
        "rules": kept.rules if kept else None,
        "form": form,
        "started": [_started(one) for one in starts.order_by("-pk")[:SHOWN]],
        "waiting": [_waiting(one) for one in eligible(found).for_page()[:LOOKED_AT]] if kept else [],
    }
    return render(request, "proposals/safe.html", context, status=status)


def _started(start: SelfStart) -> dict[str, object]:
    rollout: Rollout | None = rollout_of(start.proposal)
    return {"start": start, "proposal": start.proposal, "pill": rollout_pill(rollout) if rollout else None}


def _waiting(proposal: Proposal) -> tuple[Proposal, str]:
    found = why_not(proposal)
    return proposal, "It starts within a minute." if isinstance(found, Fits) else found
