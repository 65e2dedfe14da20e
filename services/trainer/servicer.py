"""Translates between protobuf messages and the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime

import grpc.aio
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from headshots.rpc.handlers import Context
from headshots.rpc.internal.guard import current_grant
from headshots.schema import CANCELLED, FAILED, PENDING, RUNNING, SUCCEEDED
from headshots.v1 import adapters_pb2, jobs_pb2, trainer_pb2_grpc, trainings_pb2
from headshots.v1 import trainer_pb2 as t
from services.trainer.engine import TrainerEngine
from services.trainer.lora.recipe import TrainingOptions
from services.trainer.progress.phases import JobProgress
from services.trainer.queue.job import Job, JobRequest, PhotoRef
from services.trainer.selection.scores import TrainingScores

_STATES = {
    PENDING: jobs_pb2.JOB_STATE_PENDING,
    RUNNING: jobs_pb2.JOB_STATE_RUNNING,
    SUCCEEDED: jobs_pb2.JOB_STATE_SUCCEEDED,
    FAILED: jobs_pb2.JOB_STATE_FAILED,
    CANCELLED: jobs_pb2.JOB_STATE_CANCELLED,
}
_OPTIONS = ("steps", "rank", "learning_rate", "batch_rows", "seed")


class TrainerServicer(trainer_pb2_grpc.TrainerServiceServicer):
    """``headshots.v1.TrainerService``."""

    def __init__(self, engine: TrainerEngine) -> None:
        self._engine = engine

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Add this servicer to ``server``; returns its full name."""
        trainer_pb2_grpc.add_TrainerServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [t.DESCRIPTOR.services_by_name["TrainerService"].full_name]

    async def StartTraining(self, request: t.StartTrainingRequest, context: Context) -> t.StartTrainingResponse:
        """Queue a job."""
        hold_start(request)
        wanted = JobRequest(
            photos=tuple(PhotoRef(photo.key, photo.sha256) for photo in request.photos),
            output_prefix=request.output_prefix,
            class_noun=request.class_noun,
            options=_options(request.options),
        )
        priority = request.priority or jobs_pb2.PRIORITY_STANDARD
        job = await self._engine.start(request.job_id, request.tenant, priority, wanted)
        return t.StartTrainingResponse(job=_job(job))

    async def GetTrainingJob(self, request: t.GetTrainingJobRequest, context: Context) -> t.GetTrainingJobResponse:
        """One job."""
        hold_job(request.job_id)
        return t.GetTrainingJobResponse(job=_job(await self._engine.get(request.job_id)))

    async def WatchTrainingJob(
        self, request: t.WatchTrainingJobRequest, context: Context
    ) -> AsyncIterator[t.WatchTrainingJobResponse]:
        """A job until it is over."""
        hold_job(request.job_id)
        async with aclosing(self._engine.watch(request.job_id)) as jobs:
            async for job in jobs:
                yield t.WatchTrainingJobResponse(job=_job(job))

    async def CancelTrainingJob(
        self, request: t.CancelTrainingJobRequest, context: Context
    ) -> t.CancelTrainingJobResponse:
        """Ask a job to stop."""
        hold_job(request.job_id)
        return t.CancelTrainingJobResponse(job=_job(await self._engine.cancel(request.job_id)))

    async def DescribeTrainer(self, request: t.DescribeTrainerRequest, context: Context) -> t.DescribeTrainerResponse:
        """What this trainer trains on."""
        found = self._engine.describe()
        defaults = {name: getattr(found.defaults, name) for name in _OPTIONS}
        return t.DescribeTrainerResponse(
            foundation=found.foundation,
            foundation_digest=found.foundation_digest,
            defaults=trainings_pb2.TrainingOptions(**defaults),
            device=found.device,
            trigger=found.trigger,
        )


def hold_start(request: t.StartTrainingRequest) -> None:
    """Hold what a training reads and writes to the call's grant; raises PermissionDeniedError: GRANT_TOO_NARROW."""
    grant = current_grant()
    hold_job(request.job_id)
    grant.check_equal("tenant", request.tenant, grant.tenant)
    for number, photo in enumerate(request.photos):
        grant.check_readable(f"photos[{number}].key", photo.key)
    grant.check_writable("output_prefix", request.output_prefix)


def hold_job(job_id: str) -> None:
    """Hold the job to the call's grant; raises PermissionDeniedError: GRANT_TOO_NARROW."""
    grant = current_grant()
    grant.check_equal("job_id", job_id, grant.job)


def _options(options: trainings_pb2.TrainingOptions) -> TrainingOptions:
    """The options that the caller has set."""
    return TrainingOptions(**{name: getattr(options, name) for name in _OPTIONS if options.HasField(name)})


def _job(job: Job) -> t.TrainingJob:
    message = t.TrainingJob(
        job_id=job.id,
        state=_STATES[job.state],
        step=job.step,
        total_steps=job.total_steps,
        loss=job.loss,
        queue_position=job.queue_position,
        attempt=job.attempt,
        start_time=_timestamp(job.started_at),
        end_time=_timestamp(job.ended_at),
        curve=[trainings_pb2.LossPoint(step=step, loss=loss) for step, loss in job.curve],
        revision=job.revision,
        likeness=job.likeness,
        phase_message=job.phase_message,
    )
    if job.eta_seconds is not None:
        message.eta.CopyFrom(_duration(job.eta_seconds))
    if job.progress is not None:
        message.progress.CopyFrom(_progress(job.progress))
    if job.adapter is not None:
        others = [adapters_pb2.StoredFile(**vars(each)) for each in job.adapter.others]
        message.adapter.CopyFrom(adapters_pb2.Adapter(**(vars(job.adapter) | {"others": others})))
    if job.scores is not None:
        message.scores.CopyFrom(_scores(job.scores))
    if job.failure is not None:
        message.failure.CopyFrom(jobs_pb2.Failure(reason=job.failure.reason, message=job.failure.message))
    return message


def _progress(value: JobProgress) -> trainings_pb2.TrainingProgress:
    phase = f"TRAINING_PHASE_{value.phase.upper()}"
    eta = _duration(value.eta_seconds) if value.eta_seconds is not None else None
    return trainings_pb2.TrainingProgress(phase=phase, done=value.done, total=value.total, phase_eta=eta)


def _duration(seconds: float) -> Duration:
    message = Duration()
    message.FromMicroseconds(round(seconds * 1e6))
    return message


def _scores(scores: TrainingScores) -> trainings_pb2.TrainingScores:
    same = vars(scores) | {"checkpoints": [trainings_pb2.CheckpointScores(**vars(one)) for one in scores.checkpoints]}
    return trainings_pb2.TrainingScores(**same)


def _timestamp(seconds: float | None) -> Timestamp | None:
    if seconds is None:
        return None
    message = Timestamp()
    message.FromDatetime(datetime.fromtimestamp(seconds, UTC))
    return message
