"""Decodes photos in a few warm processes, and replaces each that a photo had to be stopped in."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from PIL import Image

from headshots.errors import InternalError, InvalidPhotoError
from headshots.imaging.cost import MEMORY_BYTES
from headshots.imaging.decode import NormalisedPhoto, PhotoLimits
from headshots.imaging.files.refusals import too_costly
from headshots.imaging.workers.process import Answer, DecoderDiedError, DecodingProcess

R = TypeVar("R")
_STACK_BYTES = 32 * 2**20
"""Reserved, and hardly used, by the threads with which libheif decodes tiles."""
_LIBRARIES_BYTES = 48 * 2**20
"""For what the functions of `call` import; no photo after them has less."""
_WHY = {
    "cpu": "decoding the photo takes more CPU time than a photo may",
    "time": "decoding the photo takes longer than a photo may",
    "memory": "decoding the photo takes more memory than there is",
    "crash": "decoding the photo ended its decoder",
}


@dataclass(frozen=True)
class DecoderLimits:
    """What a photo may take of a decoding process."""

    cpu_seconds: float = 4.5
    """CPU time of one photo, at most; 64 megapixels take about 3 s of a core."""
    wall_seconds: float = 60.0
    """Time of one photo from its hand-over, at most: where many share the cores it passes quicker than CPU time."""
    memory_bytes: int = MEMORY_BYTES + _STACK_BYTES + _LIBRARIES_BYTES
    """Memory of one photo, beyond that of an idle process."""


class DecoderPool:
    """Decodes up to `size` photos at once; others wait. Safe from any thread and event loop."""

    def __init__(
        self,
        size: int,
        limits: DecoderLimits = DecoderLimits(),
        on_stopped: Callable[[str], None] = lambda cause: None,
    ) -> None:
        """Starts the processes, and does not wait until they are ready.

        `on_stopped` hears why a photo was stopped (`cpu`, `time`, `memory` or `crash`), from some thread.
        """
        self._limits = limits
        self._on_stopped = on_stopped
        # A thread a process: the kernel ends a process with the thread that started it.
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="decoder")
        self._local = threading.local()
        self._processes: set[DecodingProcess] = set()
        self._lock = threading.Lock()
        self._closed = False
        together = threading.Barrier(size)
        self._started = [self._threads.submit(self._start, together) for _ in range(size)]

    async def normalise(self, data: bytes | bytearray, limits: PhotoLimits) -> NormalisedPhoto:
        """See `decode_photo`. Raises what it does, and PHOTO_TOO_COSTLY for a photo that had to be stopped."""
        header, png = await self._ask({"what": "png"}, data, limits)
        return NormalisedPhoto(png, header["png_sha256"], header["sha256"], header["width"], header["height"])

    async def open(self, data: bytes | bytearray, limits: PhotoLimits) -> Image.Image:
        """See `open_photo`. Raises what it does, and PHOTO_TOO_COSTLY for a photo that had to be stopped."""
        header, pixels = await self._ask({"what": "pixels"}, data, limits)
        return Image.frombytes("RGB", (header["width"], header["height"]), pixels)

    async def call(
        self,
        function: str,
        data: bytes | bytearray,
        limits: PhotoLimits,
        **arguments: Any,
    ) -> dict[str, Any]:
        """What `function(data, limits, **arguments)` returns in a decoding process: a JSON object.

        For whoever looks at a stranger's file with libraries that the photos' decoder knows nothing of. The function is
        named as `module:function` and imported there alone: such a library has no business where the credentials are.
        The arguments are JSON of at most 32 KiB. What comes back is a stranger's to make up as well: check it. It may
        take twice the CPU time of a photo, which it decodes too.

        Raises:
            InvalidPhotoError: PHOTO_TOO_COSTLY, where it had to be stopped; what the function raises.
        """
        what = {"function": function, "arguments": arguments, "cpu_seconds": 2 * self._limits.cpu_seconds}
        header, _ = await self._ask(what, data, limits)
        return header

    def pids(self) -> list[int]:
        """Ids of the processes that there are now."""
        for started in self._started:
            started.result()
        with self._lock:
            return [process.pid for process in self._processes]

    def close(self) -> None:
        """Ends the processes; photos that are being decoded are refused."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._closed = True
            for process in self._processes:
                process.kill()
            self._processes.clear()
        self._threads.shutdown(wait=True)

    async def _ask(self, what: dict[str, Any], data: bytes | bytearray, limits: PhotoLimits) -> Answer:
        request = {"limits": dataclasses.asdict(limits), "cpu_seconds": self._limits.cpu_seconds, **what}
        # A caller that is gone takes its photo out of the queue; one that is being decoded is decoded to its end.
        return await asyncio.wrap_future(self._threads.submit(self._decode, request, data))

    def _decode(self, request: dict[str, Any], data: bytes | bytearray) -> Answer:
        process: DecodingProcess | None = getattr(self._local, "process", None)
        if process is None or not process.alive:
            process = self._replace(process)
        try:
            header, body = process.ask(request, data, self._limits.wall_seconds)
        except DecoderDiedError as died:
            self._replace(process)
            self._on_stopped(died.cause)
            raise too_costly(_WHY[died.cause]) from died
        except InternalError:
            self._replace(process)
            raise
        if "reason" in header:
            raise InvalidPhotoError(header["reason"], header["message"])
        return header, body

    def _start(self, together: threading.Barrier) -> None:
        try:
            self._replace(None)
        except BaseException:
            # The others wait for no one; this thread tries again with its first photo.
            together.abort()
            raise
        together.wait()

    def _replace(self, process: DecodingProcess | None) -> DecodingProcess:
        """A new process for this thread."""
        if process is not None:
            process.kill()
        with self._lock:
            if process is not None:
                self._processes.discard(process)
            if self._closed:
                raise InternalError("DECODER_FAILED", "the gateway is stopping")
            self._local.process = DecodingProcess(self._limits.memory_bytes)
            self._processes.add(self._local.process)
            fresh: DecodingProcess = self._local.process
            return fresh
