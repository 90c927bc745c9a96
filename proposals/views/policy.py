"""The policy: how many approvals which changes need."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from people import fresh
from people.requests import PersonRequest
from proposals.actions.policy import remove_policy, set_policy
from proposals.authority.policies import built_in
from proposals.exceptions import ReviewError
from proposals.forms.decisions import PolicyForm
from proposals.models import Policy
from proposals.views.refusals import show_in

may_manage = permission_required("proposals.manage_policy", raise_exception=True)
_SCOPE = ("agent", "kind", "covers", "approvals", "owner_approvals", "opens_evidence")


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("proposals.view_proposal", raise_exception=True)
def policy(request: PersonRequest) -> HttpResponseBase:
    """All rules, for everybody; a form for admins."""
    if request.method == "POST":
        return _set(request)
    words = fresh.take_words(request, reverse("policy"))
    return _page(
        request, PolicyForm(initial=words or {name: request.GET[name] for name in _SCOPE if name in request.GET})
    )


@may_manage
def _set(request: PersonRequest) -> HttpResponseBase:
    form = PolicyForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    if not fresh.is_fresh(request):
        return fresh.ask_again(request, back=reverse("policy"), words=_typed(form))
    try:
        made = set_policy(user=request.user, **form.cleaned_data)
    except ReviewError as refusal:
        return _page(request, form, status=show_in(form, refusal))
    messages.success(
        request, f"{made}: {str(made.quorum).lower()}. What is open keeps the stricter of this and before."
    )
    return _see()


def _typed(form: PolicyForm) -> dict[str, str]:
    return {name: form.data[name] for name in _SCOPE if name in form.data}


@require_http_methods(["GET", "HEAD", "POST"])
@may_manage
def remove(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Take one rule back."""
    if request.method != "POST":
        return redirect("policy")
    if not fresh.is_fresh(request):
        return fresh.ask_again(request, back=reverse("policy"), words={})
    gone = remove_policy(pk, user=request.user)
    messages.success(request, f"Removed: {gone}." if gone else "That rule is gone already.")
    return _see()


def _see() -> HttpResponse:
    answer = redirect("policy")
    answer.status_code = 303
    return answer


def _page(request: PersonRequest, form: PolicyForm, *, status: int = 200) -> HttpResponse:
    rules = list(
        Policy.objects.for_person(request.user).select_related("agent").order_by("agent__name", "kind", "covers")
    )
    general = {rule.covers for rule in rules if rule.is_general}
    stand_ins = [
        {"covers": covers.value, "label": covers.label, "quorum": built_in(covers)}
        for covers in (Policy.Covers.ANY, Policy.Covers.PROTECTED, Policy.Covers.HIGH)
        if covers not in general
    ]
    context = {"place": "settings", "rules": rules, "built_in": stand_ins, "form": form}
    return render(request, "proposals/policy.html", context, status=status)
