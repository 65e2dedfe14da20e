"""Defines how a training's checkpoints were judged, as the SDK tells it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CheckpointScores:
    """Portraits of one checkpoint: `likeness` to held-out photos, `copying` of those trained on, `diversity` over seeds
    and `prompt_kept` against the bare foundation, the share of portraits with exactly one face, and the share that the
    profile `profile-worthy` accepts, near-duplicates aside (None: the training ended before that was measured);
    `regular` is the share with a regular face, `bare_regular` the bare foundation's (None: that was not checked)."""

    step: int
    likeness: float
    copying: float
    diversity: float
    prompt_kept: float
    faces: float
    accepted: float | None
    regular: float | None = None
    bare_regular: float | None = None


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
