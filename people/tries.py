"""Wrong tries at signing in, in the log of the server: what was wrong, whose account, from where; never what was typed.

They are not on the audit log, which nobody could clear of them. Who made too many codes wrong had the password or a
link before, so the person whose account it is hears of that.
"""

from typing import Literal

import structlog
from allauth.account.adapter import get_adapter
from allauth.core import context
from django.core.cache import cache

from people.models import User
from people.telling import tell
from people.throttling import WAIT_S, is_too_many

What = Literal["password", "code", "passkey", "link"]
log = structlog.get_logger()


def note(what: What, person: User | None = None) -> None:
    """Keep that this was wrong, and from where it came; `person` is whose account it was for, if that is known."""
    log.warning(f"wrong_{what}", person=person.username if person else "", address=_address())


def note_refused(what: What, person: User, error: Exception) -> None:
    """As `note`, of a code or a passkey that was refused, also for its being one try too many."""
    if not is_too_many(error):
        note(what, person)
        return
    log.warning("too_many_tries", of=what, person=person.username, address=_address())
    if cache.add(f"people.tries.told:{person.pk}", "y", WAIT_S):
        tell(person, "Too many wrong codes after a right password or link", f"from {_address()}")


def _address() -> str:
    return str(get_adapter().get_client_ip(context.request))
