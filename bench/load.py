"""The load generator: one process, one thread, sockets kept alive, as little Python per request as can be.

Reads a job as JSON from standard input: {"port", "connections", "seconds", "requests": [text, …], "again"?}. Each
connection goes through its own share of the requests, the next as soon as one is answered, and again from the start
when they run out if "again" is true. Prints {"count", "seconds", "statuses", "p50", "p99"} with times in milliseconds.
"""

import json
import select
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any


class Client:
    """One connection with one request on the way."""

    def __init__(self, port: int, requests: Iterator[bytes]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.requests = requests
        self.sent_at = 0.0
        self._received = b""
        self._missing = -1

    def send(self, now: float) -> bool:
        """Send the next request; False when there is none."""
        request = next(self.requests, None)
        if request is None:
            return False
        self.sent_at, self._received, self._missing = now, b"", -1
        self.socket.sendall(request)
        return True

    @property
    def head(self) -> bytes:
        """Of the last answer."""
        return self._received.partition(b"\r\n\r\n")[0]

    def receive(self) -> str | None:
        """Read what has come; the status once the answer is whole."""
        data = self.socket.recv(65_536)
        if not data:
            raise ConnectionError("the server closed the connection")
        self._received += data
        if self._missing < 0:
            self._missing = _length(self._received)
        return self._received[9:12].decode() if 0 <= self._missing <= len(self._received) else None


def main() -> None:
    """Run the job on standard input."""
    job = json.load(sys.stdin)
    requests = [request.encode("latin-1") for request in job["requests"]]
    count = job["connections"]
    repeat = cycle if job.get("again") else iter
    clients = [Client(job["port"], repeat(requests[number::count])) for number in range(count)]
    took, statuses, seconds = _drive(clients, job["seconds"])
    took.sort()
    answer: dict[str, Any] = {"count": len(took), "seconds": seconds, "statuses": statuses}
    quantiles = {"p50": took[len(took) // 2] * 1e3, "p99": took[len(took) * 99 // 100] * 1e3} if took else {}
    print(json.dumps(answer | quantiles))


def _drive(clients: Sequence[Client], seconds: float) -> tuple[list[float], Counter[str], float]:
    """Keep every connection busy until the time is up; what is on the way then is still waited for."""
    poll = select.epoll()
    by_number = {client.socket.fileno(): client for client in clients}
    took: list[float] = []
    statuses: Counter[str] = Counter()
    started = time.perf_counter()
    until = started + seconds
    for number, client in by_number.items():
        poll.register(number, select.EPOLLIN)
        client.send(time.perf_counter())
    busy = len(clients)
    while busy:
        for number, _event in poll.poll():
            client = by_number[number]
            if status := client.receive():
                now = time.perf_counter()
                took.append(now - client.sent_at)
                statuses[status] += 1
                busy -= now >= until or not client.send(now)
    return took, statuses, time.perf_counter() - started


def _length(received: bytes) -> int:
    """Of the whole answer, head and body; -1 while the head is not all here."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return -1
    place = received[:end].lower().find(b"content-length:")
    return end + 4 + (int(received[place + 15 : end].split(b"\r\n", 1)[0]) if place >= 0 else 0)


if __name__ == "__main__":
    main()
