"""Signing in by link, and what a person may set for themselves."""

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from sesame.utils import get_user

from audit.record import Actor, record
from people import fresh
from people.comforts import back, begin_first_days
from people.models import User
from people.requests import PersonRequest

_BACKEND = "sesame.backends.ModelBackend"


@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_by_link(request: HttpRequest) -> HttpResponse:
    """Opening the link asks, pressing the button signs in: programs that look at links ahead must not use them up."""
    person = _signed_in(request) if request.method == "POST" else _holder(request)
    if person is None:
        return render(request, "people/link_used.html", status=403)
    if request.method != "POST":
        return render(request, "people/sign_in_by_link.html", {"person": person})
    answer = HttpResponseRedirect(fresh.waits_at(request) or reverse("queue"))
    answer.status_code = 303
    return answer


def _holder(request: HttpRequest) -> User | None:
    person = get_user(request, update_last_login=False)
    return person if isinstance(person, User) and person.is_active else None


@transaction.atomic
def _signed_in(request: HttpRequest) -> User | None:
    """The link holds the time of the last sign-in; the lock makes sure that it serves one of two presses only."""
    person = _holder(request)
    if person is None:
        return None
    User.objects.select_for_update(no_key=True).get(pk=person.pk)
    person = _holder(request)
    if person is not None:
        login(request, person, backend=_BACKEND)
        begin_first_days(person)
        record("person.signed_in", actor=Actor.person(person), target=person, after={"by": "link"})
    return person


@require_POST
def set_theme(request: PersonRequest) -> HttpResponse:
    """Keep the person's choice of light or dark."""
    theme = request.POST.get("theme", "")
    if theme in User.Theme.values:
        User.objects.filter(pk=request.user.pk).update(theme=theme)
    else:
        messages.error(request, "There is no such theme.")
    return back(request)
