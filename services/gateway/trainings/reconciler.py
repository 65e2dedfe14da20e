"""Keeps the rows of trainings and the trainers' jobs in step, whatever crashed in between.

Each active training has a follower: it sends the job unless a trainer has confirmed it, then copies the job's changes
into the row until the training ends. Every step may be repeated, as the gateway chooses the jobs' ids and jobs carry
revisions. So several gateways may follow the same training, and a restarted one begins again.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from sqlalchemy.engine import Engine

from headshots.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    HeadshotsError,
    InvalidArgumentError,
    NotFoundError,
)
from headshots.pauses import pause
from headshots.schema import CANCELLED, FAILED, SUCCEEDED
from headshots.telemetry.origins import resumed
from headshots.threads import in_read_thread, in_write_thread
from services.gateway.events.hub import Hub
from services.gateway.peers.interfaces import Trainer
from services.gateway.peers.models import Failure, TrainingJob
from services.gateway.retention.waiting import WorkClock
from services.gateway.trainings import mirror
from services.gateway.trainings.models import Training

_LOG = logging.getLogger(__name__)
_FIRST_RETRY_SECONDS, _LAST_RETRY_SECONDS = 0.5, 10.0
# The trainer would answer another attempt in the same way.
_REFUSALS = (InvalidArgumentError, FailedPreconditionError, AlreadyExistsError)


class Reconciler:
    """Works from `run` until it is cancelled, which loses nothing at any point."""

    def __init__(
        self,
        engine: Engine,
        trainer_of: Callable[[str, str], Trainer],
        hub: Hub,
        clock: WorkClock,
        *,
        poll_seconds: float,
        cancel_patience_seconds: float,
    ) -> None:
        """`trainer_of`: the trainers of a pool, by its name and its foundation's digest; see `Pools.trainer`."""
        self._engine = engine
        self._clock = clock
        self._trainer_of = trainer_of
        self._hub = hub
        self._poll_seconds = poll_seconds
        self._cancel_patience_seconds = cancel_patience_seconds
        self._woken = asyncio.Event()
        self._followers: dict[str, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Reads the table at once: a training was created or is to be cancelled."""
        self._woken.set()

    async def run(self) -> None:
        """Keeps one follower for each training that has not ended."""
        try:
            while True:
                try:
                    await self._start_followers()
                except Exception:  # noqa: BLE001 - whatever it was, trainings have to be followed again
                    _LOG.exception("cannot read the active trainings; trying again")
                await pause(self._woken, self._poll_seconds)
                self._woken.clear()
        finally:
            for follower in self._followers.values():
                follower.cancel()
            await asyncio.gather(*self._followers.values(), return_exceptions=True)

    async def _start_followers(self) -> None:
        """Starts what is missing: followers, cancellations of followed trainings, and deliveries of older ones."""
        for training_id in [key for key, task in self._followers.items() if task.done()]:
            defect = self._followers.pop(training_id).exception()
            if defect is not None:
                _LOG.error("following training %s met a defect; trying again", training_id, exc_info=defect)
        if await self._clock.is_trusted():
            for training_id in await in_write_thread(mirror.end_withheld, self._engine):
                self._hub.changed(training_id)
        for training in await in_read_thread(mirror.active_trainings, self._engine):
            if training.id not in self._followers:
                self._start(training.id, self._follow, training)
            elif training.cancel_requested and training.submitted:
                # All at once: a trainer that froze holds up neither other cancellations nor what is to be started.
                self._start(f"cancelling {training.id}", self._cancel, training)
        for training in await in_read_thread(mirror.undelivered_cancels, self._engine):
            # Beside its follower, which may still wait for a trainer that froze.
            self._start(f"the cancellation of {training.id}", self._deliver_cancel, training)

    def _start(self, key: str, work: Callable[[Training], Coroutine[Any, Any, None]], training: Training) -> None:
        """Starts a follower, unless one with this key is there."""
        if key not in self._followers:
            self._followers[key] = asyncio.create_task(_for_its_caller(work, training))

    async def _follow(self, training: Training) -> None:
        """Follows a training until it ends. After a defect `_start_followers` starts another follower."""
        delay = _FIRST_RETRY_SECONDS
        while True:
            try:
                await self._submit_and_mirror(training)
            except HeadshotsError as error:
                await self._record_error(training, error)
            current = await in_read_thread(mirror.load, self._engine, training.id)
            if current is None or current.job.is_terminal:
                return
            progressed = current.job.revision > training.job.revision
            delay = _FIRST_RETRY_SECONDS if progressed else min(2 * delay, _LAST_RETRY_SECONDS)
            await asyncio.sleep(delay)
            training = current

    async def _deliver_cancel(self, training: Training) -> None:
        """Tells a trainer that the training was ended here: cancelled while none answered, or withheld."""
        delay = _FIRST_RETRY_SECONDS
        while True:
            try:
                await self._trainer(training).cancel(training.id)
            except NotFoundError:
                break
            except HeadshotsError as error:
                _LOG.warning("training %s has ended here, but no trainer could be told yet: %s", training.id, error)
            else:
                break
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LAST_RETRY_SECONDS)
        await in_write_thread(mirror.mark_cancel_delivered, self._engine, training.id)

    async def _submit_and_mirror(self, training: Training) -> None:
        """Sends the job unless a trainer has confirmed it, then copies its changes until it ends."""
        if not training.submitted:
            by_clock = await self._clock.is_trusted()
            if not await in_write_thread(mirror.mark_sent, self._engine, training.id, by_clock=by_clock):
                self._hub.changed(training.id)
                return
            recorded = await self._record(training, await self._trainer(training).start(training.request))
            if recorded is None or recorded.job.state in (CANCELLED, FAILED):
                # It was ended here while a gateway was sending the job to the trainer.
                await self._trainer(training).cancel(training.id)
                return
        if training.cancel_requested:
            # Watched all the same: a trainer that cannot cancel may have ended it, and says so.
            await self._cancel(training)
        async with contextlib.aclosing(self._trainer(training).watch(training.id)) as jobs:  # type: ignore[type-var]
            async for job in jobs:
                await self._record(training, job)
                if job.is_terminal:
                    return

    def _trainer(self, training: Training) -> Trainer:
        return self._trainer_of(training.pool, training.foundation_digest)

    async def _record(self, training: Training, job: TrainingJob) -> Training | None:
        if job.state == SUCCEEDED and job.adapter is None:
            failure = Failure("TRAINER_PROTOCOL", "the trainer reported success without an adapter")
            job = dataclasses.replace(job, state=FAILED, failure=failure)
        recorded = await in_write_thread(mirror.record_job, self._engine, training.id, job)
        self._hub.changed(training.id)
        return recorded

    async def _cancel(self, training: Training) -> None:
        try:
            await self._record(training, await self._trainer(training).cancel(training.id))
        except HeadshotsError as error:
            _LOG.warning("cannot cancel training %s yet: %s", training.id, error)
            await self._end_overdue_cancel(training)

    async def _record_error(self, training: Training, error: HeadshotsError) -> None:
        """Records an error of the trainer: the training ends, is sent again, or waits."""
        if isinstance(error, NotFoundError):
            if training.cancel_requested:
                await self._record(training, dataclasses.replace(training.job, state=CANCELLED))
            else:
                await in_write_thread(mirror.mark_unsubmitted, self._engine, training.id)
        elif isinstance(error, _REFUSALS) and not training.submitted:
            failure = Failure(error.reason, error.message)
            await self._record(training, dataclasses.replace(training.job, state=FAILED, failure=failure))
        else:
            _LOG.warning("training %s waits: %s", training.id, error)
            message = f"waiting for a trainer: {error.message}"
            await in_write_thread(mirror.set_status_message, self._engine, training.id, message)
            await self._end_overdue_cancel(training)
        self._hub.changed(training.id)

    async def _end_overdue_cancel(self, training: Training) -> None:
        """Ends a training whose cancellation no trainer confirms in time, see `mirror.end_without_trainer`."""
        patience = self._cancel_patience_seconds
        if await in_write_thread(mirror.end_without_trainer, self._engine, training.id, patience_seconds=patience):
            _LOG.warning("training %s is cancelled, though no trainer has confirmed it", training.id)
            self._hub.changed(training.id)


async def _for_its_caller(work: Callable[[Training], Coroutine[Any, Any, None]], training: Training) -> None:
    """Follows a training, as a part of what the call that ordered it has set going."""
    with resumed(training.origin):
        await work(training)
