"""Brings trainers and the `trainings` table together, whatever crashed in between.

One follower a running training: send the job unless the trainer has confirmed it, then mirror its changes into the row
until it ends. Every step may be repeated: jobs have ids of ours, news carry revisions. So several gateways may follow
the same training, and a restarted one simply begins again.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging

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
from headshots.threads import in_thread
from services.gateway.events.hub import Hub
from services.gateway.peers.interfaces import Trainer
from services.gateway.peers.models import Failure, TrainingJob
from services.gateway.trainings import mirror
from services.gateway.trainings.models import Training

_LOG = logging.getLogger(__name__)
_FIRST_RETRY_SECONDS, _LAST_RETRY_SECONDS = 0.5, 10.0
# Asked again, the trainer would answer the same.
_REFUSALS = (InvalidArgumentError, FailedPreconditionError, AlreadyExistsError)


class Reconciler:
    """Runs from `run` until it is cancelled; cancelling it at any point loses nothing."""

    def __init__(
        self, engine: Engine, trainer: Trainer, hub: Hub, *, poll_seconds: float, cancel_patience_seconds: float
    ) -> None:
        self._engine = engine
        self._trainer = trainer
        self._hub = hub
        self._poll_seconds = poll_seconds
        self._cancel_patience_seconds = cancel_patience_seconds
        self._kicked = asyncio.Event()
        self._followers: dict[str, asyncio.Task[None]] = {}

    def kick(self) -> None:
        """Look at the table now: a training was made or is to be cancelled."""
        self._kicked.set()

    async def run(self) -> None:
        """Keeps one follower for each training that is not terminal."""
        try:
            while True:
                try:
                    await self._look()
                except Exception:  # noqa: BLE001 - whatever it was, trainings have to be followed again
                    _LOG.exception("cannot look for trainings; trying again")
                await pause(self._kicked, self._poll_seconds)
                self._kicked.clear()
        finally:
            for follower in self._followers.values():
                follower.cancel()
            await asyncio.gather(*self._followers.values(), return_exceptions=True)

    async def _look(self) -> None:
        for training_id in [key for key, task in self._followers.items() if task.done()]:
            defect = self._followers.pop(training_id).exception()
            if defect is not None:
                _LOG.error("following training %s failed; trying again", training_id, exc_info=defect)
        for training in await in_thread(mirror.active_trainings, self._engine):
            if training.id not in self._followers:
                self._followers[training.id] = asyncio.create_task(self._follow(training))
            elif training.cancel_requested and training.submitted:
                await self._cancel(training)
        for training in await in_thread(mirror.owed_cancels, self._engine):
            # Beside its follower, which may still hang on a trainer that froze.
            key = f"{training.id} owes a cancellation"
            if key not in self._followers:
                self._followers[key] = asyncio.create_task(self._tell(training))

    async def _follow(self, training: Training) -> None:
        """Until the training ends. A follower that meets a defect dies, and `_look` starts the next."""
        delay = _FIRST_RETRY_SECONDS
        while True:
            try:
                await self._mirror(training)
            except HeadshotsError as error:
                await self._set_back(training, error)
            fresh = await in_thread(mirror.load, self._engine, training.id)
            if fresh is None or fresh.job.is_terminal:
                return
            moved = fresh.job.revision > training.job.revision
            delay = _FIRST_RETRY_SECONDS if moved else min(2 * delay, _LAST_RETRY_SECONDS)
            await asyncio.sleep(delay)
            training = fresh

    async def _tell(self, training: Training) -> None:
        """A trainer that a training has been cancelled, which happened while none answered."""
        delay = _FIRST_RETRY_SECONDS
        while True:
            try:
                await self._trainer.cancel(training.id)
            except NotFoundError:
                break
            except HeadshotsError as error:
                _LOG.warning("training %s is cancelled, and no trainer knows yet: %s", training.id, error)
            else:
                break
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LAST_RETRY_SECONDS)
        await in_thread(mirror.settle_cancel, self._engine, training.id)

    async def _mirror(self, training: Training) -> None:
        if not training.submitted:
            if not await in_thread(mirror.mark_sent, self._engine, training.id):
                return
            recorded = await self._record(training, await self._trainer.start(training.request))
            if recorded is None or recorded.job.state == CANCELLED:
                # Ended here while another gateway's word was on its way to the trainer.
                await self._trainer.cancel(training.id)
                return
        if training.cancel_requested:
            await self._record(training, await self._trainer.cancel(training.id))
        async with contextlib.aclosing(self._trainer.watch(training.id)) as jobs:  # type: ignore[type-var]
            async for job in jobs:
                await self._record(training, job)
                if job.is_terminal:
                    return

    async def _record(self, training: Training, job: TrainingJob) -> Training | None:
        if job.state == SUCCEEDED and job.adapter is None:
            failure = Failure("TRAINER_PROTOCOL", "the trainer reported success without an adapter")
            job = dataclasses.replace(job, state=FAILED, failure=failure)
        recorded = await in_thread(mirror.record_job, self._engine, training.id, job)
        self._hub.changed(training.id)
        return recorded

    async def _cancel(self, training: Training) -> None:
        try:
            await self._record(training, await self._trainer.cancel(training.id))
        except HeadshotsError as error:
            _LOG.warning("cannot cancel training %s yet: %s", training.id, error)
            await self._lose_patience(training)

    async def _set_back(self, training: Training, error: HeadshotsError) -> None:
        """What an error of the trainer's means for the row."""
        if isinstance(error, NotFoundError):
            if training.cancel_requested:
                await self._record(training, dataclasses.replace(training.job, state=CANCELLED))
            else:
                await in_thread(mirror.mark_unsubmitted, self._engine, training.id)
        elif isinstance(error, _REFUSALS) and not training.submitted:
            failure = Failure(error.reason, error.message)
            await self._record(training, dataclasses.replace(training.job, state=FAILED, failure=failure))
        else:
            _LOG.warning("training %s waits: %s", training.id, error)
            note = f"waiting for a trainer: {error.message}"
            await in_thread(mirror.set_note, self._engine, training.id, note)
            await self._lose_patience(training)
        self._hub.changed(training.id)

    async def _lose_patience(self, training: Training) -> None:
        """A cancelled training does not wait for ever for a trainer's word, see `end_without_trainer`."""
        patience = self._cancel_patience_seconds
        if await in_thread(mirror.end_without_trainer, self._engine, training.id, patience_seconds=patience):
            _LOG.warning("training %s: cancelled without a trainer's word", training.id)
            self._hub.changed(training.id)
