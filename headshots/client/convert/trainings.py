"""Converts trainings, their options and scores between protobuf and dataclasses."""

from __future__ import annotations

from headshots.client.convert.labels import labelled
from headshots.client.convert.subjects import adapter
from headshots.client.convert.values import job_failure, job_state, span_seconds, utc_time
from headshots.client.models.jobs import LossPoint, Training, TrainingOptions, TrainingPhase, TrainingProgress
from headshots.client.models.scores import CheckpointScores, TrainingScores
from headshots.v1 import trainings_pb2


def training(message: trainings_pb2.Training) -> Training:
    """A training."""
    return Training(
        name=message.name,
        state=job_state(message.state),
        step=message.step,
        total_steps=message.total_steps,
        loss=message.loss,
        eta_seconds=span_seconds(message, "eta"),
        queue_position=message.queue_position,
        attempt=message.attempt,
        options=_options(message.options),
        adapter=adapter(message.adapter) if message.HasField("adapter") else None,
        failure=job_failure(message.failure) if message.HasField("failure") else None,
        create_time=utc_time(message.create_time),
        start_time=utc_time(message.start_time),
        end_time=utc_time(message.end_time),
        curve=tuple(LossPoint(point.step, point.loss) for point in message.curve),
        photo_count=message.photo_count,
        likeness=message.likeness if message.HasField("likeness") else None,
        status_message=message.status_message,
        phase_message=message.phase_message,
        progress=training_progress(message.progress),
        event_number=message.event_number,
        scores=training_scores(message.scores) if message.HasField("scores") else None,
        adapter_expire_time=utc_time(message.adapter_expire_time),
        foundation=message.foundation,
        **labelled(message),
    )


def training_progress(message: trainings_pb2.TrainingProgress) -> TrainingProgress | None:
    """What a training does; None where it is unset, and of a phase that only a newer gateway knows."""
    if not message.phase or message.phase not in trainings_pb2.TrainingPhase.values():
        return None
    phase = TrainingPhase(trainings_pb2.TrainingPhase.Name(message.phase).removeprefix("TRAINING_PHASE_"))
    return TrainingProgress(phase, message.done, message.total, span_seconds(message, "phase_eta"))


def training_options(options: TrainingOptions) -> trainings_pb2.TrainingOptions:
    """The protobuf message of options; what is None stays unset, so that the recipe's value is taken."""
    return trainings_pb2.TrainingOptions(
        steps=options.steps,
        rank=options.rank,
        learning_rate=options.learning_rate,
        batch_rows=options.batch_rows,
        seed=options.seed,
    )


def training_scores(message: trainings_pb2.TrainingScores) -> TrainingScores:
    """How the checkpoints were judged."""
    return TrainingScores(
        analyzer=message.analyzer,
        held_out=message.held_out,
        chosen_step=message.chosen_step,
        reason=message.reason,
        passed=message.passed,
        stopped_early=message.stopped_early,
        checkpoints=tuple(
            CheckpointScores(
                step=one.step,
                likeness=one.likeness,
                copying=one.copying,
                diversity=one.diversity,
                prompt_kept=one.prompt_kept,
                faces=one.faces,
                accepted=one.accepted if one.HasField("accepted") else None,
                regular=one.regular if one.HasField("regular") else None,
                bare_regular=one.bare_regular if one.HasField("bare_regular") else None,
            )
            for one in message.checkpoints
        ),
        sheet_key=message.sheet_key,
        card_key=message.card_key,
    )


def _options(message: trainings_pb2.TrainingOptions) -> TrainingOptions:
    return TrainingOptions(
        steps=message.steps if message.HasField("steps") else None,
        rank=message.rank if message.HasField("rank") else None,
        learning_rate=message.learning_rate if message.HasField("learning_rate") else None,
        batch_rows=message.batch_rows if message.HasField("batch_rows") else None,
        seed=message.seed if message.HasField("seed") else None,
    )
