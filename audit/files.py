"""Files that are there whole or not at all."""

import os
import secrets
from contextlib import suppress
from pathlib import Path


def write_once(path: Path, text: str, mode: int) -> None:
    """Write a file unless it is there already; of two that write at once, the first one's stands. Raises OSError."""
    if path.exists():
        return
    draft = _draft(path, text, mode)
    try:
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    _settle(path.parent)


def replace(path: Path, text: str, mode: int) -> None:
    """Put a file in the place of another. Raises OSError."""
    os.replace(_draft(path, text, mode), path)
    _settle(path.parent)


def _draft(path: Path, text: str, mode: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _settle(folder: Path) -> None:
    """Make sure that the name itself outlives a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
