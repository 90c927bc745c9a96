"""How long ago somebody last proved who they are; before acts of consequence they do it again.

The words they had typed wait in their session, and are handed back to the page they came from.
"""

import time
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

WITHIN_S: Final = 15 * 60
_AT: Final = "proved_at"
_WAITING: Final = "waiting_words"


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
    request.session[_WAITING] = {"back": back, "words": words}
    return HttpResponseRedirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}", status=303)


def take_words(request: HttpRequest, back: str) -> dict[str, Any]:
    """What was typed before the detour that leads back here; once, and empty without one."""
    waiting = request.session.get(_WAITING)
    if not waiting or waiting["back"] != back:
        return {}
    del request.session[_WAITING]
    words: dict[str, Any] = waiting["words"]
    return words


def waits_at(request: HttpRequest) -> str:
    """The path at which words wait; empty if none do."""
    waiting = request.session.get(_WAITING)
    return str(waiting["back"]) if waiting else ""


def signed_in(request: HttpRequest, **_: Any) -> None:
    """Signing in proves it; a receiver of `user_logged_in`."""
    mark(request)
