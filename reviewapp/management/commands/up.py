"""Runs the whole board on this machine: its servers, the web server, the worker and the scheduler."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from argparse import BooleanOptionalAction
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from reviewapp import reach
from reviewapp.embedded import Postgres, Valkey
from reviewapp.environment import BASE_DIR
from reviewapp.processes import MARK, CannotStart, Child, end_leftovers
from reviewapp.supervise import StopRequested, Supervisor, ignore_signals, stop_on_signals


class Command(BaseCommand):
    help = "Run the whole board; PostgreSQL and Valkey too, unless DATABASE_URL and REDIS_URL are set."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (8000; 0: any free one)")
        parser.add_argument("--data-dir", help="where everything is kept (DATA_DIR, or var/ beside manage.py)")
        parser.add_argument(
            "--demo",
            action=BooleanOptionalAction,
            default=True,
            help="load the sample data on the first start",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        stop_on_signals()
        try:
            with hold(settings.DATA_DIR) as data_dir:
                Board(data_dir, options["host"], options["port"], options["demo"], self.say).run()
        except StopRequested:
            self.say("Countersign has stopped.")
        except CannotStart as error:
            self.stderr.write(str(error))
            sys.exit(1)

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


@contextmanager
def hold(data_dir: Path) -> Iterator[Path]:
    """Hold the data directory for ourselves alone. The kernel lets go of the lock however we end."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        held = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise CannotStart(f"DATA_DIR: {data_dir} cannot be used: {error.strerror}.") from None
    try:
        if not os.access(data_dir, os.W_OK | os.X_OK):
            raise CannotStart(f"DATA_DIR: {data_dir} cannot be written to.")
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield data_dir
    except BlockingIOError:
        raise CannotStart(
            f"`up` is already running on {data_dir}; stop it, or give this one its own --data-dir."
        ) from None
    finally:
        os.close(held)


class Board:
    """One board from start to stop."""

    def __init__(self, data_dir: Path, host: str, port: int, demo: bool, say: Any) -> None:
        self.data_dir, self.demo, self.say = data_dir, demo, say
        self.run_dir = data_dir / "run"
        self.port = reach.hold_port(host, port)
        self.address = reach.Address(host, self.port.getsockname()[1])
        self.supervisor = Supervisor(say)
        self.servers: list[Postgres | Valkey] = []
        self.env = os.environ | {"DATA_DIR": str(data_dir), MARK: str(data_dir), "PYTHONUNBUFFERED": "1"}

    def run(self) -> None:
        """Start everything, say so, and watch until told to stop. Nothing is left running or lying about."""
        try:
            self.start()
            self.supervisor.watch()
        finally:
            ignore_signals()
            self.supervisor.stop()
            for server in self.servers:
                server.tidy()
            shutil.rmtree(self.run_dir, ignore_errors=True)
            self.port.close()

    def start(self) -> None:
        """From nothing, or from what a kill left behind, to a board that answers."""
        end_leftovers(self.data_dir)
        shutil.rmtree(self.run_dir, ignore_errors=True)
        self.run_dir.mkdir(mode=0o711)
        self.start_servers()
        reach.check_database(self.env["DATABASE_URL"])
        reach.check_broker(self.env["REDIS_URL"])
        link = self.prepare()
        self.env.setdefault("COUNTERSIGN_SINGLE_OPERATOR", str(self.is_demo()).lower())
        if self.is_demo():  # whoever tries it out has one key and a minute
            self.env.setdefault("COUNTERSIGN_MIN_DAYS", "1")
            self.env.setdefault("COUNTERSIGN_COUNT_USERS", "true")
        self.env.setdefault("ALLOWED_HOSTS", ",".join(self.address.allowed_hosts()))
        web, *others = self.processes()
        self.supervisor.wait_for(self.supervisor.start(web), self.address.answers)
        for child in others:  # only now: starting up is the one thing they would take the web server's time for
            self.supervisor.start(child)
        self.say(f"Countersign is ready at {self.address.url}")
        self.say(f"Sign in, once and within a day: {link}")

    def start_servers(self) -> None:
        """Start the servers nobody has given us, and tell our children and other commands where they are."""
        ours: dict[str, tuple[Postgres | Valkey, Child]] = {}
        if not self.env.get("DATABASE_URL"):
            ours["DATABASE_URL"] = self.launch(Postgres(self.data_dir))
        if not self.env.get("REDIS_URL"):
            ours["REDIS_URL"] = self.launch(Valkey(self.data_dir))
        for server, child in ours.values():
            server.wait(child)
        urls = {name: server.url for name, (server, _) in ours.items()}
        self.env |= urls
        self.env.setdefault("COUNTERSIGN_ADDRESS", self.address.url)
        note = self.run_dir / "servers.json"
        note.touch(mode=0o600)
        note.write_text(json.dumps(urls | {"COUNTERSIGN_ADDRESS": self.env["COUNTERSIGN_ADDRESS"]}))

    def launch(self, server: Postgres | Valkey) -> tuple[Postgres | Valkey, Child]:
        """Start one server."""
        self.servers.append(server)
        for opened in server.create():
            self.say(f"PostgreSQL runs as another user than root, so others may now pass through {opened}.")
        return server, self.supervisor.start(server.child(self.env), server=True)

    def prepare(self) -> str:
        """Bring database and static files up to date in a process that knows where they are; returns the link."""
        argv = [sys.executable, str(BASE_DIR / "manage.py"), "prepare", "--verbosity", "0"]
        argv += ["--sign-in-link", self.env["COUNTERSIGN_ADDRESS"].rstrip("/"), *(["--demo"] if self.demo else [])]
        preparing = subprocess.Popen(  # noqa: S603 (argv is ours)
            argv, env=self.env, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            printed = preparing.communicate()[0].strip()
        finally:
            preparing.kill()
            preparing.wait()
        if preparing.returncode:
            raise CannotStart("The database could not be prepared; the reason stands above.")
        return str(printed.split("\n")[-1])

    def is_demo(self) -> bool:
        """Whether the board shows the sample data; a board of one's own never loses the four-eyes rule by itself."""
        return self.demo and (self.data_dir / "demo").exists()

    def processes(self) -> list[Child]:
        """The web server, the worker and the scheduler."""
        celery = ["celery", "--app", "reviewapp"]
        worker = [
            "worker",
            "--concurrency",
            "2",
            "--loglevel",
            "INFO",
            "--without-gossip",
            "--without-mingle",
        ]
        beat = ["beat", "--loglevel", "INFO", "--pidfile=", "--schedule", str(self.run_dir / "schedule")]
        return [
            self.process("web", self.address.web_server()),
            self.process("worker", [*celery, *worker]),
            self.process("scheduler", [*celery, *beat]),
        ]

    def process(self, name: str, module: list[str]) -> Child:
        """A child that runs a Python module with arguments."""
        argv = [sys.executable, "-m", *module]
        return Child(name, argv, log=self.data_dir / "log" / f"{name}.log", env=self.env, cwd=BASE_DIR)
