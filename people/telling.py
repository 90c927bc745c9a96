"""Who else hears when something happened to somebody's account."""

from typing import Final, Protocol

from people.models import User


class Listener(Protocol):
    """Called in the transaction of what happened: with whose account it is, and in words what and how it came about."""

    def __call__(self, person: User, what: str, how: str) -> None: ...


LISTENERS: Final[list[Listener]] = []


def tell(person: User, what: str, how: str = "") -> None:
    """Let everybody who listens know what happened to this account."""
    for listener in LISTENERS:
        listener(person, what, how)
