"""One shot, worked on: call a generator under the row's lease, and record how it ended under the row's fence."""

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

from headshots import leases, schema
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
from headshots.styles import compose_prompt
from headshots.threads import in_lease_thread
from services.gateway.events.hub import Hub
from services.gateway.events.models import ShotPreview
from services.gateway.galleries import shots
from services.gateway.galleries.shots import Shot
from services.gateway.metrics import GatewayMetrics
from services.gateway.painting.likeness import LikenessJudge
from services.gateway.peers.describer import Describer
from services.gateway.peers.interfaces import Generator
from services.gateway.peers.models import Failure, GenerationRequest, ImageDone, PaintOver, StepDone
from services.gateway.tenants.ownership import object_prefix

_LOG = logging.getLogger(__name__)
# The generator is away, full or draining: no fault of the shot, so such an attempt does not count.
_NOT_THE_SHOTS_FAULT = (UnavailableError, ResourceExhaustedError, CancelledByCallerError)
# Asked again, the generator would answer the same.
_PERMANENT = (InvalidArgumentError, FailedPreconditionError, NotFoundError, AlreadyExistsError)
_FIRST_RETRY_SECONDS, _LAST_RETRY_SECONDS = 0.5, 5.0


@dataclass(frozen=True)
class PaintSettings:
    """How shots are worked on."""

    owner: str
    """Who holds the leases; unique to this process."""
    in_flight: int
    """Shots at once; enough that the generator can fill its batches."""
    lease_seconds: float
    """After so long without a word from its worker a shot is free for another."""
    max_attempts: int
    """Attempts that count, before a shot is given up."""
    poll_seconds: float
    """Between two looks at an empty queue."""
    silence_seconds: float
    """A generator that sends no event for so long is given up on."""
    preview_every: int
    """Denoising steps between two previews, while somebody watches for them."""


class _Ending(enum.Enum):
    CANCELLED = "the gallery is to stop"
    LOST = "another worker has the shot"


@dataclass
class Work:
    """A shot in this process's hands."""

    shot: Shot
    look: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to make the lease keeper look at the row at once."""
    draining: bool = False


class ShotWorker:
    """Knows how to work on a shot; holds none itself."""

    def __init__(
        self,
        engine: Engine,
        generator: Generator,
        describer: Describer,
        likeness: LikenessJudge,
        hub: Hub,
        metrics: GatewayMetrics,
        settings: PaintSettings,
    ) -> None:
        self._engine = engine
        self._likeness = likeness
        self._generator = generator
        self._describer = describer
        self._hub = hub
        self._metrics = metrics
        self._settings = settings

    async def work(self, work: Work) -> None:
        """From the claim to the end or back to the queue. Cancelled while draining it hands the shot back; cancelled
        otherwise it writes nothing, as if the process had been killed."""
        shot = work.shot
        try:
            if shot.cancel_requested:
                await self._record(shot, "cancelled", shots.cancel)
            elif shot.counted_attempts > self._settings.max_attempts:
                message = f"gave up after {self._settings.max_attempts} attempts that ended without a word"
                await self._record(shot, "failed", shots.fail, Failure("SHOT_ATTEMPTS_EXHAUSTED", message))
            else:
                await self._paint_under_lease(work)
        except LeaseLostError:
            _LOG.warning("%s: another worker has it by now; nothing was written", shot.lease.id)
        except asyncio.CancelledError:
            if work.draining:
                with contextlib.suppress(LeaseLostError):  # it ended in this very moment
                    await self._record(shot, "retried", shots.put_back, counts=False, after_seconds=0.0, note="")
            raise

    async def _paint_under_lease(self, work: Work) -> None:
        painting = asyncio.create_task(self._paint(work.shot))
        keeping = asyncio.create_task(self._keep(work))
        try:
            await asyncio.wait({painting, keeping}, return_when=asyncio.FIRST_COMPLETED)
            if not painting.done() and keeping.result() is _Ending.CANCELLED:
                painting.cancel()
                await asyncio.gather(painting, return_exceptions=True)
                await self._record(work.shot, "cancelled", shots.cancel)
            elif painting.done():
                await painting
        except LeaseLostError:
            raise
        except HeadshotsError as error:
            await self._set_back(work.shot, error)
        except Exception:  # noqa: BLE001 - whatever it was, the shot has to end or to be tried again
            _LOG.exception("painting %s met a defect", work.shot.lease.id)
            await self._set_back(work.shot, InternalError("INTERNAL", "the gateway met a defect of its own"))
        finally:
            painting.cancel()
            keeping.cancel()
            await asyncio.gather(painting, keeping, return_exceptions=True)

    async def _keep(self, work: Work) -> _Ending:
        """Renews the lease until it is lost or the shot is to stop."""
        while True:
            await pause(work.look, self._settings.lease_seconds / 3)
            work.look.clear()
            try:
                cancelled = await in_lease_thread(
                    leases.renew,
                    self._engine,
                    schema.shots,
                    work.shot.lease,
                    ttl_seconds=self._settings.lease_seconds,
                )
            except LeaseLostError:
                return _Ending.LOST
            except UnavailableError:
                _LOG.exception("cannot renew %s; the lease may still hold", work.shot.lease.id)
                continue
            if cancelled:
                return _Ending.CANCELLED

    async def _paint(self, shot: Shot) -> None:
        begin = time.monotonic()
        description = await self._describer.describe()
        prompt = compose_prompt(
            description.prompt_template,
            shot.recipe,
            trigger=shot.adapter.trigger or description.trigger,
            class_noun=shot.class_noun,
        )
        image = await self._generate(shot, prompt)
        seconds = time.monotonic() - begin
        likeness = await self._likeness.judge(shot.tenant_id, shot.subject_id, image.key)
        result: dict[str, Any] = {"prompt": prompt, "seconds": seconds, "likeness": likeness}
        await self._record(shot, "succeeded", shots.succeed, image, **result)
        self._metrics.shot_seconds.observe(seconds)

    async def _generate(self, shot: Shot, prompt: str) -> ImageDone:
        request = GenerationRequest(
            tenant=shot.tenant_id,
            adapter=shot.adapter,
            prompt=prompt,
            seed=shot.seed,
            image_format=shot.image_format,
            quality=shot.quality,
            preview_every=self._settings.preview_every if self._hub.wants_previews(shot.gallery_id) else 0,
            output_prefix=f"{object_prefix(shot.tenant_id, shot.subject_id)}/images",
            priority=shot.priority,
            paint_over=_paint_over(shot),
        )
        async with contextlib.aclosing(self._generator.generate(request)) as events:  # type: ignore[type-var]
            while True:
                try:
                    async with asyncio.timeout(self._settings.silence_seconds):
                        event = await anext(events, None)
                except TimeoutError as error:
                    raise InternalError(
                        "GENERATOR_SILENT", f"no event for {self._settings.silence_seconds} s"
                    ) from error
                if event is None:
                    raise UnavailableError("GENERATOR_CUT", "the generator ended its stream without an image")
                if isinstance(event, StepDone) and event.preview:
                    glimpse = ShotPreview(shot.number, event.step, event.total_steps, event.preview)
                    self._hub.preview(shot.gallery_id, glimpse)
                if isinstance(event, ImageDone):
                    return event

    async def _set_back(self, shot: Shot, error: HeadshotsError) -> None:
        """What an error means for the shot: given up, or tried again later."""
        _LOG.warning("%s, attempt %d: %s", shot.lease.id, shot.lease.attempt, error)
        counts = not isinstance(error, _NOT_THE_SHOTS_FAULT)
        if isinstance(error, _PERMANENT) or (counts and shot.counted_attempts >= self._settings.max_attempts):
            await self._record(shot, "failed", shots.fail, Failure(error.reason, error.message))
            return
        tries = shot.counted_attempts if counts else shot.uncounted_attempts + 1
        delay = error.retry_after_seconds
        if delay is None:
            delay = min(_FIRST_RETRY_SECONDS * 2 ** min(tries - 1, 10), _LAST_RETRY_SECONDS)
        note = "" if counts else f"waiting for a generator: {error.message}"
        await self._record(shot, "retried", shots.put_back, counts=counts, after_seconds=delay, note=note)

    async def _record(self, shot: Shot, status: str, ending: Callable[..., None], *values: Any, **named: Any) -> None:
        await in_lease_thread(ending, self._engine, shot, *values, **named)
        self._metrics.shots.labels(status).inc()
        self._hub.changed(shot.gallery_id)


def _paint_over(shot: Shot) -> PaintOver | None:
    return PaintOver(shot.remix.key, shot.remix.sha256, shot.remix.repaint) if shot.remix is not None else None
