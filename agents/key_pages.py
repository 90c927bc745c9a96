"""The page of one API key: when it was last used, its successor, and where and how much it may be used."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from agents.forms_keys import RotateForm, RulesForm
from agents.keys import OwnerRefused, rules_of
from agents.models import ApiKey
from agents.rotation import CannotChange, rotate, set_rules
from audit.record import Actor
from people import fresh
from people.requests import PersonRequest

may_manage = permission_required("agents.manage_key", raise_exception=True)


@require_safe
@permission_required("agents.view_agent", raise_exception=True)
def key(request: PersonRequest, prefix: str) -> HttpResponse:
    """One key, and the ways to change it."""
    return _key(request, _find(prefix))


@never_cache
@require_POST
@may_manage
def rotate_key(request: PersonRequest, prefix: str) -> HttpResponseBase:
    """Replace a key; the secret of its successor is on the answer and nowhere else."""
    found, form = _find(prefix), RotateForm(request.POST)
    if not form.is_valid():
        return _key(request, found, rotation=form, status=422)
    actor = Actor.person(request.user)
    try:
        successor, secret = rotate(prefix, actor=actor, by=request.user, **form.cleaned_data)
    except (CannotChange, OwnerRefused) as refusal:
        form.add_error(None, str(refusal))
        return _key(request, found, rotation=form, status=409)
    old = ApiKey.objects.get(prefix=prefix)
    context = {"place": "agents", "agent": successor.agent, "key": successor, "secret": secret, "old": old}
    return render(request, "agents/key_made.html", context, status=201)


@require_POST
@may_manage
def set_key_rules(request: PersonRequest, prefix: str) -> HttpResponseBase:
    """Set where a key may be used from, and how much."""
    found, form = _find(prefix), RulesForm(request.POST)
    if not form.is_valid():
        return _key(request, found, rules=form, status=422)
    try:
        done = set_rules(prefix, form.rules, actor=Actor.person(request.user), by=request.user)
    except CannotChange as refusal:
        form.add_error(None, str(refusal))
        return _key(request, found, rules=form, status=409)
    messages.success(request, "Saved. It holds within a second." if done else "Nothing was changed.")
    answer = redirect("key", prefix)
    answer.status_code = 303
    return answer


def _find(prefix: str) -> ApiKey:
    rows = ApiKey.objects.select_related("agent", "owner", "successor", "predecessor")
    return get_object_or_404(rows, prefix=prefix)


def _key(
    request: PersonRequest,
    found: ApiKey,
    *,
    rotation: RotateForm | None = None,
    rules: RulesForm | None = None,
    status: int = 200,
) -> HttpResponse:
    offered = rotation or RotateForm(), rules or RulesForm.of(rules_of(found))
    for form in offered:
        fresh.fill(request, form)
    context = {
        "place": "agents",
        "key": found,
        "agent": found.agent,
        "predecessor": getattr(found, "predecessor", None),
        "limits": found.limits,
        "rotation": offered[0],
        "rules": offered[1],
        "form": rotation or rules,
    }
    return render(request, "agents/key.html", context, status=status)
