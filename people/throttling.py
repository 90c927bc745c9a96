"""What is answered to too many tries at a password or a code. The counting is allauth's."""

from typing import Final

from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpResponse

WAIT_S: Final = 300
_CODES: Final = {"too_many_login_attempts", "rate_limited"}


def refused(answer: HttpResponse, form: BaseForm, *, status: int) -> HttpResponse:
    """The page that shows a refused form: as 429 when there were too many tries, with `status` otherwise."""
    found = {error.code for errors in form.errors.as_data().values() for error in errors}
    answer.status_code = 429 if found & _CODES else status
    if answer.status_code == 429:
        answer["Retry-After"] = str(WAIT_S)
    return answer


def is_too_many(error: Exception) -> bool:
    """Whether a try was refused for there having been too many."""
    return isinstance(error, ValidationError) and getattr(error, "code", None) in _CODES
