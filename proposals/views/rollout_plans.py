"""The plans by which candidates are rolled out, and the switch that freezes everything."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from agents import freezing
from people import fresh
from people.models import User
from people.requests import PersonRequest
from proposals.actions.rollout_plans import remove_plan, set_plan
from proposals.exceptions import ReviewError
from proposals.forms.rollouts import FreezeForm, PlanForm
from proposals.judging.quick import FALSE_ALARMS
from proposals.models import RolloutPlan
from proposals.rules.plans import BUILT_IN, STARTS, BadPlan, Plan
from proposals.views.refusals import show_in

may_manage = permission_required("proposals.manage_policy", raise_exception=True)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("proposals.view_proposal", raise_exception=True)
def plans(request: PersonRequest) -> HttpResponseBase:
    """All plans, for everybody; a form for admins; the switch for operators."""
    if request.method == "POST":
        return _set(request)
    words = fresh.take_words(request, reverse("rollout_plans"))
    if words:
        return _page(request, PlanForm(initial=words))
    asked = request.GET.get("plan", "")
    is_number = asked.isascii() and asked.isdigit() and len(asked) < 10
    rule = (
        _rules(request.user).filter(pk=int(asked)).first()
        if is_number
        else _rules(request.user).filter(document=None).first()
    )
    return _page(request, PlanForm.of(Plan.from_json(rule.plan), rule.document) if rule else PlanForm.of())


@may_manage
def _set(request: PersonRequest) -> HttpResponseBase:
    form = PlanForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        plan = form.plan
    except BadPlan as bad:
        form.refuse(bad.field, str(bad))
        return _page(request, form, status=422)
    if not fresh.is_fresh(request):
        words = {name: form.data.get(name, "") for name in form.fields}
        return fresh.ask_again(request, back=reverse("rollout_plans"), words=words)
    try:
        made = set_plan(user=request.user, document=form.cleaned_data["document"], plan=plan)
    except ReviewError as refusal:
        return _page(request, form, status=show_in(form, refusal))
    messages.success(request, f"Saved for {made}. What is being rolled out keeps the plan it began with.")
    return _see("rollout_plans")


@require_http_methods(["GET", "HEAD", "POST"])
@may_manage
def remove(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Take one plan back."""
    if request.method != "POST":
        return redirect("rollout_plans")
    if not fresh.is_fresh(request):
        return fresh.ask_again(request, back=reverse("rollout_plans"), words={})
    gone = remove_plan(pk, user=request.user)
    messages.success(request, f"Removed: the plan of {gone}." if gone else "That plan is gone already.")
    return _see("rollout_plans")


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(freezing.FREEZE, raise_exception=True)
def freeze(request: PersonRequest) -> HttpResponseBase:
    """Freeze everything, or let it go again."""
    now, typed = freezing.frozen(), fresh.take_words(request, reverse("freeze"))
    form = FreezeForm(request.POST or None, initial=typed)
    if request.method == "POST" and form.is_valid():
        thaw = request.POST.get("act") == "thaw"
        if thaw and not fresh.is_fresh(request):
            return fresh.ask_again(request, back=reverse("freeze"), words=form.cleaned_data)
        try:
            (freezing.thaw if thaw else freezing.freeze)(user=request.user, reason=form.cleaned_data["reason"])
        except freezing.CannotFreeze as refusal:
            form.refuse(refusal.field, str(refusal))
        else:
            done = "Everything goes on by itself again." if thaw else "Frozen. Nothing happens by itself any more."
            messages.success(request, done)
            return _see("freeze")
    context = {"place": "settings", "form": form, "frozen_now": now}
    return render(request, "proposals/freeze.html", context, status=422 if form.is_bound else 200)


def _see(name: str) -> HttpResponse:
    answer = redirect(name)
    answer.status_code = 303
    return answer


def _rules(user: User) -> "QuerySet[RolloutPlan]":
    return (
        RolloutPlan.objects.for_person(user)
        .select_related("document__agent")
        .order_by("document__agent__name", "document")
    )


def _page(request: PersonRequest, form: PlanForm, *, status: int = 200) -> HttpResponse:
    rules = [(rule, Plan.from_json(rule.plan)) for rule in _rules(request.user)]
    context = {
        "place": "settings",
        "rules": [_row(rule, plan) for rule, plan in rules],
        "built_in": None if any(rule.document_id is None for rule, _ in rules) else _row(None, BUILT_IN),
        "form": form,
        "false_alarms": FALSE_ALARMS,
    }
    return render(request, "proposals/rollout_plans.html", context, status=status)


def _row(rule: RolloutPlan | None, plan: Plan) -> dict[str, object]:
    return {"rule": rule, "plan": plan, "start": STARTS[plan.start]}
