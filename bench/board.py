"""The program as `up` starts it, with a durable PostgreSQL and a Valkey of its own, and beside it the constant view."""

import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from reviewapp.embedded import Postgres, Valkey
from reviewapp.processes import MARK, Child, stop
from reviewapp.reach import Address, free_port

ROOT = Path(__file__).resolve().parent.parent
PROMPT = (
    "# Role\n\nYou answer questions about orders.\n\n"
    + "- Be kind and brief. Check the order before you answer.\n" * 34
)
HOST = "127.0.0.1"


class Board:
    """A running board with one agent and one key. Use as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._children: list[Child] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._stop)
            self._start()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start(self) -> None:
        (self.folder / "run").mkdir(mode=0o711)
        self.folder.chmod(0o711)
        postgres = Postgres(self.folder, durable=True)
        postgres.create()
        base = os.environ | {MARK: str(self.folder), "PYTHONPATH": str(ROOT)}
        server = postgres.child(base)
        self._run(server)
        postgres.wait(server)
        valkey = Valkey(self.folder)
        valkey.create()
        self._counter = valkey.child(base)
        self._run(self._counter)
        valkey.wait(self._counter)
        self.url = postgres.url
        self.env = base | {
            "DATABASE_URL": postgres.url,
            "DATA_DIR": str(self.folder),
            "REDIS_URL": valkey.url,
        }
        self.manage("migrate", "--verbosity", "0")
        self.serve()

    def serve(self) -> None:
        """Fill the database, migrated and empty, and start what is measured."""
        prompt = self.folder / "prompt.md"
        prompt.write_text(PROMPT)
        self.manage("create_agent", "support", "--document", f"system-prompt={prompt}")
        limits = ["--calls-a-minute", "100000000", "--calls-a-day", "1000000000"]  # never reached, but counted
        self.key = self.manage("create_key", "support", "--scope", "ingest", "--scope", "read", *limits)
        self.port = self.web("web", "reviewapp.wsgi:application")
        self.constant_port = self.web("constant", "bench.constant:application")

    def stop_valkey(self) -> None:
        """So that nobody counts and nothing is queued any more."""
        stop([self._counter])

    def _stop(self) -> None:
        stop(list(reversed(self._children)))

    def _run(self, child: Child) -> None:
        self._children.append(child)
        child.start()

    def web(self, name: str, application: str) -> int:
        """The very server `up` starts, with another application where asked for."""
        reach = Address(HOST, free_port(HOST, 0))
        argv = [*reach.web_server()[:-1], application]
        argv[0] = str(Path(sys.executable).with_name(argv[0]))
        self._run(Child(name=name, argv=argv, log=self.folder / f"{name}.log", env=self.env, cwd=ROOT))
        _wait_for(reach.port)
        return reach.port

    def manage(self, *arguments: str) -> str:
        """Run a command; returns what it prints."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self.env,
            check=True,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return done.stdout.strip()


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            time.sleep(1.0)  # the other workers
            return
    raise TimeoutError(f"nothing answers on port {port}")
