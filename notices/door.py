"""The one door: every HTTP request that the board itself makes goes out here.

An address is resolved once. Unless every address it resolves to is a public one, or of a target that the operator
allows by name, nothing is sent; then the connection is made to the very address that was looked at, so that a name
that resolves to something else a moment later changes nothing. Nothing is followed: a redirect is an answer like any
other. The whole exchange, name and last byte included, has one deadline, because a limit for each read can be
stretched for ever by who sends a byte at a time; and an answer longer than the limit is let go.

Built on the standard library's client, as this takes the socket into one's own hands. Proxies named in the environment
are not used: where there is one, let it be the only way out of the network.
"""

import http.client
import io
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Set
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, cast
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from notices.addresses import Address, Private, innermost, is_public

LONGEST_URL: Final = 2000
_PORTS: Final = {"https": 443, "http": 80}
_HEADERS: Final = {"User-Agent": "Countersign", "Accept-Encoding": "identity", "Connection": "close"}


class Refused(Exception):
    """Raised for a target that nothing is sent to; trying again is no use. The message is fit to be shown."""


class Failed(Exception):
    """Raised when it did not get through, or what came back was not an answer; it may later."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the whole exchange may take, and how long the answer may be."""

    seconds: float = 10.0
    answer_bytes: int = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads: the host as it is asked for, and the addresses that may be connected to."""

    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[Address, ...] = field(default=())


def send(
    method: str,
    url: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    limits: Limits = Limits(),
    own: Set[str] = frozenset(),
) -> Answer:
    """One request and its answer. `own` are hosts that may be private besides those the operator allows.

    Raises Refused, Failed.
    """
    until = time.monotonic() + limits.seconds
    target = look_up(parse(url), limits.seconds, own)
    try:
        with closing(_socket(target, until)) as plain:
            connection = _connection(target, _Hurried(plain, until))
            connection.request(method, target.path, body or None, {**_HEADERS, **(headers or {})})
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, _body(answer, limits))
    except (OSError, http.client.HTTPException) as error:
        raise Failed(_why(error)) from None


def parse(url: str) -> Target:
    """What a URL names. Raises Refused for what is not plainly an address to send something to."""
    if len(url) > LONGEST_URL or any(ord(character) <= 32 or ord(character) == 127 for character in url):
        raise Refused("The address is too long, or has spaces or control characters in it.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("This is not an address.") from None
    if parts.scheme not in _PORTS:
        raise Refused("Only https addresses are sent to.")
    if "@" in parts.netloc or "\\" in url:
        raise Refused("An address with a user name or a backslash in it is not sent to.")
    return Target(parts.scheme, _host(parts), _PORTS[parts.scheme] if port is None else port, _path(parts))


def look_up(target: Target, seconds: float, own: Set[str] = frozenset()) -> Target:
    """The target with its addresses. Raises Refused if one of them must not be reached, Failed if there is none, or
    none is told in time.
    """
    try:
        found = _named(target).result(seconds)
    except (OSError, UnicodeError):  # a TimeoutError is an OSError
        raise Failed(f"{target.host} cannot be found.") from None
    addresses = tuple(dict.fromkeys(ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found))
    allowed = private_targets()
    ours = [target.host in own or allowed.holds(target.host, innermost(address)) for address in addresses]
    if not all(mine or is_public(address) for mine, address in zip(ours, addresses, strict=True)):
        raise Refused(f"{target.host} leads into a private network; COUNTERSIGN_PRIVATE_TARGETS can allow it.")
    if target.scheme != "https" and not all(ours):
        raise Refused("Only https addresses are sent to.")
    return Target(target.scheme, target.host, target.port, target.path, addresses)


def _named(target: Target) -> "Future[list[Any]]":
    """What the resolver says, asked in a thread of its own: it cannot be told to hurry."""
    told: Future[list[Any]] = Future()

    def ask() -> None:
        try:
            told.set_result(socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            told.set_exception(error)

    threading.Thread(target=ask, name="resolver", daemon=True).start()
    return told


def private_targets() -> Private:
    """What the operator allows."""
    return _parsed(tuple(settings.COUNTERSIGN_PRIVATE_TARGETS))


@cache
def _parsed(given: tuple[str, ...]) -> Private:
    return Private.parse(given)


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    try:
        host = host if ":" in host else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise Refused("The address has no proper host name.") from None
    if not host:
        raise Refused("The address has no host name.")
    return host


def _path(parts: SplitResult) -> str:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise Refused("Write what is not ASCII in the address as %XX.")
    return path


def _connection(target: Target, sock: "_Hurried") -> http.client.HTTPConnection:
    """A client that is connected already. The header Host names the port where it is not the usual one."""
    host = f"[{target.host}]" if ":" in target.host else target.host
    connection = http.client.HTTPConnection(host, target.port)
    connection.default_port, connection.sock = _PORTS[target.scheme], cast(Any, sock)
    return connection


def _socket(target: Target, until: float) -> socket.socket:
    plain = _plain(target, until)
    if target.scheme != "https":
        return plain
    try:
        plain.settimeout(_left(until))
        return tls().wrap_socket(plain, server_hostname=target.host)
    except OSError:
        plain.close()
        raise


def _plain(target: Target, until: float) -> socket.socket:
    """To the first address that listens. No name is looked up here."""
    last = OSError("no address")
    for address in target.addresses:
        made = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
        try:
            made.settimeout(_left(until))
            made.connect((str(address), target.port))
            return made
        except OSError as error:
            made.close()
            last = error
    raise last


@cache
def tls() -> ssl.SSLContext:
    """Certificates are checked against the name that was asked for."""
    return ssl.create_default_context()


class _Hurried:
    """A socket as `http.client` uses one; each wait gets what is left until the deadline."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock, self._until = sock, until

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(_left(self._until))
        self._sock.sendall(data)

    def makefile(self, mode: str, *args: Any) -> io.BufferedReader:
        return io.BufferedReader(_Reading(self._sock, self._until))

    def close(self) -> None:
        """Nothing: the client closes as soon as the headers are in, and the answer is still to be read."""


class _Reading(io.RawIOBase):
    """What comes in, until the deadline."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock, self._until = sock, until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self._until))
        return self._sock.recv_into(buffer)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("It took too long.")
    return left


def _body(answer: http.client.HTTPResponse, limits: Limits) -> bytes:
    body = answer.read(limits.answer_bytes + 1)
    if len(body) > limits.answer_bytes:
        raise Failed(f"The answer is longer than {limits.answer_bytes:,} bytes.")
    return body


def _why(error: Exception) -> str:
    """In a sentence, without what came back: that was written by whoever is at the other end."""
    if isinstance(error, TimeoutError):
        return "It took too long."
    if isinstance(error, ssl.SSLError):
        return f"No trusted connection: {error.reason or 'the certificate does not hold'}."
    if isinstance(error, http.client.HTTPException):
        return "What came back is no HTTP answer."
    return "The connection failed."
