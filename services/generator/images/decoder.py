"""Decodes finished latents to pixels on a thread of its own, several at once, beside the batch's next step."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from headshots.diffusion.backends.base import Backend, FloatArray
from services.generator.metrics import Metrics
from services.generator.traces import JobTrace, network_call

log = logging.getLogger(__name__)

OwnerT = TypeVar("OwnerT")
"""Whose image it is: the decoder only hands it back."""

_MAX_IMAGES = 8
"""Images decoded in one call at most; more would make the first of them wait."""


@dataclass(frozen=True, eq=False)
class FinishedLatents(Generic[OwnerT]):
    """Image ``index`` of ``owner``, denoised."""

    owner: OwnerT
    index: int
    latents_CHW: FloatArray
    trace: JobTrace


@dataclass(frozen=True)
class Decoded:
    """Pixels of image ``index``, uint8 [height, width, 3]."""

    index: int
    pixels: npt.NDArray[np.uint8]


class Decoder(Generic[OwnerT]):
    """Runs the VAE decoder. Callbacks come from its own thread."""

    def __init__(
        self,
        backend: Backend,
        metrics: Metrics,
        done: Callable[[OwnerT, Decoded], None],
        failed: Callable[[Iterable[OwnerT], str], None],
    ) -> None:
        self._backend = backend
        self._metrics = metrics
        self._done = done
        self._failed = failed
        self._waiting: deque[FinishedLatents[OwnerT]] = deque()
        self._stopping = False
        self._work = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="decode", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the call that runs."""
        with self._work:
            self._stopping = True
            self._work.notify()
        if self._thread.is_alive():
            self._thread.join()

    def put(self, latents: FinishedLatents[OwnerT]) -> None:
        """Queue ``latents`` to be decoded."""
        with self._work:
            self._waiting.append(latents)
            self._work.notify()

    def _run(self) -> None:
        while True:
            with self._work:
                while not self._waiting and not self._stopping:
                    self._work.wait()
                if self._stopping:
                    return
                group = self._take()
            self._decode(group)

    def _take(self) -> list[FinishedLatents[OwnerT]]:
        """The oldest latents and others of their size."""
        size = self._waiting[0].latents_CHW.shape
        group = [latents for latents in self._waiting if latents.latents_CHW.shape == size][:_MAX_IMAGES]
        for latents in group:
            self._waiting.remove(latents)
        return group

    def _decode(self, group: list[FinishedLatents[OwnerT]]) -> None:
        try:
            call = network_call("decode", [latents.trace for latents in group])
            with self._metrics.stage("decode", call):
                pixels_NHWC = self._backend.decode(np.stack([latents.latents_CHW for latents in group]))
        except Exception:
            # Whatever a provider throws must cost the requests it hits, not the service.
            log.exception("decoding %d images failed", len(group))
            self._failed({latents.owner for latents in group}, "decoding")
            return
        for latents, pixels_HWC in zip(group, pixels_NHWC, strict=True):
            self._done(latents.owner, Decoded(latents.index, pixels_HWC))
