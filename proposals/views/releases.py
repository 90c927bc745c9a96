"""How many releases of an agent go out within a day."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from agents import pace
from agents.models import Agent
from people import fresh
from people.requests import PersonRequest
from proposals.actions.release_limits import set_releases
from proposals.exceptions import ReviewError
from proposals.forms.decisions import ReleasesForm
from proposals.views.refusals import show_in


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("proposals.view_proposal", raise_exception=True)
def releases(request: PersonRequest) -> HttpResponseBase:
    """The board's limit and those of single agents, for everybody; a form for admins."""
    if request.method == "POST":
        return _set(request)
    given = fresh.take_words(request, reverse("releases"))
    asked = {name: request.GET[name] for name in ReleasesForm.base_fields if name in request.GET}
    return _page(request, ReleasesForm(initial=given or asked))


@permission_required("proposals.manage_policy", raise_exception=True)
def _set(request: PersonRequest) -> HttpResponseBase:
    form = ReleasesForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    if not fresh.is_fresh(request):
        words = {name: form.data.get(name, "") for name in form.fields}
        return fresh.ask_again(request, back=reverse("releases"), words=words)
    word = form.cleaned_data
    try:
        agent = set_releases(word["agent"].pk, user=request.user, releases=word["releases"])
    except ReviewError as refusal:
        return _page(request, form, status=show_in(form, refusal))
    messages.success(request, f"{agent}: {pace.limit_in_words(agent)}.")
    answer = redirect("releases")
    answer.status_code = 303
    return answer


def _page(request: PersonRequest, form: ReleasesForm, *, status: int = 200) -> HttpResponse:
    own = Agent.objects.for_person(request.user).filter(releases_a_day__isnull=False)
    context = {
        "place": "settings",
        "board": pace.words(settings.COUNTERSIGN_RELEASES_A_DAY),
        "rules": [(agent, pace.limit_in_words(agent)) for agent in own],
        "form": form,
    }
    return render(request, "proposals/releases.html", context, status=status)
