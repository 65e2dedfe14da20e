"""Starts child processes together, passes their output on, and stops all of them at the end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import IO, Self

from headshots.errors import HeadshotsError
from headshots.processes.signals import uninterrupted

STOP_SECONDS = 20.0
# Called with the name of a process and a line of its output, without the line end.
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
            [sys.executable, "-P", "-m", "headshots.processes.child", str(os.getpid()), module, *arguments],
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
        with uninterrupted():
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
