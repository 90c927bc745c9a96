"""The pages on which admins manage people."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.numbers import counted
from audit.record import Actor
from people import accounts, factors, fresh, oidc, sessions
from people.exceptions import PeopleError
from people.forms import PersonForm, RolesForm, roles_form_of
from people.models import User
from people.requests import PersonRequest
from people.signin import invite, sign_in_link

KEYS_SHOWN = 100
may_manage = permission_required("people.manage_people", raise_exception=True)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@may_manage
def new_person(request: PersonRequest) -> HttpResponseBase:
    """Add a person; the answer shows their first sign-in link, and nothing shows it again."""
    form = PersonForm(request.POST or None)
    fresh.fill(request, form)
    if request.method != "POST" or not form.is_valid():
        return render(request, "people/new_person.html", {"form": form}, status=422 if form.is_bound else 200)
    wish, actor = form.cleaned_data, Actor.person(request.user)
    try:
        person, link = invite(
            wish["username"], name=wish["name"], roles=wish["roles"], base_url=_base_url(request), actor=actor
        )
    except PeopleError as refusal:
        form.refuse(refusal)
        return render(request, "people/new_person.html", {"form": form}, status=422)
    return _link_made(request, person, link)


@require_safe
@may_manage
def person(request: PersonRequest, pk: int) -> HttpResponse:
    """One person: roles, state, what they own, and the ways to change it."""
    found = get_object_or_404(User, pk=pk)
    form = roles_form_of(found)
    fresh.fill(request, form)
    return _person(request, found, form)


@require_POST
@may_manage
def change_person(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Give a person this name and exactly these roles."""
    found = get_object_or_404(User, pk=pk)
    form = RolesForm(request.POST)
    if not form.is_valid():
        return _person(request, found, form, status=422)
    try:
        changed = _change(found, form, Actor.person(request.user))
    except PeopleError as refusal:
        form.refuse(refusal)
        return _person(request, found, form, status=409)
    messages.success(request, "Saved. It holds from their next click on." if changed else "Nothing was changed.")
    return _see(request, found)


@transaction.atomic
def _change(found: User, form: RolesForm, actor: Actor) -> bool:
    """Both or neither."""
    renamed = accounts.rename(found.pk, form.cleaned_data["name"], actor=actor)
    return accounts.set_roles(found.pk, form.cleaned_data["roles"], actor=actor) or renamed


@require_POST
@may_manage
def deactivate_person(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Let a person in no more."""
    found = get_object_or_404(User, pk=pk)
    try:
        done = accounts.deactivate(found.pk, actor=Actor.person(request.user))
    except PeopleError as refusal:
        return _refused(request, found, refusal)
    messages.success(request, f"{found} is deactivated." if done else f"{found} was deactivated already.")
    return _see(request, found)


@require_POST
@may_manage
def reactivate_person(request: PersonRequest, pk: int) -> HttpResponse:
    """Let a person in again."""
    found = get_object_or_404(User, pk=pk)
    done = accounts.reactivate(found.pk, actor=Actor.person(request.user))
    messages.success(request, f"{found} is active again." if done else f"{found} was active already.")
    return _see(request, found)


@require_POST
@may_manage
def sign_out_person(request: PersonRequest, pk: int) -> HttpResponse:
    """Sign a person out wherever they are."""
    found = get_object_or_404(User, pk=pk)
    ended = sessions.end_all(found, actor=Actor.person(request.user))
    where = f"{found} is signed out in {counted(ended, 'place')}." if ended else f"{found} was signed in nowhere."
    messages.success(request, where)
    return _see(request, found)


@require_POST
@may_manage
def reset_factor(request: PersonRequest, pk: int) -> HttpResponse:
    """Take a lost second factor away."""
    found = get_object_or_404(User, pk=pk)
    done = factors.reset(found.pk, actor=Actor.person(request.user))
    messages.success(request, f"{found} has no second factor any more." if done else f"{found} had none.")
    return _see(request, found)


@require_POST
@may_manage
def disconnect_person(request: PersonRequest, pk: int) -> HttpResponse:
    """Let a person come in by the sign-in service no more, and sign them out wherever they are."""
    found, actor = get_object_or_404(User, pk=pk), Actor.person(request.user)
    with transaction.atomic():
        done = oidc.unlink(found.pk, actor=actor, why=f"by {actor.label}")
        if done:
            sessions.end_all(found, actor=actor)
    said = f"{found} comes in by the service no more." if done else f"{found} did not come in by the service."
    messages.success(request, said)
    return _see(request, found)


@never_cache
@require_POST
@may_manage
def make_link(request: PersonRequest, pk: int) -> HttpResponseBase:
    """Make a one-time sign-in link for a person; it is on the answer and nowhere else."""
    found = get_object_or_404(User, pk=pk)
    try:
        link = sign_in_link(found, _base_url(request), actor=Actor.person(request.user))
    except PeopleError as refusal:
        return _refused(request, found, refusal)
    return _link_made(request, found, link)


def _person(request: PersonRequest, found: User, form: RolesForm, *, status: int = 200) -> HttpResponse:
    live_keys = found.keys.filter(revoked_at=None).select_related("agent", "owner")
    context = {
        "person": found,
        "form": form,
        "roles": found.groups.order_by("name"),
        "teams": found.teams.order_by("name"),
        "factors": factors.factors_of(found),
        "asked_for": factors.asks_for_one(found),
        "places": sessions.places(found),
        "service": oidc.is_linked(found) and settings.COUNTERSIGN_OIDC_NAME,
        "keys": live_keys[:KEYS_SHOWN],
        "sections": found.owned_sections.filter(is_protected=True).select_related("document__agent")[:KEYS_SHOWN],
    }
    return render(request, "people/person.html", context, status=status)


def _refused(request: PersonRequest, found: User, refusal: PeopleError) -> HttpResponse:
    messages.error(request, str(refusal))
    return _person(request, found, roles_form_of(found), status=409)


def _link_made(request: PersonRequest, found: User, link: str) -> HttpResponse:
    return render(request, "people/link_made.html", {"person": found, "link": link}, status=201)


def _see(request: PersonRequest, found: User) -> HttpResponse:
    """Back to the person, or to the entrance for whoever has just ended their own rights."""
    oneself = found.pk == request.user.pk
    answer = redirect("settings") if oneself else redirect("person", found.pk)
    answer.status_code = 303
    return answer


def _base_url(request: PersonRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"
