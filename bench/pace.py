"""The load generator that keeps a pace: a request is due every so often, whether or not those before are answered.

Reads a job as JSON from standard input: {"port", "connections", "seconds", "rate", "requests": [text, …]}. The requests
are sent in turn, again from the start when they run out, each by a connection that is free; the time of an answer runs
from when its request was due, so that waiting for a free connection counts. Prints {"count", "statuses", "p50", "p99",
"most", "unsaid"} with times in milliseconds; "unsaid" are the refusals for lack of room without a Retry-After.
"""

import json
import select
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from typing import Any, Final

from bench.load import Client

_NO_ROOM: Final = ("429", "503")


def main() -> None:
    """Run the job on standard input."""
    job = json.load(sys.stdin)
    requests = cycle([request.encode("latin-1") for request in job["requests"]])
    pace = _Pace([Client(job["port"], requests) for _ in range(job["connections"])])
    pace.drive(job["rate"], job["seconds"])
    print(json.dumps(pace.answer()))


class _Pace:
    def __init__(self, clients: list[Client]) -> None:
        self._free = clients
        self._by_number = {client.socket.fileno(): client for client in clients}
        self._poll = select.epoll()
        for number in self._by_number:
            self._poll.register(number, select.EPOLLIN)
        self._took: list[float] = []
        self._statuses: Counter[str] = Counter()
        self._unsaid = 0

    def drive(self, rate: float, seconds: float) -> None:
        """Send what is due until the time is up; what is on the way then is still waited for."""
        started = time.perf_counter()
        due = (started + number / rate for number in range(int(rate * seconds)))
        waiting = next(due, None)
        while waiting is not None or len(self._free) < len(self._by_number):
            waiting = self._send(waiting, due)
            self._receive(0.001 if waiting is None or not self._free else max(0.0, waiting - time.perf_counter()))

    def _send(self, waiting: float | None, due: Iterator[float]) -> float | None:
        """Send all that is due and finds a connection; when the next is due."""
        while waiting is not None and self._free and waiting <= time.perf_counter():
            self._free.pop().send(waiting)
            waiting = next(due, None)
        return waiting

    def _receive(self, patience_s: float) -> None:
        for number, _event in self._poll.poll(patience_s):
            client = self._by_number[number]
            if status := client.receive():
                self._took.append(time.perf_counter() - client.sent_at)
                self._statuses[status] += 1
                self._unsaid += status in _NO_ROOM and b"retry-after" not in client.head.lower()
                self._free.append(client)

    def answer(self) -> dict[str, Any]:
        """What is printed."""
        took = sorted(self._took)
        p50, p99, most = (took[int(len(took) * share)] * 1e3 for share in (0.5, 0.99, 1 - 1e-9))
        counted = {"count": len(took), "statuses": self._statuses, "unsaid": self._unsaid}
        return counted | {"p50": p50, "p99": p99, "most": most}


if __name__ == "__main__":
    main()
