"""The keys that agents sign in with."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from agents import keys
from agents.forms import KeyForm
from agents.models import Agent, ApiKey
from audit.record import Actor
from people.requests import PersonRequest


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("agents.manage_key", raise_exception=True)
def new_key(request: PersonRequest, slug: str) -> HttpResponseBase:
    """Create a key for one agent; its secret is on the answer and nowhere else."""
    agent = get_object_or_404(Agent, slug=slug)
    form = KeyForm(request.POST or None)
    context = {"place": "agents", "agent": agent, "form": form}
    if request.method != "POST" or not form.is_valid():
        return render(request, "agents/new_key.html", context, status=422 if form.is_bound else 200)
    wish = form.cleaned_data
    key, secret = keys.create(
        agent, wish["scopes"], actor=Actor.person(request.user), label=wish["label"], days=wish["days"]
    )
    return render(request, "agents/key_made.html", {**context, "key": key, "secret": secret}, status=201)


@require_POST
@permission_required("agents.manage_key", raise_exception=True)
def revoke_key(request: PersonRequest, prefix: str) -> HttpResponse:
    """End a key for good."""
    key = get_object_or_404(ApiKey.objects.select_related("agent"), prefix=prefix)
    revoked = keys.revoke(prefix, actor=Actor.person(request.user))
    said = f"Revoked {key.label}. It is refused from now on." if revoked else f"{key.label} was revoked already."
    messages.success(request, said)
    answer = redirect("agent", key.agent.slug) if key.agent else redirect("settings")
    answer.status_code = 303
    return answer
