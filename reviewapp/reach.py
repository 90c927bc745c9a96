"""Addresses: the one the board listens on, and the servers it needs, with one clear sentence when one fails."""

import os
import socket
import urllib.error
import urllib.request
from dataclasses import dataclass

import psycopg
import redis

from reviewapp.crowding import THREADS
from reviewapp.processes import CannotStart

CONNECTIONS = 4096
"""Kept open at once, by all processes together: agents keep theirs, and past it nobody is let in."""

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 (compared with, not bound)


@dataclass(frozen=True)
class Address:
    """Where the board listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """For a browser on this machine, without a trailing slash."""
        host = _EVERYWHERE.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def answers(self) -> bool:
        """Whether the web server answers already."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:  # noqa: S310 (always http)
                return bool(answer.status == 200)
        except urllib.error.HTTPError as refused:  # it may go by another name than the one it listens at
            return refused.code < 500
        except (urllib.error.URLError, OSError):
            return False

    def allowed_hosts(self) -> list[str]:
        """The host names it is asked for by, when the operator names none."""
        own = f"[{self.host}]" if ":" in self.host else self.host
        named = [socket.gethostname()] if self.host in _EVERYWHERE else [own]
        return list(dict.fromkeys(["localhost", "127.0.0.1", "[::1]", *named]))

    def web_server(self) -> list[str]:
        """The arguments of the web server: few threads, as each holds one database connection."""
        processes = ["--workers", str(min(4, max(2, os.cpu_count() or 2))), "--blocking-threads", str(THREADS)]
        calm = [
            "--blocking-threads-idle-timeout",
            "600",
            "--workers-kill-timeout",
            "4",
            "--respawn-failed-workers",
            "--backlog",
            str(CONNECTIONS),
        ]
        plain = ["--interface", "wsgi", "--http", "1", "--no-ws"]
        listen = ["--host", self.host, "--port", str(self.port)]
        return ["granian", *plain, *listen, *processes, *calm, "reviewapp.wsgi:application"]


def hold_port(host: str, port: int) -> socket.socket:
    """Keep the port (any free one for 0) for our own web server as long as the socket is open.

    The web server's processes share the port, and would share it with those of another board as well: requests would
    go to either. So it is bound alone first, and only then opened to sharers. CannotStart when it cannot be had.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        held = socket.socket(family, kind)
        try:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that linger do not matter
            held.bind(address)
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        except BaseException:
            held.close()
            raise
        return held
    except (OSError, OverflowError) as error:
        raise CannotStart(
            f"Port {port} on {host} cannot be used: {getattr(error, 'strerror', None) or error}; "
            "choose another with --port."
        ) from None


def free_port(host: str, port: int = 0) -> int:
    """A port that nobody holds right now; CannotStart when there is none."""
    with hold_port(host, port) as held:
        return int(held.getsockname()[1])


def check_database(url: str) -> None:
    """CannotStart, without the password, when there is no such PostgreSQL or it does not let us in."""
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.Error as error:
        said = str(error).strip().split("\n")[-1].strip()
        raise CannotStart(f"DATABASE_URL: the database cannot be reached: {said}") from None


def check_broker(url: str) -> None:
    """CannotStart when there is no such Valkey or Redis or it does not let us in."""
    try:
        client = redis.Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3)
        client.ping()
        client.close()
    except (redis.RedisError, ValueError) as error:
        raise CannotStart(f"REDIS_URL: the server cannot be reached: {error}") from None
