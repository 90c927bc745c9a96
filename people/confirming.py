"""Proving again who one is: with the password, or, without one, with a fresh link."""

from typing import Any

from allauth.account.views import ReauthenticateView, password_set
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from people import fresh
from people.requests import PersonRequest


class _ByPassword(ReauthenticateView):
    """The password, with allauth's limit on tries; then back to where they came from."""

    template_name = "account/reauthenticate.html"

    def form_valid(self, form: Any) -> HttpResponse:
        fresh.mark(self.request)
        answer: HttpResponse = super().form_valid(form)
        answer.status_code = 303
        return answer


_by_password = _ByPassword.as_view()


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: PersonRequest) -> HttpResponseBase:
    """Ask for the password; tell who has none how to come by a link."""
    if request.user.has_usable_password():
        return _by_password(request)
    return render(request, "account/reauthenticate_by_link.html", {"back": fresh.waits_at(request)})


@never_cache
def set_password(request: PersonRequest) -> HttpResponseBase:
    """A first password is as good as a link for proving who one is, so setting it needs a fresh proof itself."""
    if not request.user.has_usable_password() and not fresh.is_fresh(request):
        back = reverse("account_set_password")
        return HttpResponseRedirect(f"{reverse('account_reauthenticate')}?next={back}", status=303)
    return password_set(request)
