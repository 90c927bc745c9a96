"""The pages on which somebody sees and changes how they sign in: password, second factor, places."""

import json
from typing import Any

from allauth.account.internal.stagekit import clear_login
from allauth.account.utils import get_next_redirect_url
from allauth.account.views import LoginView
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, LoginWebAuthnView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from audit.record import Actor
from people import factors, fresh, oidc, sessions
from people.requests import PersonRequest
from people.throttling import refused


@never_cache
@require_safe
def signing_in(request: PersonRequest) -> HttpResponse:
    """How one signs in: password, second factor, and where one is signed in."""
    own = factors.factors_of(request.user)
    context = {
        "place": "settings",
        "app": next((one for one in own if one.type == factors.Type.TOTP), None),
        "passkeys": [one for one in own if one.type == factors.Type.WEBAUTHN],
        "codes": next((one for one in own if one.type == factors.Type.RECOVERY_CODES), None),
        "asked_for": factors.asks_for_one(request.user),
        "service": settings.COUNTERSIGN_OIDC_NAME,
        "is_linked": oidc.is_linked(request.user),
        "places": sessions.places(request.user, _here(request)),
    }
    return render(request, "account/signing_in.html", context)


def _here(request: HttpRequest) -> str:
    return request.session.session_key or ""


@require_safe
def add_factor(request: PersonRequest) -> HttpResponseBase:
    """Say that the person's role asks for a second factor, and which there are."""
    if factors.has_second(request.user) or not factors.asks_for_one(request.user):
        return redirect("queue")
    asking = settings.COUNTERSIGN_SECOND_FACTOR & set(request.user.groups.values_list("name", flat=True))
    return render(request, "account/add_factor.html", {"asking": sorted(asking)})


def _see() -> HttpResponse:
    answer = redirect("mfa_index")
    answer.status_code = 303
    return answer


class _AddApp(ActivateTOTPView):
    """An app that shows codes; the first code proves that it works."""

    template_name = "account/add_app.html"

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        factors.note_added(self.request.user, Authenticator.objects.get(user=self.request.user, type=factors.Type.TOTP))
        answer.status_code = 303
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        return refused(super().form_invalid(form), form, status=422)


class _AddPasskey(AddWebAuthnView):
    """A passkey, or a security key."""

    template_name = "account/add_passkey.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        # allauth forgets the form that was refused.
        return context | {
            "form": kwargs.get("form") or self.get_form(),
            "options": json.dumps(context["js_data"]["creation_options"]),
        }

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        form.cleaned_data["name"] = form.cleaned_data["name"][:60]
        answer: HttpResponse = super().form_valid(form)
        own = Authenticator.objects.filter(user=self.request.user, type=factors.Type.WEBAUTHN)
        factors.note_added(self.request.user, own.latest("pk"))
        answer.status_code = 303
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        return refused(super().form_invalid(form), form, status=422)


class _Codes(ViewRecoveryCodesView):
    """New recovery codes, which are shown once."""

    template_name = "account/recovery_codes.html"


class _NewCodes(GenerateRecoveryCodesView):
    """Other recovery codes in place of those there are."""

    template_name = "account/new_codes.html"

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        factors.note_codes_renewed(self.request.user)
        answer.status_code = 303
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        return refused(super().form_invalid(form), form, status=422)


class _SecondStep(AuthenticateView):
    """The code or the passkey, when password or link were right."""

    template_name = "account/second_step.html"

    def form_invalid(self, form: Any) -> HttpResponse:
        return refused(super().form_invalid(form), form, status=422)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        person = self.stage.login.user
        has_passkey = Authenticator.objects.filter(user=person, type=factors.Type.WEBAUTHN).exists()
        options = json.dumps(context["js_data"]["request_options"]) if has_passkey else ""
        is_refused = bool(self.webauthn_form and self.webauthn_form.errors)
        return context | {
            "options": options,
            "passkey_refused": is_refused,
            "has_app": factors.has_app(person),
            "person": person,
        }


class _SignIn(LoginView):
    """Name and password; after too many tries nobody is let in for a while, and the answer says so to programs too."""

    def form_invalid(self, form: Any) -> HttpResponse:
        return refused(super().form_invalid(form), form, status=200)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"service": settings.COUNTERSIGN_OIDC_NAME}


class _SignInByPasskey(LoginWebAuthnView):
    """A passkey alone, which proves two things at once: that one has it, and its PIN or finger."""

    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        back = get_next_redirect_url(self.request)
        return redirect(back) if back and self.request.user.is_authenticated else answer


sign_in = _SignIn.as_view()
sign_in_by_passkey = _SignInByPasskey.as_view()
second_step = _SecondStep.as_view()
add_app = never_cache(fresh.needed(_AddApp.as_view()))
add_passkey = never_cache(fresh.needed(_AddPasskey.as_view()))
recovery_codes = never_cache(fresh.needed(_Codes.as_view()))
new_codes = never_cache(fresh.needed(_NewCodes.as_view()))


@require_POST
@login_not_required
def start_over(request: HttpRequest) -> HttpResponse:
    """Drop a sign-in that waits for its second step."""
    clear_login(request)
    answer = redirect("account_login")
    answer.status_code = 303
    return answer


@require_POST
@fresh.needed
@transaction.atomic
def remove_factor(request: PersonRequest) -> HttpResponseBase:
    """Take away one of one's own factors: `factor` names it."""
    number = request.POST.get("factor", "")
    own = Authenticator.objects.filter(user=request.user, type__in=factors.SECOND).select_for_update()
    factor = own.filter(pk=number).first() if number.isascii() and number.isdigit() and len(number) < 19 else None
    if factor is None:
        messages.error(request, "There is no such factor any more.")
    elif not factors.may_remove(factor):
        messages.error(request, factors.KEPT)
    else:
        factors.remove(factor, user=request.user)
        messages.success(request, f"Taken away: {factors.name_of(factor)}.")
    return _see()


@require_POST
def end_session(request: PersonRequest) -> HttpResponse:
    """Sign out of one place, of all others, or of all: `place` is a number, “others” or “all”."""
    wanted, actor = request.POST.get("place", ""), Actor.person(request.user)
    if wanted == "all":
        sessions.end_all(request.user, actor=actor)
        request.session.flush()
        answer = redirect("account_login")
        answer.status_code = 303
        return answer
    if wanted == "others":
        ended = sessions.end_all(request.user, actor=actor, but=_here(request))
        messages.success(request, "Signed out everywhere else." if ended else "You were signed in nowhere else.")
    elif wanted.isascii() and wanted.isdigit() and len(wanted) < 19:
        ended_at = sessions.end_one(request.user, int(wanted), actor=actor)
        done = f"Signed out of {ended_at.device}." if ended_at else "You were signed out there already."
        messages.success(request, done)
    else:
        messages.error(request, "There is no such place.")
    return _see()
