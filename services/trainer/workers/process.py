"""The service's end of a child process: start it, hear its events, stop or kill it."""

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

# What a child runs; tests let it run something that kills it in the middle.
CHILD_MODULE = "services.trainer.run"
_REPOSITORY = Path(__file__).resolve().parents[3]
# A line holds at most a whole curve.
_LONGEST_LINE = 1 << 20


class ChildProcess(Protocol):
    """What an attempt needs of a child; tests bring their own."""

    pid: int

    def events(self) -> AsyncIterator[Event]:
        """Everything it says; the last is Succeeded, Failed or Stopped, made up if it died without a word."""

    async def stop(self) -> None:
        """Ask for a checkpoint and an end after the running step."""

    async def kill(self) -> None:
        """End it and all it started, at once; returns when it is gone."""


class Child:
    """A training in a process of its own, in a session of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid

    @classmethod
    async def start(cls, task: Task) -> Child:
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
            limit=_LONGEST_LINE,
        )
        assert process.stdin is not None
        # A child that is gone already is noticed at the end of its stdout.
        with contextlib.suppress(ConnectionError):
            process.stdin.write(encode(task))
            await process.stdin.drain()
        return cls(process)

    async def events(self) -> AsyncIterator[Event]:
        """As :class:`ChildProcess` has it."""
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
            yield Failed(_obituary(status), final=False)

    async def stop(self) -> None:
        """As :class:`ChildProcess` has it."""
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write(STOP.encode() + b"\n")
            await self._process.stdin.drain()

    async def kill(self) -> None:
        """As :class:`ChildProcess` has it."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()


def _environment(task: Task) -> dict[str, str]:
    """The service's own environment (the object store's credentials are in it), and how torch should behave."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(_REPOSITORY), os.environ.get("PYTHONPATH")))),
        # Threads that wait give their core away: spinning beside other work was measured ten times slower.
        "OMP_WAIT_POLICY": "passive",
        "OMP_NUM_THREADS": str(task.threads),
        # Weights come from the foundation's folder and from nowhere else.
        "HF_HUB_OFFLINE": "1",
        # What CUDA's matrix products need to be reproducible.
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    }


def _obituary(status: int) -> Failure:
    """What to say of a child that died without a word; ``status`` is negative for a signal."""
    if status == -signal.SIGKILL:
        return Failure(
            "TRAINING_KILLED",
            "the training's process was killed, most likely as the machine ran out of memory: ask for fewer batch_rows "
            "or a lower rank, or give the trainer more memory",
        )
    how = f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
    return Failure("TRAINING_CRASHED", f"the training's process ended {how}; the trainer's log has its last words")
