"""What a training's checkpoints are judged by, and which of them is taken. Plain numbers: no torch, no pictures.

A checkpoint is *sound* when it neither copies its photos, nor paints one picture for every seed, nor has forgotten what
prompts say. Of the sound ones that are as like to photos that none of them saw as the likest is, up to noise, the last
is taken: later ones were learned at a lower rate and show clearer faces.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# How much nearer than to a held-out photo a portrait may be to some photo of the training. Two photos of one person
# differ by more than that under either analyzer; a portrait above it repeats a photo rather than shows its person.
MOST_COPYING = 0.25
# Two seeds of one prompt must differ by at least this share of what they differ by in the bare foundation, which paints
# another person for each.
LEAST_DIVERSITY = 0.25
# Of the portraits, so many must have their own prompt's surroundings. Chance is one in the number of prompts.
LEAST_PROMPT_KEPT = 0.6
# What counts as having become likelier.
LEAST_GAIN = 0.005
# What a few portraits cannot tell: the standard error of the mean likeness of six, whose spread is 0.07 or so. The
# latest within it is taken, as one takes the simplest model within a standard error, and not the luckiest.
NOISE = 0.03

NO_ANALYZER = "no analyzer of faces is set up"
TOO_FEW_PHOTOS = "too few photos show exactly one face to hold one out and train on four or more"
NO_CHECKPOINTS = "the recipe holds no photo out, or judges no checkpoint"


@dataclass(frozen=True)
class CheckpointScores:
    """How the portraits of one checkpoint were judged."""

    # Optimizer step, from 1.
    step: int
    # Mean cosine of portraits to held-out photos, -1 to 1; a portrait without a face counts 0.
    likeness: float
    # Mean of (likeness to the nearest photo trained on) - (to the nearest held-out one), -2 to 2; high: it copies.
    copying: float
    # Mean difference between seeds of one prompt over the bare foundation's; 0: every seed gives the same picture.
    diversity: float
    # Share of portraits whose surroundings are nearest to the bare foundation's for the same prompt, 0 to 1.
    prompt_kept: float
    # Share of portraits with exactly one face, 0 to 1.
    faces: float

    @property
    def flaws(self) -> tuple[str, ...]:
        """What keeps it from being sound, in words."""
        found = (
            (self.copying > MOST_COPYING, f"copies its photos ({self.copying:.2f})"),
            (self.diversity < LEAST_DIVERSITY, f"paints nearly the same for every seed ({self.diversity:.2f})"),
            (self.prompt_kept < LEAST_PROMPT_KEPT, f"forgets the prompt ({self.prompt_kept:.0%} kept)"),
        )
        return tuple(words for is_so, words in found if is_so)


@dataclass(frozen=True)
class TrainingScores:
    """What a training's result says of itself. Without an analyzer's name nothing was measured, and nothing passes."""

    # Name and version of the analyzer; empty: likeness was not measured.
    analyzer: str
    # Photos that were kept from training to judge by.
    held_out: int
    # The step whose weights were taken.
    chosen_step: int
    # Why that one, in words.
    reason: str
    # Whether the chosen checkpoint is sound, and its portraits count as the same person as the held-out photos.
    passed: bool = False
    # Whether the run ended before its last step, as likeness had stopped improving.
    stopped_early: bool = False
    # Every checkpoint that was judged, by step.
    checkpoints: tuple[CheckpointScores, ...] = ()
    # Object-store keys of the contact sheet (JPEG) and the card (Markdown).
    sheet_key: str = ""
    card_key: str = ""

    @property
    def likeness(self) -> float | None:
        """Of the chosen checkpoint; None: not measured."""
        return next((scores.likeness for scores in self.checkpoints if scores.step == self.chosen_step), None)

    def to_json(self) -> dict[str, Any]:
        """For rows, manifests and the child's last word."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TrainingScores:
        """Inverse of :meth:`to_json`."""
        checkpoints = tuple(CheckpointScores(**scores) for scores in value["checkpoints"])
        return cls(**{**value, "checkpoints": checkpoints})


def best_of(checkpoints: Sequence[CheckpointScores]) -> CheckpointScores:
    """The one that is taken: the last sound one that is as like as the likest of them, up to :data:`NOISE`.

    Where none is sound, whichever keeps the prompt best, then the likest. A checkpoint that is judged later either is
    the one that is taken, or leaves the choice among the earlier as it was: so only one has to be kept.
    """
    sound = [scores for scores in checkpoints if not scores.flaws]
    if not sound:
        return max(checkpoints, key=lambda scores: (scores.prompt_kept, scores.likeness, -scores.step))
    bar = max(scores.likeness for scores in sound) - NOISE
    return max((scores for scores in sound if scores.likeness >= bar), key=lambda scores: scores.step)


def has_stopped_improving(checkpoints: Sequence[CheckpointScores], patience: int) -> bool:
    """Whether the last ``patience`` checkpoints were none of them likelier than all before; 0: never."""
    if not 0 < patience < len(checkpoints):
        return False
    earlier, recent = checkpoints[:-patience], checkpoints[-patience:]
    bar = max(scores.likeness for scores in earlier) + LEAST_GAIN
    return all(scores.likeness < bar for scores in recent)


def not_measured(why: str, last_step: int, held_out: int = 0) -> TrainingScores:
    """The scores of a training that nobody judged."""
    reason = f"likeness not measured: {why}; the last checkpoint, step {last_step}, was taken"
    return TrainingScores("", held_out, last_step, reason)


def conclude(
    checkpoints: Sequence[CheckpointScores], *, analyzer: str, same_person_from: float, held_out: int, total_steps: int
) -> TrainingScores:
    """Choose, and say why."""
    best = best_of(checkpoints)
    early = checkpoints[-1].step < total_steps
    return TrainingScores(
        analyzer=analyzer,
        held_out=held_out,
        chosen_step=best.step,
        reason=_reason(best, checkpoints, same_person_from, held_out, total_steps if early else 0),
        passed=not best.flaws and best.likeness >= same_person_from,
        stopped_early=early,
        checkpoints=tuple(checkpoints),
    )


def _reason(
    best: CheckpointScores,
    checkpoints: Sequence[CheckpointScores],
    same_person_from: float,
    held_out: int,
    total_if_early: int,
) -> str:
    photos = "the held-out photo" if held_out == 1 else f"{held_out} held-out photos"
    words = f"step {best.step} was taken: its portraits' likeness to {photos} is {best.likeness:.3f}"
    sound = [scores for scores in checkpoints if not scores.flaws]
    if best.flaws:
        words += f", but it {' and '.join(best.flaws)}, and no checkpoint was sound"
    elif len(checkpoints) == 1:
        words += "; it is the only checkpoint that was judged"
    else:
        among = f"of {len(sound)} sound checkpoints out of {len(checkpoints)}"
        likest = max(sound, key=lambda scores: scores.likeness)
        if likest.likeness > best.likeness:
            words += f", the last {among} that are as like as step {likest.step} ({likest.likeness:.3f}), up to noise"
        else:
            words += f", the highest {among}"
        if flawed := [scores for scores in checkpoints if scores.flaws and scores.likeness > best.likeness]:
            words += f" (step {flawed[0].step} had {flawed[0].likeness:.3f} and {' and '.join(flawed[0].flaws)})"
    if best.likeness < same_person_from:
        words += f"; that is below {same_person_from:.3f}, from where two faces count as one person"
    if total_if_early:
        words += (
            f"; the run ended at step {checkpoints[-1].step} of {total_if_early}, likeness having stopped improving"
        )
    return words
