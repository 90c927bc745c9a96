"""Which agents' drafts may quote what people corrected."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from agents.reach import within
from people import fresh
from people.requests import PersonRequest
from proposals.actions.quoting import allow_quoting, forbid_quoting
from proposals.exceptions import ReviewError
from proposals.forms.decisions import QuotingForm
from proposals.models import Quoting
from proposals.views.refusals import show_in

may_manage = permission_required("proposals.manage_policy", raise_exception=True)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("proposals.view_proposal", raise_exception=True)
def quoting(request: PersonRequest) -> HttpResponseBase:
    """All agents that have it on, for everybody; a form for admins."""
    if request.method == "POST":
        return _allow(request)
    return _page(request, QuotingForm(initial=fresh.take_words(request, reverse("quoting")) or None))


@may_manage
def _allow(request: PersonRequest) -> HttpResponseBase:
    form = QuotingForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    if not fresh.is_fresh(request):
        words = {name: form.data.get(name, "") for name in form.fields}
        return fresh.ask_again(request, back=reverse("quoting"), words=words)
    try:
        made = allow_quoting(user=request.user, **form.cleaned_data)
    except ReviewError as refusal:
        return _page(request, form, status=show_in(form, refusal))
    messages.success(request, f"Drafts for {made} may quote what {made.sources} sources corrected in the same words.")
    return _see()


@require_http_methods(["GET", "HEAD", "POST"])
@may_manage
def forbid(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Switch it off for one agent."""
    if request.method != "POST":
        return redirect("quoting")
    if not fresh.is_fresh(request):
        return fresh.ask_again(request, back=reverse("quoting"), words={})
    gone = forbid_quoting(pk, user=request.user)
    messages.success(request, f"Drafts for {gone} quote nothing any more." if gone else "That is switched off already.")
    return _see()


def _see() -> HttpResponse:
    answer = redirect("quoting")
    answer.status_code = 303
    return answer


def _page(request: PersonRequest, form: QuotingForm, *, status: int = 200) -> HttpResponse:
    seen = within(Quoting.objects.select_related("agent"), request.user, "agent")
    allowed = list(seen.order_by("agent__name", "pk"))
    context = {"place": "settings", "allowed": allowed, "form": form}
    return render(request, "proposals/quoting.html", context, status=status)
