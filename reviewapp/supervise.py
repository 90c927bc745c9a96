"""Keeps the processes of one board running until a signal says stop."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

from reviewapp.processes import CannotStart, Child, kill_group, stop

_LONGEST_PAUSE_S = 30.0
_STEADY_AFTER_S = 60.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StopRequested(BaseException):
    """Somebody asked the program to stop. Like KeyboardInterrupt, not an error to be caught on the way."""


def stop_on_signals() -> None:
    """From now on SIGTERM, SIGINT and SIGHUP raise StopRequested, once; under nohup, SIGHUP stays ignored.

    SIGINT is heeded even where it comes ignored: a shell without job control starts its background jobs like that.
    """

    def request(number: int, frame: FrameType | None) -> None:
        ignore_signals()
        raise StopRequested

    for number in _SIGNALS:
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, request)


def ignore_signals() -> None:
    """While everything is being stopped, a second Ctrl-C must not leave half of it running."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@dataclass
class _Watched:
    child: Child
    started_at: float
    failures: int = 0
    start_again_at: float | None = None


@dataclass
class Supervisor:
    """Starts children, starts the ones that die again (after 1, 2, 4, … 30 seconds), and stops them all.

    `say` tells the person at the terminal.
    """

    say: Callable[[str], None]
    servers: list[_Watched] = field(default_factory=list)
    workers: list[_Watched] = field(default_factory=list)

    def start(self, child: Child, *, server: bool = False) -> Child:
        """Start and watch it. Servers are what the others need: they stop last."""
        (self.servers if server else self.workers).append(_Watched(child, time.monotonic()))
        child.start()
        return child

    def watch(self) -> None:
        """Watch until StopRequested is raised."""
        while True:
            for watched in self.servers + self.workers:
                self._look_after(watched)
            time.sleep(0.2)

    def wait_for(self, child: Child, is_ready: Callable[[], bool], *, patience: float = 60.0) -> None:
        """Return when `is_ready()`; CannotStart when the child ends first or `patience` seconds have passed."""
        until = time.monotonic() + patience
        while not is_ready():
            if child.ended() is not None:
                raise CannotStart(f"The {child.name} process did not start: {child.last_words()} (see {child.log})")
            if time.monotonic() > until:
                raise CannotStart(f"The {child.name} process was not ready in {patience:.0f} s (see {child.log}).")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the workers together, then the servers together. Nothing is left when this returns."""
        stop(watched.child for watched in self.workers)
        stop((watched.child for watched in self.servers), patience=10.0)

    def _look_after(self, watched: _Watched) -> None:
        now = time.monotonic()
        if watched.start_again_at is not None:
            if now >= watched.start_again_at:
                watched.start_again_at, watched.started_at = None, now
                watched.child.start()
        elif (code := watched.child.ended()) is not None:
            self._plan_restart(watched, code, now)

    def _plan_restart(self, watched: _Watched, code: int, now: float) -> None:
        if watched.child.process:
            kill_group(watched.child.process)  # its helpers would hold the port or the queue
        watched.failures = 0 if now - watched.started_at > _STEADY_AFTER_S else watched.failures + 1
        pause = min(_LONGEST_PAUSE_S, 2.0 ** max(0, watched.failures - 1))
        watched.start_again_at = now + pause
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        self.say(f"The {watched.child.name} process {how}; starting it again in {pause:.0f} s ({watched.child.log}).")
