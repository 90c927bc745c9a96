"""Child processes that never outlive their purpose: started, stopped, restarted, and found again after a kill."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

MARK = "COUNTERSIGN_UP"
"""Environment variable that every child carries; its value is the data directory it works for."""

_PR_SET_PDEATHSIG = 1
_LOG_LIMIT = 10_000_000


class CannotStart(Exception):
    """Starting is impossible; the message is one sentence for the person at the terminal."""


@dataclass(frozen=True)
class Account:
    """The system user a child runs as, when `up` itself runs as root."""

    uid: int
    gid: int


def tie_to_parent(death_signal: signal.Signals) -> None:
    """Ask Linux to send this process `death_signal` when the one that started it dies. Elsewhere does nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)


def tie_to_server() -> None:
    """For the helpers of a child of `up` (web workers, pool processes): when it is killed, they go too."""
    if MARK in os.environ:
        tie_to_parent(signal.SIGKILL)


@dataclass
class Child:
    """One process of ours, in a session of its own, so that a Ctrl-C at the terminal reaches only `up`."""

    name: str
    argv: list[str]
    log: Path
    env: dict[str, str]
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGTERM
    account: Account | None = None
    cwd: Path | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it; its output goes to the end of its log. Raises CannotStart where no log can be written."""
        try:
            opened = _open_log(self.log)
        except OSError as error:
            why = f"{self.log} cannot be written: {error.strerror}"
            raise CannotStart(
                f"The {self.name} process cannot be started: {why}. Was the data directory removed?"
            ) from None
        with opened as log:
            self.process = subprocess.Popen(  # noqa: S603 (argv is ours)
                self.argv,
                env=self.env,
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=self._tie(),
                user=self.account.uid if self.account else None,
                group=self.account.gid if self.account else None,
                extra_groups=[] if self.account else None,
            )

    def _tie(self) -> Callable[[], None]:
        parent, death_signal = os.getpid(), self.death_signal

        def tie() -> None:
            tie_to_parent(death_signal)
            if os.getppid() != parent:  # it died before it could be tied to
                os._exit(1)

        return tie

    def ended(self) -> int | None:
        """The exit code (negative: the signal) of a process that has ended, else None."""
        return self.process.poll() if self.process else None

    def last_words(self) -> str:
        """The last line of its log that says something."""
        lines = self.log.read_text(errors="replace").split("\n")[-40:] if self.log.exists() else []
        return next((line.strip() for line in reversed(lines) if line.strip()), "nothing")


def stop(children: Iterable[Child], *, patience: float = 7.0) -> None:
    """Ask all of them to end, wait `patience` seconds in all, then kill what is left of their process groups."""
    running = [(child, child.process) for child in children if child.process]
    for child, process in running:
        process.send_signal(child.stop_signal)
    until = time.monotonic() + patience
    for _, process in running:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, until - time.monotonic()))
        kill_group(process)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a child and the helpers it leaves behind (its process group has its number)."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def end_leftovers(data_dir: Path, *, patience: float = 10.0) -> int:
    """End what an earlier, killed `up` left running on this data directory; returns how many there were."""
    found = [process for process in psutil.process_iter() if _works_for(process, data_dir)]
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGINT if process.name() == "postgres" else signal.SIGTERM)
    for process in psutil.wait_procs(found, timeout=patience)[1]:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(found, timeout=5)
    return len(found)


def _works_for(process: psutil.Process, data_dir: Path) -> bool:
    if process.pid == os.getpid():
        return False
    with suppress(psutil.Error):
        return process.environ().get(MARK) == str(data_dir)
    return False


def _open_log(path: Path) -> IO[bytes]:
    """Open a log for appending, readable by its owner only; one that has grown too long is set aside first."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if path.exists() and path.stat().st_size > _LOG_LIMIT:
        path.replace(path.with_suffix(".old.log"))
    path.touch(mode=0o600)
    return path.open("ab")
