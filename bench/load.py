"""The load generator: a process of its own, raw sockets kept alive, as little Python per request as can be.

Reads a job as JSON from standard input: {"port", "connections", "seconds", "requests": [text, …]}. Each connection goes
through its own share of the requests, again from the start when they run out. Prints {"count", "seconds", "statuses",
"p50", "p99"} with times in milliseconds.
"""

import json
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from itertools import cycle


def main() -> None:
    """Run the job on standard input."""
    job = json.load(sys.stdin)
    requests = [request.encode("latin-1") for request in job["requests"]]
    took: list[float] = []
    statuses: Counter[str] = Counter()
    ready = threading.Barrier(job["connections"] + 1)
    threads = [
        threading.Thread(
            target=_drive, args=(job, requests[number :: job["connections"]], ready, took, statuses), daemon=True
        )
        for number in range(job["connections"])
    ]
    for thread in threads:
        thread.start()
    ready.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    took.sort()
    answer = {"count": len(took), "seconds": seconds, "statuses": statuses}
    quantiles = {"p50": took[len(took) // 2] * 1e3, "p99": took[len(took) * 99 // 100] * 1e3} if took else {}
    print(json.dumps(answer | quantiles))


def _drive(
    job: dict[str, int], requests: Sequence[bytes], ready: threading.Barrier, took: list[float], statuses: Counter[str]
) -> None:
    connection = socket.create_connection(("127.0.0.1", job["port"]))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    own: list[float] = []
    seen: Counter[str] = Counter()
    ready.wait()
    until = time.perf_counter() + job["seconds"]
    for request in cycle(requests) if job.get("again") else requests:
        started = time.perf_counter()
        if started > until:
            break
        connection.sendall(request)
        seen[_answer(connection)] += 1
        own.append(time.perf_counter() - started)
    took += own
    statuses.update(seen)


def _answer(connection: socket.socket) -> str:
    """Read one whole response; returns its status."""
    data = connection.recv(65_536)
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    status = head[9:12].decode()
    place = head.lower().find(b"content-length:")
    missing = (int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0) - len(body)
    while missing > 0:
        missing -= len(_more(connection))
    return status


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    if not data:
        raise ConnectionError("the server closed the connection")
    return data


if __name__ == "__main__":
    main()
