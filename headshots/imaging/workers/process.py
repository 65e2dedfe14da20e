"""Asks one decoding process, and kills it when an answer takes too long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import Any

from headshots.errors import InternalError
from headshots.imaging.workers.frames import read_frame, write_frame

_START_SECONDS = 60.0
# Nothing else of the environment: it has the credentials of the database and of the object store.
_INHERITED = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONHOME", "PYTHONPATH", "SYSTEMROOT", "TMPDIR")
# One heap, and no threads of numpy's own: a process decodes one photo at a time.
_ADDED = {"MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

Answer = tuple[dict[str, Any], bytes]


class DecoderDiedError(Exception):
    """The process ended over a request; `cause` says how: `cpu`, `time`, `memory` or `crash`."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class DecodingProcess:
    """A process that decodes. Start it in a thread that lives as long: the kernel ends it with that thread."""

    def __init__(self, memory_bytes: int) -> None:
        """Starts the process and does not wait until it is ready."""
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "headshots.imaging.workers.worker", str(os.getpid()), str(memory_bytes)],
            env={**inherited, **_ADDED},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl-C is for us alone; the process ends when we close its input.
            start_new_session=True,
        )
        self._is_ready = False

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it may be asked."""
        return self._process.poll() is None

    def ask(self, header: dict[str, Any], body: bytes | bytearray, wall_seconds: float) -> Answer:
        """Sends a request and waits for its answer.

        Raises:
            DecoderDiedError: it ended instead, by itself or because `wall_seconds` were over.
            InternalError: DECODER_FAILED, it could not be started or has a defect; its own words are on standard error.
        """
        if not self._is_ready:
            self._exchange(None, b"", _START_SECONDS)
            self._is_ready = True
        return self._exchange(header, body, wall_seconds)

    def kill(self) -> None:
        """Ends it at once; safe to repeat."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                # What was still to be flushed has no reader.
                try:
                    stream.close()
                except OSError:
                    continue
        self._process.wait()

    def _exchange(self, header: dict[str, Any] | None, body: bytes | bytearray, wall_seconds: float) -> Answer:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        too_late = threading.Event()
        timer = threading.Timer(wall_seconds, self._end, (too_late,))
        timer.start()
        try:
            if header is not None:
                write_frame(self._process.stdin, header, body)
            answer = read_frame(self._process.stdout)
        except BrokenPipeError:
            answer = None
        except ValueError as error:
            raise InternalError("DECODER_FAILED", "a decoding process sent what is no message") from error
        finally:
            timer.cancel()
            timer.join()
        if answer is None:
            raise self._death(too_late.is_set())
        if answer[0].get("defect"):
            raise InternalError("DECODER_FAILED", "a decoding process failed; its traceback is in the log")
        return answer

    def _end(self, too_late: threading.Event) -> None:
        too_late.set()
        self._process.kill()

    def _death(self, too_late: bool) -> Exception:
        code = self._process.wait()
        if code >= 0:
            return InternalError("DECODER_FAILED", f"a decoding process ended with exit code {code}; see the log")
        if too_late:
            return DecoderDiedError("time")
        causes = {signal.SIGPROF: "cpu", signal.SIGXCPU: "cpu", signal.SIGKILL: "memory"}
        return DecoderDiedError(causes.get(signal.Signals(-code), "crash"))
