"""Paints a claimed shot: calls a generator while it renews the lease, and records the result under the fence."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import Engine

from headshots.errors import (
    AlreadyExistsError,
    CancelledByCallerError,
    FailedPreconditionError,
    HeadshotsError,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    ResourceExhaustedError,
    UnavailableError,
)
from headshots.leases import LeaseLostError
from headshots.pauses import pause
from headshots.telemetry import spans
from headshots.telemetry.exemplars import observe
from headshots.threads import in_lease_thread
from services.gateway.events.hub import Hub
from services.gateway.events.models import ShotPreview
from services.gateway.galleries import shots
from services.gateway.galleries.queue.shot import Shot
from services.gateway.galleries.remix import source_image
from services.gateway.metrics import GatewayMetrics
from services.gateway.painting.judge import ShotJudge
from services.gateway.painting.requests import request_of_shot
from services.gateway.peers.events import ImageDone, StepDone
from services.gateway.peers.models import Failure, GenerationRequest
from services.gateway.peers.pools.pools import Pools
from services.gateway.remixes.masker import Masker
from services.gateway.styles.checks import check_words

_LOG = logging.getLogger(__name__)
# The generator is away, full or draining, so the attempt does not count.
_UNCOUNTED = (UnavailableError, ResourceExhaustedError, CancelledByCallerError)
# Asked again, the generator would answer the same.
_PERMANENT = (InvalidArgumentError, FailedPreconditionError, NotFoundError, AlreadyExistsError)
_FIRST_RETRY_SECONDS, _LAST_RETRY_SECONDS = 0.5, 5.0


@dataclass(frozen=True)
class PaintSettings:
    """How shots are painted."""

    owner: str
    """The name in the leases; unique to this process."""
    in_flight: int
    """Shots of a foundation painted at once; enough that its generators can fill their batches."""
    lease_seconds: float
    """A shot whose lease was not renewed for so long may be claimed by another worker."""
    max_attempts: int
    """Attempts that a generator answered with an error of the shot's own, after which it fails."""
    poll_seconds: float
    """Between two polls of an empty queue."""
    silence_seconds: float
    """A call in which the generator sends no event for so long is ended."""
    preview_every: int
    """Denoising steps between two previews, while a watcher wants them."""


class _StopReason(enum.Enum):
    """Why painting stops before the image is there."""

    CANCELLED = "the gallery is cancelled"
    LEASE_LOST = "another worker has the shot"


@dataclass
class RunningShot:
    """A shot that this process paints."""

    shot: Shot
    renew_now: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to renew the lease at once, which tells whether the shot is to be cancelled."""
    draining: bool = False
    """Whether the shot goes back to the queue when its task is cancelled."""


class ShotWorker:
    """Paints shots. It keeps no state of them, so one worker serves all shots of a process."""

    def __init__(
        self,
        engine: Engine,
        pools: Pools,
        judge: ShotJudge,
        masker: Masker,
        hub: Hub,
        metrics: GatewayMetrics,
        settings: PaintSettings,
    ) -> None:
        self._engine = engine
        self._judge = judge
        self._masker = masker
        self._pools = pools
        self._hub = hub
        self._metrics = metrics
        self._settings = settings

    async def run(self, running: RunningShot) -> None:
        """Paints a claimed shot until it ends or goes back to the queue.

        Cancelled while the shot drains, it puts the shot back. Cancelled otherwise, it writes nothing, as if the
        process had been killed.
        """
        shot = running.shot
        try:
            if shot.cancel_requested:
                await self._record(shot, "cancelled", shots.cancel)
            elif shot.withheld is not None:
                await self._record(shot, "failed", shots.fail, shot.withheld)
            elif shot.ends_workers:
                await self._record(shot, "failed", shots.fail, _ends_workers(shot))
            else:
                await self._paint_under_lease(running)
        except LeaseLostError:
            _LOG.warning("%s: the lease was lost to another worker; nothing was written", shot.lease.id)
        except asyncio.CancelledError:
            if running.draining:
                with contextlib.suppress(LeaseLostError):  # the shot ended at the same moment
                    await self._record(shot, "retried", shots.requeue, counts=False, after_seconds=0.0)
            raise

    async def _paint_under_lease(self, running: RunningShot) -> None:
        shot = running.shot
        painting = asyncio.create_task(self._paint(shot))
        renewing = asyncio.create_task(self._renew_lease(running))
        try:
            await asyncio.wait({painting, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if not painting.done() and renewing.result() is _StopReason.CANCELLED:
                painting.cancel()
                await asyncio.gather(painting, return_exceptions=True)
                await self._record(shot, "cancelled", shots.cancel)
            elif painting.done():
                await painting
        except LeaseLostError:
            raise
        except HeadshotsError as error:
            await self._fail_or_retry(shot, error)
        except Exception:  # noqa: BLE001 - whatever it was, the shot has to fail or to be tried again
            _LOG.exception("painting %s met a defect", shot.lease.id)
            await self._fail_or_retry(shot, InternalError("INTERNAL", "the gateway met a defect of its own"))
        finally:
            painting.cancel()
            renewing.cancel()
            await asyncio.gather(painting, renewing, return_exceptions=True)

    async def _renew_lease(self, running: RunningShot) -> _StopReason:
        """Renews the lease until it is lost or the shot is cancelled."""
        ttl_seconds = self._settings.lease_seconds
        while True:
            await pause(running.renew_now, ttl_seconds / 3)
            running.renew_now.clear()
            try:
                cancelled = await in_lease_thread(shots.renew, self._engine, running.shot, ttl_seconds=ttl_seconds)
            except LeaseLostError:
                return _StopReason.LEASE_LOST
            except UnavailableError:
                _LOG.exception("cannot renew %s; the lease may still hold", running.shot.lease.id)
                continue
            if cancelled:
                return _StopReason.CANCELLED

    async def _paint(self, shot: Shot) -> None:
        begun_at = time.monotonic()
        preview_every = self._settings.preview_every if self._hub.wants_previews(shot.gallery_id) else 0
        description = await self._pools.describe(shot.adapter.foundation_digest)
        # Once more, as no generator may have answered when the gallery was made.
        check_words(shot.recipe, description, field="style")
        source = await source_image(shot.remix, self._masker, is_framed=shot.frame is not None)
        request = request_of_shot(shot, description, source, preview_every=preview_every)
        self._metrics.quality.expects(shot.adapter.foundation_digest, shot.profile.name)
        image = await self._generate(shot, request)
        seconds = time.monotonic() - begun_at
        judgement = await self._judge.judge(shot, image.key, frame_missed=image.frame_missed)
        told: dict[str, Any] = {"prompt": request.prompt, "seconds": seconds, "judgement": judgement}
        recorded = await in_lease_thread(shots.record_try, self._engine, shot, image, **told)
        ended = "succeeded" if recorded.has_image else "failed"
        self._metrics.shots.labels(ended if recorded.is_last else "refused").inc()
        observe(self._metrics.shot_seconds, seconds)
        final = recorded.judgement
        self._metrics.judged(shot.adapter.foundation_digest, final.verdict, final.likeness, settled=recorded.is_last)
        if recorded.is_last:
            self._metrics.shot_tries.observe(shot.tries + 1)
        self._hub.changed(shot.gallery_id)

    async def _generate(self, shot: Shot, request: GenerationRequest) -> ImageDone:
        async with contextlib.aclosing(self._pools.generate(request)) as events:
            while True:
                try:
                    async with asyncio.timeout(self._settings.silence_seconds):
                        event = await anext(events, None)
                except TimeoutError as error:
                    message = f"no event for {self._settings.silence_seconds} s"
                    raise InternalError("GENERATOR_SILENT", message) from error
                if event is None:
                    raise UnavailableError("GENERATOR_CUT", "the generator ended its stream without an image")
                if isinstance(event, StepDone) and event.preview:
                    preview = ShotPreview(shot.number, event.step, event.total_steps, event.preview)
                    self._hub.preview(shot.gallery_id, preview)
                if isinstance(event, ImageDone):
                    return event

    async def _fail_or_retry(self, shot: Shot, error: HeadshotsError) -> None:
        """Fails the shot where another attempt would not help, else puts it back for a later one."""
        spans.current().fail(error)
        _LOG.warning("%s, attempt %d: %s", shot.lease.id, shot.lease.attempt, error)
        counts = not isinstance(error, _UNCOUNTED)
        if isinstance(error, _PERMANENT) or (counts and shot.counted_attempts >= self._settings.max_attempts):
            await self._record(shot, "failed", shots.fail, Failure(error.reason, error.message))
            return
        tries = shot.counted_attempts if counts else shot.uncounted_attempts + 1
        delay = error.retry_after_seconds
        if delay is None:
            delay = min(_FIRST_RETRY_SECONDS * 2 ** min(tries - 1, 10), _LAST_RETRY_SECONDS)
        message = "" if counts else f"waiting for a generator: {error.message}"
        await self._record(shot, "retried", shots.requeue, counts=counts, after_seconds=delay, status_message=message)

    async def _record(self, shot: Shot, status: str, write: Callable[..., None], *values: Any, **named: Any) -> None:
        """Runs one of the writes of `galleries.shots`; `status` is the metric's label."""
        await in_lease_thread(write, self._engine, shot, *values, **named)
        self._metrics.shots.labels(status).inc()
        self._hub.changed(shot.gallery_id)


def _ends_workers(shot: Shot) -> Failure:
    return Failure(
        "SHOT_ATTEMPTS_EXHAUSTED",
        f"{shot.lone_losses} gateways ended while they painted this shot and nothing else, so it is not tried again; "
        "their logs may tell why, after that order it again",
    )
