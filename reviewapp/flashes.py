"""Where a message waits for the next page: in a cookie that, over https, no other host can set."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class _Cookie(CookieStorage):
    cookie_name = f"{settings.COUNTERSIGN_COOKIES}messages"


class Flashes(FallbackStorage):
    """What is too long for a cookie waits in the session."""

    storage_classes = (_Cookie, SessionStorage)
