"""What a browser says it is, in words, and whether somebody has used it before."""

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from people.models import User

LONGEST: Final = 300
# In this order: most browsers name others beside themselves.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome without a window"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)
UNKNOWN: Final = "a program that does not say what it is"


def device_of(user_agent: str) -> str:
    """“Firefox on Linux”; what the header claims, not what is known."""
    said = user_agent[:LONGEST]
    browser = next((name for mark, name in _BROWSERS if mark in said), "")
    system = next((name for mark, name in _SYSTEMS if mark in said), "")
    return f"{browser} on {system}" if browser and system else browser or system or UNKNOWN


_KEPT_S: Final = 400 * 24 * 3600
_PEOPLE: Final = 20


def is_known(request: HttpRequest, person: User) -> bool:
    """Whether this person has signed in with this browser before, by a cookie that outlives sessions."""
    return str(person.pk) in _known(request)


def remember(request: HttpRequest, answer: HttpResponse, person: User) -> None:
    """Have the browser known from now on."""
    people = [*(pk for pk in _known(request) if pk != str(person.pk)), str(person.pk)][-_PEOPLE:]
    answer.set_signed_cookie(
        _cookie(),
        ".".join(people),
        max_age=_KEPT_S,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def _known(request: HttpRequest) -> list[str]:
    return str(request.get_signed_cookie(_cookie(), default="")).split(".")


def _cookie() -> str:
    return f"{settings.COUNTERSIGN_COOKIES}countersign_device"
