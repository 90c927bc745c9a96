"""Signing in with an organisation's own service, by OpenID Connect. The environment says which; see docs/operators.md.

allauth does the talking: discovery, authorization code with PKCE, token, user information; `notices.oidc` sees to it
that it does so through the one door. Here the answers are
checked, and it is decided who that is. Nobody is found by name or e-mail: an identity is the service's `iss` and `sub`
and nothing else, so that another service, set in its place one day, can vouch for nobody it does not know.
"""

import hashlib
import secrets
import time
from typing import Any, Final

import jwt
import structlog
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, get_adapter
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.base.provider import ProviderException
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from audit.record import SYSTEM, Actor, record
from people import accounts, factors, fresh
from people.exceptions import LastAdmin
from people.models import User
from people.requests import PersonRequest
from people.roles import Role
from people.telling import tell

PROVIDER: Final = "oidc"
_FACT: Final = "signed_claims"
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""What a service may sign its tokens by."""
_LATE_S: Final = 60
"""How far the service's clock may be ahead of ours."""
_NEEDED: Final = ("issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
log = structlog.get_logger()


class _Refused(Exception):
    """What the service says cannot be believed; the message is for the log."""


def issuer_of(server: str) -> str:
    """The issuer that COUNTERSIGN_OIDC_SERVER names, without a slash at its end.

    It is the issuer itself, or the address of its discovery document; that has the issuer's path before
    “/.well-known/…” (OpenID Connect) or behind it (RFC 8414).
    """
    before, _, after = server.partition("?")[0].partition("/.well-known/")
    path = after.partition("/")[2]
    return "/".join(part.rstrip("/") for part in (before, path) if part)


class Protocol(OpenIDConnectOAuth2Adapter):
    """As allauth has it, but the service has to be the one that the environment names, and every token's signature is
    checked, also of those that came straight from the service.
    """

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the service tells of itself. Raises ImmediateHttpResponse when that cannot be had, or is another's."""
        try:
            told: dict[str, Any] = super().openid_config
            nameless = [name for name in _NEEDED if not isinstance(told.get(name), str)]
        except (OSError, AttributeError) as failure:  # it is away, or tells something that is no object
            raise ImmediateHttpResponse(self._away(str(failure)[:300])) from None
        if nameless:
            raise ImmediateHttpResponse(self._away(f"its discovery document lacks {', '.join(nameless)}"))
        expected = issuer_of(self.get_provider().app.settings["server_url"])
        if told["issuer"].removesuffix("/") != expected:
            log.warning("oidc_other_issuer", expected=expected, told=told["issuer"][:300])
            page = render(self.request, "account/oidc_failed.html", {"other": True}, status=403)
            raise ImmediateHttpResponse(page)
        return told

    def _away(self, reason: str) -> HttpResponse:
        log.warning("oidc_failed", error="no answer to where it is", reason=reason)
        return render(self.request, "account/oidc_failed.html", {"away": True}, status=503)

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        try:
            signed_by = jwt.get_unverified_header(id_token).get("alg")
            if signed_by not in ALGORITHMS:
                raise ProviderException(f"tokens signed by {signed_by} are not taken")
            claims: dict[str, Any] = jwtkit.verify_and_decode(
                credential=id_token,
                keys_url=self.openid_config["jwks_uri"],
                issuer=self.openid_config["issuer"],
                audience=app.client_id,
                lookup_kid=jwtkit.lookup_kid_jwk,
            )
        except (KeyError, TypeError, jwt.PyJWTError) as error:  # such as a token that names no key
            raise ProviderException(f"the token cannot be read: {error!r}") from None
        return claims

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> SocialLogin:
        login: SocialLogin = super().complete_login(request, app, token, **kwargs)
        signed = login.account.extra_data.get("id_token")
        issuer = str(signed.get("iss", "")) if isinstance(signed, dict) else ""
        login.account.uid = hashlib.sha256(f"{issuer}\n{login.account.uid}".encode()).hexdigest()
        return login


class ByProvider(DefaultSocialAccountAdapter):
    """Decides who somebody is of whom the service has told."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Never by a form of allauth's: `pre_social_login` makes the account."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        try:
            claims = _checked(sociallogin)
        except _Refused as refusal:
            log.warning("oidc_refused", reason=str(refusal))
            raise ImmediateHttpResponse(_failed(request)) from None
        process = sociallogin.state.get("process")
        if process == AuthProcess.CONNECT:
            raise ImmediateHttpResponse(_connected(request, sociallogin))
        if process == AuthProcess.REDIRECT:
            _prove(request, sociallogin, claims)
            return
        if not sociallogin.is_existing:
            _make(sociallogin, claims)
            sociallogin.lookup()
        _give_roles(sociallogin.user, claims)
        request.proof_is_old = not _is_recent(claims)  # type: ignore[attr-defined]  # read by `fresh.signed_in`

    def on_authentication_error(self, request: HttpRequest, provider: Any, **what: Any) -> None:
        log.warning("oidc_failed", error=str(what.get("error")), reason=str(what.get("exception") or ""))
        raise ImmediateHttpResponse(_failed(request))


def _checked(login: SocialLogin) -> dict[str, Any]:
    """All that the service said, what it signed before what it did not. Raises _Refused."""
    signed = login.account.extra_data.get("id_token")
    if not isinstance(signed, dict):
        raise _Refused("there is no id_token")
    if not secrets.compare_digest(str(signed.get("nonce", "")), str(login.state.get("nonce") or secrets.token_hex())):
        raise _Refused("the token was made for another sign-in")
    told = login.account.extra_data.get("userinfo") or {}
    if told and told.get("sub") != signed.get("sub"):
        raise _Refused("the token and the user information are about different people")
    login.account.extra_data = {}  # nothing of it is needed again, so nothing of it is stored
    return {**told, **signed}


def _failed(request: HttpRequest) -> HttpResponse:
    return render(request, "account/oidc_failed.html", status=403)


def _is_recent(claims: dict[str, Any]) -> bool:
    """Whether the service saw the person prove who they are just now, rather than remembering them."""
    at = claims.get("auth_time")
    return isinstance(at, int) and -_LATE_S <= time.time() - at < fresh.WITHIN_S


@transaction.atomic
def _make(login: SocialLogin, claims: dict[str, Any]) -> None:
    """An account without roles. A name that somebody has already gets a number: it never leads to their account."""
    name = str(claims.get("name") or claims.get("preferred_username") or "")[:120]
    wanted = str(claims.get("preferred_username") or claims.get("email") or "person")
    person = accounts.create_person(_free(wanted), name=name, roles=[], actor=_service())
    _link(person, login, actor=_service())


def _service() -> Actor:
    return Actor(SYSTEM.kind, PROVIDER, settings.COUNTERSIGN_OIDC_NAME)


def _free(wanted: str) -> str:
    """A username like this one that nobody has."""
    plain = "".join(one if one.isalnum() or one in "@.+-_" else "-" for one in wanted)[:120] or "person"
    taken = {
        name.lower() for name in User.objects.filter(username__istartswith=plain).values_list("username", flat=True)
    }
    numbered = (f"{plain}-{number}" for number in range(2, len(taken) + 3))
    return plain if plain.lower() not in taken else next(name for name in numbered if name.lower() not in taken)


def _link(person: User, login: SocialLogin, *, actor: Actor) -> None:
    SocialAccount.objects.create(user=person, provider=login.account.provider, uid=login.account.uid, extra_data={})
    record("person.identity_linked", actor=actor, target=person, after={"service": settings.COUNTERSIGN_OIDC_NAME})


def _connected(request: HttpRequest, login: SocialLogin) -> HttpResponse:
    """Let somebody signed in come in by the service from now on."""
    person = request.user
    if not isinstance(person, User) or login.is_existing:
        return render(request, "account/oidc_failed.html", {"taken": login.is_existing}, status=409)
    with transaction.atomic():
        _link(person, login, actor=Actor.person(person))
        tell(person, f"{settings.COUNTERSIGN_OIDC_NAME} signs you in from now on", "by you")
    return redirect("mfa_index")


def _prove(request: HttpRequest, login: SocialLogin, claims: dict[str, Any]) -> None:
    """Somebody signed in proves again who they are, unless a second factor of theirs has to.

    Whoever else comes back from the service proves nothing.
    """
    may = isinstance(request.user, User) and not factors.has_second(request.user)
    if may and login.is_existing and login.user.pk == request.user.pk and _is_recent(claims):
        fresh.mark(request)
        return
    log.warning("oidc_proof_refused", reason="another person, a second factor, or no recent auth_time")
    raise ImmediateHttpResponse(render(request, "account/oidc_failed.html", {"unproved": True}, status=403))


def _give_roles(person: User, claims: dict[str, Any]) -> None:
    """Where groups are mapped to roles, exactly those of this moment; else what an admin gave."""
    mapped = settings.COUNTERSIGN_OIDC_GROUPS
    if not mapped or not person.is_active:
        return
    told = claims.get(settings.COUNTERSIGN_OIDC_GROUPS_CLAIM)
    groups = told if isinstance(told, list) else [told]
    roles = {Role(mapped[group]) for group in groups if isinstance(group, str) and group in mapped}
    try:
        accounts.set_roles(person.pk, roles, actor=_service())
    except LastAdmin:
        log.warning("oidc_last_admin_kept", person=person.pk)


@transaction.atomic
def unlink(person_id: int, *, actor: Actor, why: str) -> bool:
    """Let this person come in by the service no more; False when they did not. Raises User.DoesNotExist."""
    person = User.objects.select_for_update(no_key=True).get(pk=person_id)
    gone, _ = SocialAccount.objects.filter(user=person).delete()
    if not gone:
        return False
    record("person.identity_unlinked", actor=actor, target=person, before={"service": _name()})
    tell(person, f"{_name()} signs you in no more", why)
    return True


def _name() -> str:
    return settings.COUNTERSIGN_OIDC_NAME or "The sign-in service"


def is_linked(person: User) -> bool:
    """Whether this person can come in by the service."""
    return bool(settings.COUNTERSIGN_OIDC_NAME and SocialAccount.objects.filter(user=person).exists())


@require_POST
@fresh.needed
def disconnect(request: PersonRequest) -> HttpResponseBase:
    """Come in by the service no more; not for who could not come in at all then without asking an admin."""
    person = request.user
    if not person.has_usable_password() and not factors.has_passkey_alone(person):
        messages.error(request, "Set a password or add a passkey that signs in alone first: nothing else lets you in.")
    elif unlink(person.pk, actor=Actor.person(person), why="by you"):
        messages.success(request, f"{_name()} signs you in no more.")
    else:
        messages.error(request, "It was not connected.")
    answer = redirect("mfa_index")
    answer.status_code = 303
    return answer


@never_cache
@login_not_required
@require_POST
def go(request: HttpRequest) -> HttpResponseBase:
    """On to the service: to sign in, to prove again who one is, or to connect it with one's account.

    A page of its own leads there: a form must not end up at another host, by the policy all pages are under.
    """
    if not settings.COUNTERSIGN_OIDC_NAME:
        raise Http404
    process, extra = AuthProcess.LOGIN, {}
    if request.user.is_authenticated:
        process, extra = AuthProcess.REDIRECT, {"prompt": "login", "max_age": "0"}
        if request.POST.get("do") == "connect":
            if not fresh.is_fresh(request):
                return fresh.ask_again(request, back=reverse("mfa_index"), words={})
            process, extra = AuthProcess.CONNECT, {}
    provider, nonce = get_adapter().get_provider(request, PROVIDER), secrets.token_urlsafe(24)
    provider.oauth2_adapter_class = Protocol
    try:
        answer = provider.redirect(
            request, process=process, next_url=_back(request), auth_params=extra | {"nonce": nonce}, nonce=nonce
        )
    except ImmediateHttpResponse as refused:  # it is asked where its pages are
        return refused.response
    if answer.status_code != 302:
        return answer
    return render(request, "account/oidc_go.html", {"address": answer["Location"], "service": provider.name})


def _back(request: HttpRequest) -> str:
    to = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(to, {request.get_host()}, require_https=request.is_secure())
    return to if safe and to.startswith("/") else reverse("queue")


@never_cache
@login_not_required
@require_safe
def callback(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Where the service sends people back to."""
    if not settings.COUNTERSIGN_OIDC_NAME:
        raise Http404
    answer: HttpResponseBase = OAuth2CallbackView.adapter_view(Protocol(request, provider_id))(request)
    return answer
