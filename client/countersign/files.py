"""Files that several processes share: written whole or not at all, and locked for moments only."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has none: a folder is for one process there
    fcntl = None  # type: ignore[assignment]

PATIENCE_S = 1.0


def make(folder: Path) -> None:
    """The folder, for its owner alone. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def replace(path: Path, content: bytes) -> None:
    """Write a file anew: whoever reads it finds the old or the new one, after a power cut too. Raises OSError."""
    handle, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)  # 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


@contextmanager
def locked(path: Path, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Alone among processes, and threads. Raises OSError when it cannot be had in time: nobody waits for who hangs."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _hold(handle, time.monotonic() + patience_s)
        yield
    finally:
        os.close(handle)  # lets go of it


def _hold(handle: int, until: float) -> None:
    while fcntl is not None:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
            time.sleep(0.01)
    return None
