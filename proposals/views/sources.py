"""What has to stand behind the drafts that are made by themselves."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from agents.reach import within
from people import fresh
from people.requests import PersonRequest
from proposals.actions.source_rules import remove_rule, set_rule
from proposals.exceptions import ReviewError
from proposals.forms.decisions import SourceRuleForm
from proposals.grounds.sourcing import board_rule
from proposals.models import SourceRule
from proposals.rules.backing import Rule
from proposals.views.refusals import show_in

may_manage = permission_required("proposals.manage_policy", raise_exception=True)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("proposals.view_proposal", raise_exception=True)
def sources(request: PersonRequest) -> HttpResponseBase:
    """The board's rule and those of single agents, for everybody; a form for admins."""
    if request.method == "POST":
        return _set(request)
    given = fresh.take_words(request, reverse("sources"))
    asked = {name: request.GET[name] for name in SourceRuleForm.base_fields if name in request.GET}
    return _page(request, SourceRuleForm(initial=board_rule().to_json() | (given or asked)))


@may_manage
def _set(request: PersonRequest) -> HttpResponseBase:
    form = SourceRuleForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    if not fresh.is_fresh(request):
        words = {name: form.data.get(name, "") for name in form.fields}
        return fresh.ask_again(request, back=reverse("sources"), words=words)
    word = dict(form.cleaned_data)
    agent = word.pop("agent")
    try:
        made = set_rule(agent.pk, user=request.user, rule=Rule(**word))
    except ReviewError as refusal:
        return _page(request, form, status=show_in(form, refusal))
    messages.success(request, f"For {made}, drafts made by themselves take from now on: {made.rule}.")
    return _see()


@require_http_methods(["GET", "HEAD", "POST"])
@may_manage
def remove(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Leave one agent to the board's rule."""
    if request.method != "POST":
        return redirect("sources")
    if not fresh.is_fresh(request):
        return fresh.ask_again(request, back=reverse("sources"), words={})
    gone = remove_rule(pk, user=request.user)
    messages.success(request, f"The board’s rule holds for {gone}." if gone else "The board’s rule holds already.")
    return _see()


def _see() -> HttpResponse:
    answer = redirect("sources")
    answer.status_code = 303
    return answer


def _page(request: PersonRequest, form: SourceRuleForm, *, status: int = 200) -> HttpResponse:
    seen = within(SourceRule.objects.select_related("agent"), request.user, "agent")
    context = {
        "place": "settings",
        "board": board_rule(),
        "rules": list(seen.order_by("agent__name", "pk")),
        "form": form,
    }
    return render(request, "proposals/sources.html", context, status=status)
