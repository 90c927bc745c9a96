"""The pages on which admins manage teams."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from audit.record import Actor
from people import fresh, teams
from people.exceptions import PeopleError
from people.forms import TeamForm, team_form_of
from people.models import Team
from people.requests import PersonRequest

may_manage = permission_required("people.manage_people", raise_exception=True)


@require_http_methods(["GET", "HEAD", "POST"])
@may_manage
def new_team(request: PersonRequest) -> HttpResponseBase:
    """Make a team."""
    form = TeamForm(request.POST or None)
    fresh.fill(request, form)
    if request.method != "POST" or not form.is_valid():
        return render(request, "people/new_team.html", {"form": form}, status=422 if form.is_bound else 200)
    try:
        made = teams.create_team(**form.cleaned_data, actor=Actor.person(request.user))
    except PeopleError as refusal:
        form.refuse(refusal)
        return render(request, "people/new_team.html", {"form": form}, status=422)
    messages.success(request, f"{made} is a team now. Give it agents on their pages.")
    return _see("team", made.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@may_manage
def team(request: PersonRequest, pk: int) -> HttpResponseBase:
    """One team: its name, its members, what it owns; posting gives it this name and exactly these members."""
    found = get_object_or_404(Team, pk=pk)
    if request.method != "POST":
        form = team_form_of(found)
        fresh.fill(request, form)
        return _team(request, found, form)
    form = TeamForm(request.POST, team=found)
    if not form.is_valid():
        return _team(request, found, form, status=422)
    try:
        changed = _change(found, form, Actor.person(request.user))
    except PeopleError as refusal:
        form.refuse(refusal)
        return _team(request, found, form, status=409)
    messages.success(request, "Saved. It holds from their next click on." if changed else "Nothing was changed.")
    return _see("team", found.pk)


@transaction.atomic
def _change(found: Team, form: TeamForm, actor: Actor) -> bool:
    """Both or neither."""
    renamed = teams.rename_team(found.pk, form.cleaned_data["name"], actor=actor)
    return teams.set_members(found.pk, form.cleaned_data["members"], actor=actor) or renamed


@require_POST
@may_manage
def dissolve_team(request: PersonRequest, pk: int) -> HttpResponseBase:
    """End a team that owns nothing."""
    found = get_object_or_404(Team, pk=pk)
    try:
        teams.dissolve(found.pk, actor=Actor.person(request.user))
    except PeopleError as refusal:
        messages.error(request, str(refusal))
        return _team(request, found, team_form_of(found), status=409)
    messages.success(request, f"{found} is dissolved.")
    return _see("settings")


def _team(request: PersonRequest, found: Team, form: TeamForm, *, status: int = 200) -> HttpResponse:
    owned = found.owned_sections.filter(is_protected=True).select_related("document__agent").order_by("pk")
    context = {"team": found, "form": form, "agents": found.agents.order_by("name"), "sections": owned}
    return render(request, "people/team.html", context, status=status)


def _see(name: str, *arguments: int) -> HttpResponse:
    answer = redirect(name, *arguments)
    answer.status_code = 303
    return answer
