"""How a training's checkpoints were judged, as the SDK tells it."""

from __future__ import annotations

from dataclasses import dataclass

from headshots.v1 import trainings_pb2


@dataclass(frozen=True)
class CheckpointScores:
    """Portraits of one checkpoint: `likeness` to held-out photos, `copying` of those trained on, `diversity` over seeds
    and `prompt_kept` against the bare foundation, and the share of portraits with exactly one face."""

    step: int
    likeness: float
    copying: float
    diversity: float
    prompt_kept: float
    faces: float


@dataclass(frozen=True)
class TrainingScores:
    """Why the result is the checkpoint of `chosen_step`, in words and figures.

    An empty `analyzer` means that likeness was not measured; then `passed` is False. The keys name objects in the
    platform's store: a contact sheet (JPEG) and the adapter's card (Markdown).
    """

    analyzer: str
    held_out: int
    chosen_step: int
    reason: str
    passed: bool
    stopped_early: bool
    checkpoints: tuple[CheckpointScores, ...]
    sheet_key: str
    card_key: str


def training_scores(message: trainings_pb2.TrainingScores) -> TrainingScores:
    """From the wire."""
    return TrainingScores(
        analyzer=message.analyzer,
        held_out=message.held_out,
        chosen_step=message.chosen_step,
        reason=message.reason,
        passed=message.passed,
        stopped_early=message.stopped_early,
        checkpoints=tuple(
            CheckpointScores(one.step, one.likeness, one.copying, one.diversity, one.prompt_kept, one.faces)
            for one in message.checkpoints
        ),
        sheet_key=message.sheet_key,
        card_key=message.card_key,
    )
