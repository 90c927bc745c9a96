"""Where somebody is signed in: seen, listed, and ended. Rows are kept by allauth when somebody signs in."""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from audit.record import Actor, record
from people.devices import device_of
from people.models import User

SEEN_EVERY: Final = timedelta(minutes=5)
"""How exact “last seen” is: each request would be a write otherwise."""
IDLE: Final = timedelta(hours=8)
LONGEST: Final = timedelta(hours=24)
"""A session ends after so long without use, and so long after signing in, both as exact as “last seen”."""
_REMEMBERED: Final = 10_000
_POLLS: Final = "updates"
"""The page's own question whether there is news: nobody's doing, so it keeps no session alive."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place where somebody is signed in. `is_here` is true of the one that asks."""

    id: int
    device: str
    address: str
    since: datetime
    seen: datetime
    is_here: bool


def places(person: User, here: str = "") -> list[Place]:
    """Where this person is signed in, the session with the key `here` first, then as lately seen."""
    rows = sorted(_live(person), key=lambda row: (row.session_key != here, -row.last_seen_at.timestamp()))
    return [
        Place(row.pk, device_of(row.user_agent), row.ip, row.created_at, row.last_seen_at, row.session_key == here)
        for row in rows
    ]


def _live(person: User) -> Iterable[UserSession]:
    sessions = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    found: Iterable[UserSession] = UserSession.objects.filter(user=person, session_key__in=sessions)
    return found


@transaction.atomic
def end_one(person: User, place_id: int, *, actor: Actor) -> Place | None:
    """Sign this person out of one place; None when they were not signed in there any more."""
    found = next((place for place in places(person) if place.id == place_id), None)
    if found is None:
        return None
    _delete(UserSession.objects.filter(pk=place_id, user=person))
    record("session.ended", actor=actor, target=person, after={"device": found.device})
    return found


def begin(request: HttpRequest, person: User) -> list[Place]:
    """List the session that begins with this request, and end those unused for longest that are too many beside it.

    Within the transaction of signing in: the person's row is locked till its end, so of those who sign in at once each
    sees the sessions of those before.
    """
    User.objects.select_for_update(no_key=True).get(pk=person.pk)
    # Both would come about by themselves, but only once the lock is gone; and a session that names nobody yet is taken
    # off the list by allauth, when the same person signs in elsewhere.
    request.session.save()
    UserSession.objects.create_from_request(request)
    most = settings.COUNTERSIGN_SESSIONS_AT_ONCE
    others = [place for place in places(person, request.session.session_key or "") if not place.is_here]
    unused = sorted(others, key=lambda place: (place.seen, place.since))[: len(others) + 1 - most] if most else []
    for place in unused:
        _delete(UserSession.objects.filter(pk=place.id, user=person))
        after = {"device": place.device, "why": f"there are {most} at most"}
        record("session.ended", actor=Actor.person(person), target=person, after=after)
    return unused


@transaction.atomic
def end_all(person: User, *, actor: Actor, but: str = "", why: str = "") -> int:
    """Sign this person out everywhere, but for the session with the key `but`; how many places that were."""
    ended = len([row for row in _live(person) if row.session_key != but])
    _delete(UserSession.objects.filter(user=person).exclude(session_key=but))
    if ended:
        after = {"places": ended} | ({"but_here": True} if but else {}) | ({"why": why} if why else {})
        record("session.all_ended", actor=actor, target=person, after=after)
    return ended


def _delete(rows: Any) -> None:
    Session.objects.filter(session_key__in=list(rows.values_list("session_key", flat=True))).delete()
    rows.delete()


_seen: Final[dict[str, float]] = {}


def note_seen(request: HttpRequest) -> bool:
    """Keep that this session is used, at most once in SEEN_EVERY of this process; False when its time is over."""
    key, now = request.session.session_key, time.monotonic()
    if not key or not isinstance(request.user, User):
        return True
    polls = bool(request.resolver_match and request.resolver_match.url_name == _POLLS)
    kept = f"{key} polls" if polls else key
    if now - _seen.get(kept, -math.inf) < SEEN_EVERY.total_seconds():
        return True
    if len(_seen) >= _REMEMBERED:
        _seen.clear()
    _seen[kept] = now
    rows, at = UserSession.objects.filter(session_key=key), timezone.now()
    live = rows.filter(last_seen_at__gt=at - IDLE, created_at__gt=at - LONGEST)
    if live.exists() if polls else live.update(last_seen_at=at):
        return True
    if rows.exists():
        return False
    UserSession.objects.create_from_request(request)
    return True


def end_overdue(request: HttpRequest) -> None:
    """Forget a session whose time is over; whoever asks is nobody from here on."""
    _seen.pop(request.session.session_key or "", None)
    _delete(UserSession.objects.filter(session_key=request.session.session_key))
    request.session.flush()
    request.user = AnonymousUser()


def tidy() -> None:
    """Forget where people were signed in once that is over: the rows name addresses."""
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()


class SeenMiddleware:
    """Keeps when each session was last used, and ends it when that was too long ago."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_: Any) -> HttpResponse | None:
        """After the middleware that looks who is signed in."""
        if note_seen(request):
            return None
        end_overdue(request)
        if not getattr(view, "login_required", True):
            return None
        if request.headers.get("HX-Request") == "true":
            return HttpResponse(status=401)
        return redirect_to_login(request.get_full_path())
