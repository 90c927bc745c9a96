"""Signing in by link, and what a person may set for themselves."""

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import perform_login
from allauth.account.internal.stagekit import clear_login
from allauth.account.models import Login
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from sesame.utils import get_user

from people import factors, fresh, tries
from people.comforts import back
from people.models import User
from people.requests import PersonRequest
from people.ways import note_link


@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_by_link(request: HttpRequest) -> HttpResponseBase:
    """Opening the link asks, pressing the button signs in: programs that look at links ahead must not use them up."""
    if request.method == "POST":
        return _sign_in(request) or _used_up(request)
    person = _holder(request)
    return render(request, "people/sign_in_by_link.html", {"person": person}) if person else _used_up(request)


def _used_up(request: HttpRequest) -> HttpResponse:
    tries.note("link")
    return render(request, "people/link_used.html", status=403)


def _holder(request: HttpRequest) -> User | None:
    person = get_user(request, update_last_login=False)
    return person if isinstance(person, User) and person.is_active else None


@transaction.atomic
def _sign_in(request: HttpRequest) -> HttpResponseBase | None:
    """Stands for the password, not for a second factor. The link holds the time of the last sign-in, and the lock makes
    sure that it serves one of two presses only."""
    person = _holder(request)
    if person is None:
        return None
    User.objects.select_for_update(no_key=True).get(pk=person.pk)
    person = _holder(request)
    if person is None:
        return None
    if request.user.is_authenticated and (request.user.pk != person.pk or factors.has_second(person)):
        get_adapter().logout(request)
    clear_login(request)
    note_link(request, person)
    answer: HttpResponseBase = perform_login(
        request, Login(user=person, redirect_url=fresh.waits_at(request) or reverse("queue"))
    )
    answer.status_code = 303
    return answer


@require_POST
def set_theme(request: PersonRequest) -> HttpResponse:
    """Keep the person's choice of light or dark."""
    theme = request.POST.get("theme", "")
    if theme in User.Theme.values:
        User.objects.filter(pk=request.user.pk).update(theme=theme)
    else:
        messages.error(request, "There is no such theme.")
    return back(request)
