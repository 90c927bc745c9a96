"""A small HTTP server that answers as it is told, and remembers what came."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from threading import Thread

Answering = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Stub:
    """Where it listens, and the (path, headers, body) of every request."""

    port: int
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    status: int = 204
    pages: dict[str, bytes] = field(default_factory=dict)
    """What a GET of these paths gets."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?x=1"


@contextmanager
def stub(answering: Answering | None = None, *, tls: SSLContext | None = None) -> Iterator[Stub]:
    """Listening on this machine until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = there.pages.get(self.path)
            self.send_response(there.status if page is None else 200)
            self.end_headers()
            self.wfile.write(page or b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            there.got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            if answering:
                return answering(self)
            self.send_response(there.status)
            self.send_header("Location", f"{there.url}&again")
            return self.end_headers()

        def log_message(self, *args: object) -> None:
            """Quietly."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    there = Stub(server.server_address[1])
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield there
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
