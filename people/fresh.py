"""How long ago somebody last proved who they are; before acts of consequence they do it again.

The words they had typed wait in their session, and are handed back to the page they came from.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

WITHIN_S: Final = 15 * 60
_AT: Final = "proved_at"
_WAITING: Final = "waiting_words"
_BACK: Final = "waits_at"
_MOST_WAITING: Final = 10


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
    """Signing in proves it; a receiver of `user_logged_in`."""
    mark(request)
