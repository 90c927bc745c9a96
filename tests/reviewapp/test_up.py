"""`up` starts everything, stops everything, and copes with what a kill leaves behind. With real processes."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest
import re2

from reviewapp.environment import BASE_DIR
from reviewapp.processes import MARK, CannotStart, Child
from reviewapp.reach import free_port, hold_port

pytestmark = pytest.mark.process

READY = re2.compile(r"^Countersign is ready at (http://\S+)$")
BARE = {
    name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH", "DJANGO_SETTINGS_MODULE") if name in os.environ
}


@dataclass
class Up:
    """A running `up`."""

    process: subprocess.Popen[str]
    url: str
    data_dir: Path
    ready_after_s: float

    def get(self, path: str) -> int:
        host, port = self.url.removeprefix("http://").split(":")
        asking = HTTPConnection(host, int(port), timeout=10)
        asking.request("GET", path)
        return asking.getresponse().status

    def stop(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)

    def tree(self) -> list[psutil.Process]:
        """Itself and everything under it."""
        me = psutil.Process(self.process.pid)
        return [me, *me.children(recursive=True)]


def command(data_dir: Path | str, port: int = 0) -> list[str]:
    return [sys.executable, "manage.py", "up", "--data-dir", str(data_dir), "--port", str(port), "--no-demo"]


@contextmanager
def running(data_dir: Path) -> Iterator[Up]:
    """Start `up` and wait for its ready line; whatever the test does, nothing stays behind."""
    started = time.monotonic()
    process = subprocess.Popen(
        command(data_dir), cwd=BASE_DIR, env=BARE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert process.stdout
        said = []
        for line in process.stdout:
            said.append(line)
            if ready := READY.match(line.strip()):
                yield Up(process, ready[1], data_dir, time.monotonic() - started)
                break
        else:
            pytest.fail("".join(said))
    finally:
        process.terminate()
        process.communicate(timeout=30)
        for left in at_work(data_dir):
            left.kill()


def at_work(data_dir: Path) -> list[psutil.Process]:
    """Every process that has to do with this data directory, by arguments, environment or place."""
    return [process for process in psutil.process_iter() if _belongs(process, str(data_dir))]


def _belongs(process: psutil.Process, data_dir: str) -> bool:
    try:
        signs = [*process.cmdline(), process.cwd(), process.environ().get(MARK, "")]
    except psutil.Error:
        return False
    return process.status() != psutil.STATUS_ZOMBIE and any(sign.startswith(data_dir) for sign in signs)


def nothing_left(data_dir: Path) -> bool:
    return not at_work(data_dir) and not (data_dir / "run").exists() and not list(data_dir.rglob("*.pid"))


def within(seconds: float, data_dir: Path) -> list[psutil.Process]:
    """What is still at work when the time is over, or nothing as soon as nothing is."""
    until = time.monotonic() + seconds
    while (left := at_work(data_dir)) and time.monotonic() < until:
        time.sleep(0.1)
    return left


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that has been started, stopped and killed, as the tests of this module go on."""
    return tmp_path_factory.mktemp("board")


def refused(data_dir: Path | str, port: int = 0, **env: str) -> str:
    """What `up` says when it refuses to start; it must be one sentence without a traceback."""
    done = subprocess.run(
        command(data_dir, port), cwd=BASE_DIR, env=BARE | env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0
    assert done.stdout == ""
    assert len(done.stderr.strip().split("\n")) == 1, done.stderr
    return done.stderr.strip()


def answers(up: Up) -> bool:
    try:
        return up.get("/healthz") == 200
    except OSError:
        return False


def four_eyes(up: Up) -> bool:
    """Whether the rule holds on this board: it was started without sample data."""
    web = next(child for child in up.tree() if "granian" in child.cmdline())
    return web.environ()["COUNTERSIGN_SINGLE_OPERATOR"] == "false"


def test_it_starts_answers_stops_and_soon_starts_again(data_dir: Path) -> None:
    with running(data_dir) as up:
        assert up.get("/healthz") == 200
        assert "already running" in refused(data_dir)
        assert four_eyes(up)
        assert up.stop(signal.SIGTERM) == 0
    assert nothing_left(data_dir)
    with running(data_dir) as up:
        assert up.ready_after_s < 60  # ten seconds where nothing else runs; here other tests run beside it
        assert up.get("/readyz") == 200
        assert up.stop(signal.SIGINT) == 0
    assert nothing_left(data_dir)


def test_whatever_is_killed_it_starts_again(data_dir: Path) -> None:
    with running(data_dir) as up:
        for process in up.tree():
            process.kill()
        assert not within(10, data_dir)
    with running(data_dir) as up:
        assert up.get("/readyz") == 200
        up.process.kill()
        if sys.platform == "linux":  # elsewhere the next start ends its children
            assert not within(10, data_dir)
    with running(data_dir) as up:
        assert up.get("/readyz") == 200
        next(child for child in up.tree() if "granian" in child.cmdline()).kill()
        assert up.process.stdout
        said = next(line for line in up.process.stdout if "web" in line)
        assert said.startswith("The web process was ended by signal 9; starting it again in 1 s")
        until = time.monotonic() + 20
        while not answers(up) and time.monotonic() < until:
            time.sleep(0.1)
        assert up.get("/healthz") == 200


def test_a_taken_port_is_refused(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert refused(tmp_path, port).startswith(f"Port {port} on 127.0.0.1 cannot be used: Address already in use")
    assert nothing_left(tmp_path)


def test_a_port_is_one_boards_from_the_first_moment() -> None:
    with hold_port("127.0.0.1", 0) as held:
        port = held.getsockname()[1]
        with pytest.raises(CannotStart, match="Address already in use"):
            hold_port("127.0.0.1", port)
        with socket.socket() as web_server:
            web_server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            web_server.bind(("127.0.0.1", port))
            web_server.listen()
            with pytest.raises(CannotStart, match="Address already in use"):
                hold_port("127.0.0.1", port)
    assert free_port("127.0.0.1", port) == port


def test_an_unusable_data_directory_is_refused() -> None:
    assert refused("/dev/null/board") == "DATA_DIR: /dev/null/board cannot be used: Not a directory."


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://localhost/x", "DATABASE_URL: "),
        ("postgresql://u:secret@127.0.0.1:1/x", "DATABASE_URL: the database cannot be reached: "),
    ],
)
def test_a_broken_database_url_is_refused_without_telling_the_password(tmp_path: Path, url: str, said: str) -> None:
    sentence = refused(tmp_path, DATABASE_URL=url)
    assert sentence.startswith(said)
    assert "secret" not in sentence
    assert nothing_left(tmp_path)


def test_a_wrong_database_password_is_refused(tmp_path: Path) -> None:
    url = re2.sub(r":[^:@]+@", ":wrong@", os.environ["DATABASE_URL"])
    assert "password authentication failed" in refused(tmp_path, DATABASE_URL=url)
    assert nothing_left(tmp_path)


def test_a_broken_redis_url_is_refused(tmp_path: Path) -> None:
    sentence = refused(tmp_path, DATABASE_URL=os.environ["DATABASE_URL"], REDIS_URL="redis://127.0.0.1:1/0")
    assert sentence.startswith("REDIS_URL: the server cannot be reached: ")
    assert nothing_left(tmp_path)


def test_a_data_directory_that_is_gone_is_told_in_a_sentence(tmp_path: Path) -> None:
    child = Child("worker", [sys.executable, "-c", ""], log=tmp_path / "gone" / "log" / "worker.log", env={})
    with pytest.raises(CannotStart, match=r"worker process cannot be started: .*No such file.*Was the data directory"):
        child.start()
