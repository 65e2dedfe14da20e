"""Converts trainings, their options and files between dataclasses and protobuf."""

from __future__ import annotations

from google.protobuf.json_format import ParseDict

from headshots.v1 import trainings_pb2
from services.gateway.api import names
from services.gateway.api.convert import STATES, optional_timestamp, seconds_as_duration, timestamp, training_progress
from services.gateway.peers.convert import adapter, failure, options
from services.gateway.peers.models import TrainingOptions
from services.gateway.trainings.files import FileKind, FilePiece
from services.gateway.trainings.models import Training


def training_options(message: trainings_pb2.TrainingOptions) -> TrainingOptions:
    """Training options; what is unset becomes None."""
    return TrainingOptions(
        steps=message.steps if message.HasField("steps") else None,
        rank=message.rank if message.HasField("rank") else None,
        learning_rate=message.learning_rate if message.HasField("learning_rate") else None,
        batch_rows=message.batch_rows if message.HasField("batch_rows") else None,
        seed=message.seed if message.HasField("seed") else None,
    )


def training(value: Training) -> trainings_pb2.Training:
    """A training."""
    job = value.job
    return trainings_pb2.Training(
        name=names.training_name(value.subject_id, value.id),
        state=STATES[job.state],
        step=job.step,
        total_steps=job.total_steps,
        loss=job.loss,
        eta=seconds_as_duration(job.eta_seconds),
        queue_position=job.queue_position,
        attempt=job.attempt,
        options=options(value.request.options),
        adapter=adapter(job.adapter),
        adapter_expire_time=optional_timestamp(value.adapter_expires_at),
        failure=failure(job.failure),
        create_time=timestamp(value.created_at),
        start_time=optional_timestamp(job.started_at),
        end_time=optional_timestamp(value.ended_at),
        curve=[trainings_pb2.LossPoint(step=step, loss=loss) for step, loss in job.curve],
        photo_count=len(value.request.photos),
        likeness=job.likeness,
        status_message=value.status_message,
        phase_message=job.phase_message,
        progress=training_progress(job.progress),
        event_number=value.revision,
        foundation=names.foundation_name(value.foundation) if value.foundation else "",
        scores=ParseDict(job.scores, trainings_pb2.TrainingScores()) if job.scores is not None else None,
        **value.labelling.fields,
    )


def file_kind(file: trainings_pb2.TrainingFile) -> FileKind:
    """The file that a caller names."""
    name = trainings_pb2.TrainingFile.Name(file or trainings_pb2.TRAINING_FILE_ADAPTER)
    return FileKind[name.removeprefix("TRAINING_FILE_")]


def file_piece(piece: FilePiece, kind: FileKind) -> trainings_pb2.DownloadTrainingFileResponse:
    """A piece; the first one tells what the file is."""
    message = trainings_pb2.DownloadTrainingFileResponse(chunk=piece.content)
    if piece.is_first:
        message.filename, message.content_type, message.size_bytes = kind.filename, kind.content_type, piece.size_bytes
    return message
