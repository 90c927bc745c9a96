"""A whole board of real processes on servers of its own, so that a test may kill any part of it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from reviewapp.embedded import Postgres, Valkey
from reviewapp.environment import BASE_DIR
from reviewapp.processes import MARK, Child, kill_group, stop
from reviewapp.reach import Address, free_port
from tests import engines
from tests.cast import PROMPT

HOST = "127.0.0.1"
CELERY = ("celery", "--app", "reviewapp")
QUICK = ("--concurrency=1", "--without-gossip", "--without-mingle")


@dataclass(frozen=True)
class Reply:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def fields(self) -> set[str]:
        """The fields a refusal names, as dotted paths."""
        return {".".join(str(part) for part in error["loc"]) for error in self.json().get("errors", [])}


class Board:
    """Servers, web server, worker and scheduler, one agent called support, and a key for everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "run").mkdir(mode=0o711)
        self.postgres, self.valkey = Postgres(folder, durable=False), Valkey(folder)
        self.web = Address(HOST, free_port(HOST, 0))
        self.children: dict[str, Child] = {}
        self.key = ""

    def start(self) -> None:
        """Everything, up to a web server that answers."""
        env = os.environ | {MARK: str(self.folder), "DATA_DIR": str(self.folder), "COUNTERSIGN_MINE_EVERY_S": "1"}
        for server in (self.postgres, self.valkey):
            server.create()
            self.run(server.child(env))
        self.postgres.wait(self.children["postgres"])
        self.valkey.wait(self.children["valkey"])
        self.env = env | {"DATABASE_URL": self.postgres.url, "REDIS_URL": self.valkey.url, "ALLOWED_HOSTS": HOST}
        dump = engines.migrated()
        if dump:
            engines.fill(self.postgres.url, dump)
        else:
            self.manage("migrate", "--verbosity", "0")
        prompt = self.folder / "prompt.md"
        prompt.write_text(PROMPT)
        self.manage("create_agent", "support", "--document", f"system-prompt={prompt}")
        scopes = [part for scope in ("ingest", "read", "propose", "admin", "audit") for part in ("--scope", scope)]
        self.key = self.manage("create_key", "--all", *scopes)
        self.run(self.child("web", *self.web.web_server()))
        eventually(self.web.answers, 30)

    def start_celery(self) -> None:
        """Worker and scheduler, up to the first sign of life of both."""
        schedule = str(self.folder / "run" / "schedule")
        self.run(self.child("worker", *CELERY, "worker", *QUICK))
        self.run(self.child("scheduler", *CELERY, "beat", "--pidfile=", "--schedule", schedule))
        eventually(lambda: self.call("GET", "/readyz").json()["degraded"] == [], 60)

    def child(self, name: str, *module: str) -> Child:
        """A child that runs a Python module with arguments."""
        log = self.folder / "log" / f"{name}.log"
        return Child(name, [sys.executable, "-m", *module], log=log, env=self.env, cwd=BASE_DIR)

    def run(self, child: Child) -> None:
        self.children[child.name] = child
        child.start()

    def kill(self, name: str) -> None:
        """kill -9, helpers included: nobody gets to tidy up."""
        process = self.children.pop(name).process
        assert process
        kill_group(process)

    def stop(self) -> None:
        stop(reversed(self.children.values()))
        self.postgres.tidy()

    def manage(self, *arguments: str) -> str:
        """What a command prints."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=BASE_DIR, env=self.env, check=True, text=True, stdout=subprocess.PIPE
        ).stdout.strip()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """One request on a connection of its own. Lists and objects go as JSON, an iterator in chunks."""
        sent = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        raw = json.dumps(body).encode() if isinstance(body, dict | list) else body
        asking = HTTPConnection(HOST, self.web.port, timeout=20)
        try:
            asking.request(method, path, raw, sent, encode_chunked=raw is not None and not isinstance(raw, bytes))
            answer = asking.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            asking.close()


def eventually(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for a condition; fail when it does not come true in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)
