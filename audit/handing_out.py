"""Where checkpoints go: into a folder, and to whoever wants to be told.

A checkpoint is worth something only in a place that those who could rewrite the log do not control alone.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import structlog
from django.conf import settings
from django.utils import timezone

from audit.exceptions import AuditError
from audit.files import write_once
from audit.models import Checkpoint, SigningKey

Notifier = Callable[[str, int], None]
"""Called with the text of a checkpoint and its number of entries, by the worker; may be called again with the same."""

NOTIFIERS: Final[list[Notifier]] = []
"""Append yours when the program starts, in `AppConfig.ready`."""

_FOR_ALL_TO_READ: Final = 0o444
log = structlog.get_logger()


class NotSent(AuditError):
    """Raised by a notifier that did not get through: it is asked again a minute later."""


def folder() -> Path:
    """Where checkpoints are filed."""
    path: Path = settings.COUNTERSIGN_CHECKPOINT_DIR or settings.DATA_DIR / "checkpoints"
    return path


def file(checkpoint: Checkpoint) -> Path:
    """Write it into the folder, named by its size and root, so that none ever takes the place of another.

    Raises OSError.
    """
    path = folder() / f"{checkpoint.size:012d}-{bytes(checkpoint.root).hex()[:8]}.txt"
    for key in SigningKey.objects.all():
        write_once(folder() / f"key-{key.key_id}.txt", f"{key.text}\n", _FOR_ALL_TO_READ)
    write_once(path, checkpoint.note, _FOR_ALL_TO_READ)
    if checkpoint.filed_at is None:
        checkpoint.filed_at = timezone.now()
        checkpoint.save(update_fields=["filed_at"])
    return path


def try_to_file(checkpoint: Checkpoint) -> None:
    """The same, where a folder that cannot be written must not stop anything: it is tried again later."""
    try:
        file(checkpoint)
    except OSError as error:
        log.error("checkpoint_not_filed", folder=str(folder()), reason=error.strerror, size=checkpoint.size)


def hand_out() -> None:
    """File and notify of whatever was not yet. May run twice or late."""
    for checkpoint in Checkpoint.objects.filter(filed_at=None):
        try_to_file(checkpoint)
    for checkpoint in Checkpoint.objects.filter(notified_at=None):
        _notify(checkpoint)


def _notify(checkpoint: Checkpoint) -> None:
    try:
        for notifier in NOTIFIERS:
            notifier(checkpoint.note, checkpoint.size)
    except NotSent as error:
        log.warning("checkpoint_not_sent", reason=str(error), size=checkpoint.size)
        return
    checkpoint.notified_at = timezone.now()
    checkpoint.save(update_fields=["notified_at"])


def filed() -> Iterable[tuple[str, int, str]]:
    """The checkpoints in the folder: what to call it, the size that its name gives, and the text of each."""
    for path in sorted(folder().glob("[0-9]*-*.txt")):
        size, _, _ = path.name.partition("-")
        if size.isascii() and size.isdigit():
            yield f"the checkpoint in {path.name}", int(size), path.read_text(encoding="utf-8", errors="replace")
