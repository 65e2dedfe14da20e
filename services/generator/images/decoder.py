"""The decoder thread: finished latents to pixels, several at once, beside the batch's next step."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from headshots.diffusion.backends.base import Backend
from services.generator.batching.jobs import Decoded, Job
from services.generator.batching.lanes import FloatArray
from services.generator.metrics import Metrics

log = logging.getLogger(__name__)

_MOST = 8
"""Images decoded in one call at most; more would make the first of them wait."""


@dataclass(frozen=True, eq=False)
class Latents:
    """Image ``index`` of ``job``, denoised."""

    job: Job
    index: int
    latents_CHW: FloatArray


class Decoder:
    """Runs the VAE decoder. Callbacks come from its own thread."""

    def __init__(
        self,
        backend: Backend,
        metrics: Metrics,
        done: Callable[[Job, Decoded], None],
        failed: Callable[[Iterable[Job], str], None],
    ) -> None:
        self._backend = backend
        self._metrics = metrics
        self._done = done
        self._failed = failed
        self._waiting: deque[Latents] = deque()
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

    def put(self, latents: Latents) -> None:
        """Decode ``latents`` as soon as may be."""
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

    def _take(self) -> list[Latents]:
        """The oldest latents and others of their size."""
        size = self._waiting[0].latents_CHW.shape
        group = [latents for latents in self._waiting if latents.latents_CHW.shape == size][:_MOST]
        for latents in group:
            self._waiting.remove(latents)
        return group

    def _decode(self, group: list[Latents]) -> None:
        try:
            with self._metrics.stage("decode"):
                pixels_NHWC = self._backend.decode(np.stack([latents.latents_CHW for latents in group]))
        except Exception:
            # Whatever a provider throws must cost the requests it hits, not the service.
            log.exception("decoding %d images failed", len(group))
            self._failed({latents.job for latents in group}, "decoding")
            return
        for latents, pixels_HWC in zip(group, pixels_NHWC, strict=True):
            self._done(latents.job, Decoded(latents.index, pixels_HWC))
