"""Proving again who one is: with the second factor, the password, or, without either, with a fresh link."""

import json
from typing import Any

from allauth.account.utils import get_next_redirect_url
from allauth.account.views import ReauthenticateView, password_set
from allauth.core import ratelimit
from allauth.mfa.webauthn.internal.auth import begin_authentication
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from people import factors, fresh, oidc
from people.codes import ConfirmForm, PasskeyConfirmForm
from people.requests import PersonRequest
from people.throttling import refused


class _ByPassword(ReauthenticateView):
    """The password, with allauth's limit on tries; then back to where they came from."""

    template_name = "account/reauthenticate.html"

    def _check_reauthentication_method_available(self, request: HttpRequest) -> None:
        """Which way it is to be is `confirm`'s to say."""

    def get_reauthentication_alternatives(self) -> list[dict[str, Any]]:
        return []

    def form_invalid(self, form: Any) -> HttpResponse:
        return refused(super().form_invalid(form), form, status=200)

    def form_valid(self, form: Any) -> HttpResponse:
        fresh.mark(self.request)
        answer: HttpResponse = super().form_valid(form)
        answer.status_code = 303
        return answer


_by_password = _ByPassword.as_view()


def _by_factor(request: PersonRequest) -> HttpResponseBase:
    """A code or a passkey. The password was asked for at the beginning, so it need not be again."""
    sent = None
    if request.method == "POST":
        if too_many := ratelimit.consume_or_429(request, action="reauthenticate", user=request.user):
            return too_many
        kind = PasskeyConfirmForm if "credential" in request.POST else ConfirmForm
        sent = kind(request.POST, user=request.user)
        if sent.is_valid():
            sent.save()
            fresh.mark(request)
            return HttpResponseRedirect(get_next_redirect_url(request) or reverse("queue"), status=303)
    types = {one.type for one in factors.factors_of(request.user)}
    options = dict(begin_authentication(request.user)) if factors.Type.WEBAUTHN in types else None
    context = {
        "form": sent if isinstance(sent, ConfirmForm) else ConfirmForm(user=request.user),
        "passkey_refused": isinstance(sent, PasskeyConfirmForm),
        "has_app": factors.Type.TOTP in types,
        "options": json.dumps(options) if options else "",
        "back": get_next_redirect_url(request) or "",
    }
    answer = render(request, "account/reauthenticate_by_factor.html", context)
    return refused(answer, sent, status=200) if sent else answer


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: PersonRequest) -> HttpResponseBase:
    """Ask for the second factor of who has one, else for the password; tell who has neither how to come by a link."""
    if factors.has_second(request.user):
        return _by_factor(request)
    if request.user.has_usable_password():
        return _by_password(request)
    context = {
        "back": fresh.waits_at(request),
        "service": oidc.is_linked(request.user) and settings.COUNTERSIGN_OIDC_NAME,
    }
    return render(request, "account/reauthenticate_by_link.html", context)


@never_cache
def set_password(request: PersonRequest) -> HttpResponseBase:
    """A first password is as good as a link for proving who one is, so setting it needs a fresh proof itself."""
    if not request.user.has_usable_password() and not fresh.is_fresh(request):
        back = reverse("account_set_password")
        return HttpResponseRedirect(f"{reverse('account_reauthenticate')}?next={back}", status=303)
    return password_set(request)
