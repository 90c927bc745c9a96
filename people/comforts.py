"""What a person may set about how the board treats them. Nobody else is affected, so the log does not keep it."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from people.models import User
from people.requests import PersonRequest

HINTED = ("queue", "proposal", "document")
FOR_GOOD = "all"


@require_POST
def set_keys(request: PersonRequest) -> HttpResponseRedirect:
    """Turn the single keys on or off (WCAG 2.1.4): speech input and slips of the hand press them unmeant."""
    wanted = request.POST.get("single_keys", "")
    if wanted in ("on", "off"):
        User.objects.filter(pk=request.user.pk).update(single_keys=wanted == "on")
        messages.success(request, f"Single keys are {wanted}.")
    else:
        messages.error(request, "Single keys are either on or off.")
    return back(request)


@require_POST
def set_hints(request: PersonRequest) -> HttpResponseRedirect:
    """Put away the hint of one page, or all for good; or bring them back."""
    wanted = request.POST.get("hint", "")
    if wanted in (*HINTED, FOR_GOOD):
        _put_away(request.user.pk, wanted)
    elif wanted == "show":
        User.objects.filter(pk=request.user.pk).update(hints_put_away=[], hints_since=timezone.now())
    else:
        messages.error(request, "There is no such hint.")
    return back(request)


@transaction.atomic
def _put_away(person_id: int, name: str) -> None:
    """The lock is for two tabs at once: neither may undo the other's."""
    person = User.objects.select_for_update(no_key=True).only("hints_put_away").get(pk=person_id)
    if name not in person.hints_put_away:
        User.objects.filter(pk=person_id).update(hints_put_away=[*person.hints_put_away, name])


def begin_first_days(person: User) -> None:
    """From the first sign-in on, not from when an admin made the account."""
    User.objects.filter(pk=person.pk, hints_since=None).update(hints_since=timezone.now())


def back(request: PersonRequest) -> HttpResponseRedirect:
    """To the page the form was on, if it says which, else to the settings."""
    to = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(to, {request.get_host()}, require_https=request.is_secure())
    # An address, never the name of one: `redirect` would look for a view called by whatever was sent.
    return HttpResponseRedirect(to if safe and to.startswith("/") else reverse("settings"), status=303)
