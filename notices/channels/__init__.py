"""The ways in which notices reach somebody. `COUNTERSIGN_NOTIFIERS` names them; anybody may write another."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from notices.models import Notice


class NotNow(Exception):
    """Raised when it did not get through: it is tried again later. The message is fit to be shown."""


class Never(Exception):
    """Raised when trying again is no use."""


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody who is told: `name` as the channel finds them again, `label` as people know them."""

    name: str
    label: str


class Notifier(Protocol):
    """One way of telling. It is called by the worker, and may be asked to send the same again."""

    name: str

    def targets(self, notice: Notice) -> Iterable[Target]:
        """Who wants to hear of this; nobody where the channel is not set up."""

    def send(self, notice: Notice, target: str) -> None:
        """Tell one of them. Raises NotNow, Never."""


@cache
def _made(paths: tuple[str, ...]) -> dict[str, Notifier]:
    return {one.name: one for one in (import_string(path)() for path in paths)}


def notifiers() -> dict[str, Notifier]:
    """Those of this board, by name."""
    return _made(tuple(settings.COUNTERSIGN_NOTIFIERS))
