"""The forms that take what proves somebody: one code counts once, and what cannot be read is refused in words.

What was wrong is in the log of the server; of passwords typed at signing in the adapter says so.
"""

import struct
from collections.abc import Callable
from typing import Any, Final

from allauth.account.forms import ChangePasswordForm
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms as passkeys
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.forms import HiddenInput, JSONField

from people import tries

_MALFORMED: Final = (AttributeError, IndexError, KeyError, TypeError, ValueError, struct.error)
"""What the library for passkeys raises over what no browser sends."""
_LONGEST: Final = 20_000


class NewPasswordForm(ChangePasswordForm):
    """A password in place of the one there was."""

    def clean_oldpassword(self) -> str:
        try:
            return str(super().clean_oldpassword())
        except ValidationError:
            tries.note("password", self.user)
            raise


class _Once(forms.BaseAuthenticateForm):
    """allauth forgets a used code after one period, but with tolerance for clocks it would fit for three."""

    def clean_code(self) -> Any:
        try:
            code = super().clean_code()
        except ValidationError as error:
            tries.note_refused("code", self.user, error)
            raise
        if self.authenticator.type == Authenticator.Type.TOTP:
            periods = 2 * app_settings.TOTP_TOLERANCE + 1
            cache.set(self.authenticator.wrap()._get_used_cache_key(code), "y", periods * app_settings.TOTP_PERIOD)
        return code


class SecondStepForm(_Once, forms.AuthenticateForm):
    """At the second step of signing in."""


class ConfirmForm(_Once, forms.ReauthenticateForm):
    """Where somebody proves again who they are."""


class _Credential(JSONField):
    """The browser's answer, no longer than one is and nested no deeper than can be read."""

    widget = HiddenInput

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value if len(value or "") <= _LONGEST else "{")
        except RecursionError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None


def _read(clean: Callable[[], Any]) -> Any:
    """What `clean` gives. Raises ValidationError over what it cannot read."""
    try:
        return clean()
    except _MALFORMED:
        raise get_adapter().validation_error("incorrect_code") from None


class _Readable(passkeys.AuthenticateWebAuthnForm):
    credential = _Credential()

    def clean_credential(self) -> Any:
        try:
            return _read(super().clean_credential)
        except ValidationError as error:
            if self.user:
                tries.note_refused("passkey", self.user, error)
            else:
                tries.note("passkey")
            raise


class PasskeyAtSecondStepForm(_Readable):
    """At the second step of signing in."""


class PasskeySignInForm(_Readable, passkeys.LoginWebAuthnForm):
    """In place of name and password."""


class PasskeyConfirmForm(_Readable, passkeys.ReauthenticateWebAuthnForm):
    """Where somebody proves again who they are."""


class AddPasskeyForm(passkeys.AddWebAuthnForm):
    """A new passkey, and what it is called."""

    credential = _Credential()

    def clean(self) -> Any:
        return _read(super().clean)
