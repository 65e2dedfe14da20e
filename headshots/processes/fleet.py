"""Services as child processes: started together, listened to, and never left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from headshots.errors import HeadshotsError

STOP_SECONDS = 20.0
# Given name and line, without its end.
OnLine = Callable[[str, str], None]


class ServicesFailedError(HeadshotsError):
    """A service that we started died, or did not get ready; its log says why."""


class Fleet:
    """Child processes by name. Use it as a context: leaving it stops them all. Start them from the main thread."""

    def __init__(self, on_line: OnLine, *, inherited: Mapping[str, str] | None = None) -> None:
        """Processes get the variables `inherited`, by default ours, and those that `start` is given."""
        self._on_line = on_line
        self._inherited = dict(os.environ if inherited is None else inherited)
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._readers: list[threading.Thread] = []

    def start(self, name: str, module: str, environment: Mapping[str, str], arguments: Sequence[str] = ()) -> None:
        """Run `python -m module arguments` with these variables on top; it ends when we do."""
        process = subprocess.Popen(
            [sys.executable, "-m", "headshots.cli.child", str(os.getpid()), module, *arguments],
            env={**self._inherited, "PYTHONUNBUFFERED": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # Ctrl-C reaches us alone; we stop them in order.
            start_new_session=True,
        )
        self._processes[name] = process
        assert process.stdout is not None
        reader = threading.Thread(target=self._listen, args=(name, process.stdout), name=f"log-{name}")
        reader.start()
        self._readers.append(reader)

    def pids(self) -> dict[str, int]:
        """Process ids by name, dead ones included."""
        return {name: process.pid for name, process in self._processes.items()}

    def exited(self) -> tuple[str, int] | None:
        """The name and exit code of a process that ended by itself; negative codes are signals."""
        for name, process in self._processes.items():
            if (code := process.poll()) is not None:
                return name, code
        return None

    def exit_code(self, name: str) -> int | None:
        """The exit code of a process; None while it runs."""
        return self._processes[name].poll()

    def kill(self, name: str) -> None:
        """End one at once, as a crash would, and forget it; one that has ended is only forgotten."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        """SIGTERM to all; SIGKILL, whole process groups, to what is left after 20 seconds. Safe to repeat."""
        with _uninterrupted():
            for process in self._processes.values():
                if process.poll() is None:
                    process.terminate()
            deadline = time.monotonic() + STOP_SECONDS
            for process in self._processes.values():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, deadline - time.monotonic()))
                # Also for a leader that is gone: what it started may not be.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            for reader in self._readers:
                # Ends with the last process that holds the pipe.
                reader.join(timeout=5)
            self._processes.clear()
            self._readers.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _listen(self, name: str, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self._on_line(name, line.rstrip("\n"))


class LogFiles:
    """An `OnLine` that keeps one file a name in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock = threading.Lock()

    def __call__(self, name: str, line: str) -> None:
        with self._lock, self.path(name).open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def path(self, name: str) -> Path:
        """Where the lines of `name` go."""
        return self._folder / f"{name}.log"

    def tail(self, name: str, lines: int = 12) -> str:
        """The end of what `name` said."""
        path = self.path(name)
        return "\n".join(path.read_text(encoding="utf-8").splitlines()[-lines:]) if path.exists() else ""


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_serving(address: str, timeout_seconds: float = 1.0) -> bool:
    """Whether the server answers SERVING to a health probe."""
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    # Ours is always this machine, which no proxy of the environment needs to be asked for.
    with grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0)]) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=timeout_seconds)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def wait_until_serving(
    fleet: Fleet, addresses: Mapping[str, str], *, timeout_seconds: float, on_serving: Callable[[str], None]
) -> None:
    """Wait until the server at each address (by name) answers SERVING; tells of each as it does.

    Raises:
        ServicesFailedError: SERVICE_DIED, or SERVICE_NOT_READY after `timeout_seconds`.
    """
    waiting = dict(addresses)
    deadline = time.monotonic() + timeout_seconds
    while waiting:
        if (dead := fleet.exited()) is not None:
            raise ServicesFailedError("SERVICE_DIED", tell_death(*dead))
        if time.monotonic() > deadline:
            names = ", ".join(sorted(waiting))
            raise ServicesFailedError(
                "SERVICE_NOT_READY", f"{names} not ready after {timeout_seconds:.0f} s; what they said stands above"
            )
        for name, address in list(waiting.items()):
            if is_serving(address):
                del waiting[name]
                on_serving(name)
        time.sleep(0.1)


def tell_death(name: str, code: int) -> str:
    """Of a service whose lines went where this message goes."""
    return f"the {name} ended with exit code {code}; its own last lines stand above"


@contextlib.contextmanager
def stopping_on_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP raise KeyboardInterrupt here, as Ctrl-C does, so that contexts are left in order."""

    def interrupt(number: int, _frame: object) -> None:
        raise KeyboardInterrupt(f"stopped by {signal.Signals(number).name}")

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """An impatient second Ctrl-C must not leave children behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
