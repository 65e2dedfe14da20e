"""Starts a training process, reads its events, and stops or kills it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from services.trainer.queue.job import Failure
from services.trainer.run.messages import STOP, Event, Failed, Stopped, Succeeded, Task, decode_event, encode

log = logging.getLogger(__name__)

# The module that the process runs; chaos tests replace it.
CHILD_MODULE = "services.trainer.run"
_REPOSITORY = Path(__file__).resolve().parents[3]
# Bytes of a message; the longest ones hold a whole loss curve.
_MAX_LINE = 1 << 20


class ChildProcess(Protocol):
    """A child process as an attempt sees it; tests use their own implementation."""

    pid: int

    def events(self) -> AsyncIterator[Event]:
        """Its events; the last is Succeeded, Failed or Stopped, also if the process died without sending one."""

    async def stop(self) -> None:
        """Ask it to write a checkpoint and to end after the current step."""

    async def kill(self) -> None:
        """Kill it and its own children; returns when it is gone."""


class TrainingProcess:
    """A child process that runs one training, in a session of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid

    @classmethod
    async def start(cls, task: Task) -> TrainingProcess:
        """Start ``python -m services.trainer.run`` on ``task``."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            CHILD_MODULE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=_environment(task),
            cwd=_REPOSITORY,
            start_new_session=True,
            limit=_MAX_LINE,
        )
        assert process.stdin is not None
        # A process that is gone already is noticed at the end of its stdout.
        with contextlib.suppress(ConnectionError):
            process.stdin.write(encode(task))
            await process.stdin.drain()
        return cls(process)

    async def events(self) -> AsyncIterator[Event]:
        """As :class:`ChildProcess`."""
        assert self._process.stdout is not None
        last: Event | None = None
        async for line in self._process.stdout:
            last = decode_event(line)
            if not isinstance(last, Succeeded | Failed | Stopped):
                yield last
        status = await self._process.wait()
        if isinstance(last, Succeeded | Failed | Stopped):
            yield last
        else:
            yield Failed(_failure_of(status), final=False)

    async def stop(self) -> None:
        """As :class:`ChildProcess`."""
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write(STOP.encode() + b"\n")
            await self._process.stdin.drain()

    async def kill(self) -> None:
        """As :class:`ChildProcess`."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()


def _environment(task: Task) -> dict[str, str]:
    """The service's environment, with the object store's credentials, and torch's settings."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(_REPOSITORY), os.environ.get("PYTHONPATH")))),
        # Waiting threads must not spin: beside other work that was measured ten times slower.
        "OMP_WAIT_POLICY": "passive",
        "OMP_NUM_THREADS": str(task.threads),
        # Weights are only loaded from the foundation's folder.
        "HF_HUB_OFFLINE": "1",
        # CUDA's matrix products are reproducible only with this.
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    }


def _failure_of(status: int) -> Failure:
    """The failure of a process that died without a last event; ``status`` is negative for a signal."""
    if status == -signal.SIGKILL:
        return Failure(
            "TRAINING_KILLED",
            "the training's process was killed, most likely as the machine ran out of memory: ask for fewer batch_rows "
            "or a lower rank, or give the trainer more memory",
        )
    how = f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
    return Failure("TRAINING_CRASHED", f"the training's process ended {how}; the trainer's log has its output")
