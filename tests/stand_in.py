"""A server that stands in for the board, for tests of the Python client."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from countersign import Countersign

Answer = tuple[int, dict[str, str], bytes]
TEXT = "# Role\nBe kind.\n"


@dataclass
class Fake:
    """A server that answers as it is told, and what it was asked: (method, path, headers)."""

    answer: Callable[[BaseHTTPRequestHandler, bytes], Answer]
    url: str = ""
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


@contextmanager
def answering() -> Iterator[Fake]:
    """It listens until the end."""
    there = Fake(lambda handler, _: (200, {"ETag": '"1"'}, served()))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            there.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
            there.bodies.append(body)
            status, headers, content = there.answer(self, body)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            with suppress(OSError):  # the client may have hung up
                self.end_headers()
                self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 (its name for it)

        def log_message(self, *args: object) -> None:
            """Quietly."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield there
    server.shutdown()
    server.server_close()


def served(text: str = TEXT, version: int = 1, rollout: dict[str, Any] | None = None, **other: object) -> bytes:
    told = {"agent": "support", "document": "prompt", "kind": "prompt", "version": version, "content": text}
    told |= {"sha256": hashlib.sha256(text.encode()).hexdigest(), "rollout": rollout}
    return json.dumps(told | other).encode()


def client(fake: Fake, folder: Path, **settings: Any) -> Countersign:
    return Countersign(fake.url, "key", folder=folder, **{"poll_s": 0.0, "timeout_s": 0.5} | settings)


def say(fake: Fake, status: int, content: bytes = b"", **headers: str) -> None:
    fake.answer = lambda *_: (status, headers, content)


def accept_all(_: BaseHTTPRequestHandler, body: bytes) -> Answer:
    """What the board answers to a list of reports that it has stored."""
    return 207, {}, json.dumps({"accepted": len(json.loads(body)), "duplicates": 0, "rejected": []}).encode()
