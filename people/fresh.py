"""How long ago somebody last proved who they are; before acts of consequence they do it again.

The words they had typed wait in their session, and are handed back to the page they came from.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from urllib.parse import urlencode

from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.datastructures import MultiValueDict

WITHIN_S: Final = 15 * 60
_AT: Final = "proved_at"
_WAITING: Final = "waiting_words"
_BACK: Final = "waits_at"
_MOST_WAITING: Final = 10
_FORM: Final = "form "


def mark(request: HttpRequest) -> None:
    """Note that this session's person proved just now who they are."""
    request.session[_AT] = time.time()


def is_fresh(request: HttpRequest) -> bool:
    """Whether they did so in this session less than WITHIN_S ago."""
    at = request.session.get(_AT)
    return isinstance(at, float) and 0 <= time.time() - at < WITHIN_S


def ask_again(request: HttpRequest, *, back: str, words: dict[str, Any]) -> HttpResponse:
    """Send them to prove it and then back to the path `back`, where `take_words` returns what they typed.

    `words` are those of one form, checked before, as JSON can hold them: they are kept in the session.
    """
    keep_words(request, back=back, words=words)
    request.session[_BACK] = back
    return HttpResponseRedirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}", status=303)


def needed(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A page of one's own account that is shown to, and taken from, who lately proved who they are."""

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if is_fresh(request):
            return view(request, *args, **kwargs)
        back = request.path if request.method in ("GET", "HEAD") else reverse("mfa_index")
        return ask_again(request, back=back, words={})

    return shown


def keep_words(request: HttpRequest, *, back: str, words: dict[str, Any]) -> None:
    """Keep what was typed for the page at this path, beside what waits for others; the oldest give way."""
    waiting = {at: kept for at, kept in _waiting(request).items() if at != back} | {back: words}
    request.session[_WAITING] = list(waiting.items())[-_MOST_WAITING:]


def ask_for_form(request: HttpRequest, *, back: str) -> HttpResponse:
    """As `ask_again`, for a form that was sent as it is; the page `back` has it again by `fill`."""
    typed = {name: values for name, values in request.POST.lists() if name != "csrfmiddlewaretoken"}
    keep_words(request, back=_FORM + back, words=typed)
    return ask_again(request, back=back, words={})


def come_back(request: HttpRequest) -> bool:
    """Whether this page is where a form waits that was sent before the detour; `fill` has it from now on."""
    if not is_fresh(request) or _FORM + request.get_full_path() not in _waiting(request):
        return False
    request.typed = MultiValueDict(take_words(request, _FORM + request.get_full_path()))  # type: ignore[attr-defined]
    return True


def fill(request: HttpRequest, form: Form) -> None:
    """Put into a form not yet sent what was typed before the detour, if anything was."""
    typed = getattr(request, "typed", None)
    if typed and not form.is_bound and not typed.keys().isdisjoint(form.fields):
        read = {
            name: field.widget.value_from_datadict(typed, MultiValueDict(), name) for name, field in form.fields.items()
        }
        form.initial = {**form.initial, **read}


def take_words(request: HttpRequest, back: str) -> dict[str, Any]:
    """What was typed before the detour that leads back here; once, and empty without one."""
    waiting = _waiting(request)
    words = waiting.pop(back, None)
    if words is None:
        return {}
    request.session[_WAITING] = list(waiting.items())
    if request.session.get(_BACK) == back:
        del request.session[_BACK]
    return words


def _waiting(request: HttpRequest) -> dict[str, dict[str, Any]]:
    """The words that wait, by the path they wait at, the oldest first."""
    kept = request.session.get(_WAITING)
    return dict(kept) if isinstance(kept, list) else {}


def waits_at(request: HttpRequest) -> str:
    """The path that the last detour leads back to; empty without one."""
    return str(request.session.get(_BACK, ""))


def signed_in(request: HttpRequest, **_: Any) -> None:
    """Signing in proves it, but where a service only remembered who that is; a receiver of `user_logged_in`."""
    if not getattr(request, "proof_is_old", False):
        mark(request)
