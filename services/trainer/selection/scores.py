"""The scores of a training's checkpoints, and the rule that chooses one of them. Plain numbers: no torch, no images.

A checkpoint is *sound* when it does not copy its photos, does not generate one image for every seed, and still follows
prompts. Among the sound checkpoints whose likeness to held-out photos is the highest up to noise, the last is chosen:
later ones were learned at a lower learning rate and show clearer faces.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# A portrait's similarity to some photo trained on may exceed that to a held-out photo by so much. Two photos of one
# person differ by more under either analyzer; a portrait above it repeats a photo rather than shows the person.
MAX_COPYING = 0.25
# Two seeds of one prompt must differ by at least this share of their difference in the bare foundation, which shows
# another person for each seed.
MIN_DIVERSITY = 0.25
# At least this share of the portraits must have their own prompt's surroundings. Chance is one in the number of
# prompts.
MIN_PROMPT_KEPT = 0.6
# A likeness must grow by at least this to count as an improvement.
MIN_GAIN = 0.005
# The standard error of the mean likeness of six portraits, whose standard deviation is about 0.07. The latest
# checkpoint within it is chosen, as one chooses the simplest model within a standard error and not the luckiest.
NOISE = 0.03

NO_ANALYZER = "no analyzer of faces is set up"
TOO_FEW_PHOTOS = "too few photos show exactly one face to hold one out and train on four or more"
NO_CHECKPOINTS = "the recipe holds no photo out, or judges no checkpoint"


@dataclass(frozen=True)
class CheckpointScores:
    """The scores of one checkpoint's portraits."""

    # Optimizer step, from 1.
    step: int
    # Mean cosine of portraits to held-out photos, -1 to 1; a portrait without a face counts 0.
    likeness: float
    # Mean of (likeness to the nearest photo trained on) - (to the nearest held-out one), -2 to 2; high: it copies.
    copying: float
    # Mean difference between seeds of one prompt over the bare foundation's; 0: every seed gives the same image.
    diversity: float
    # Share of portraits whose surroundings are nearest to the bare foundation's for the same prompt, 0 to 1.
    prompt_kept: float
    # Share of portraits with exactly one face, 0 to 1.
    faces: float

    @property
    def flaws(self) -> tuple[str, ...]:
        """Why the checkpoint is not sound, in words; empty if it is."""
        found = (
            (self.copying > MAX_COPYING, f"copies its photos ({self.copying:.2f})"),
            (self.diversity < MIN_DIVERSITY, f"paints nearly the same for every seed ({self.diversity:.2f})"),
            (self.prompt_kept < MIN_PROMPT_KEPT, f"forgets the prompt ({self.prompt_kept:.0%} kept)"),
        )
        return tuple(words for is_so, words in found if is_so)


@dataclass(frozen=True)
class TrainingScores:
    """The scores of a training's result. Without an analyzer nothing is measured, and nothing passes."""

    # Name and version of the analyzer; empty: likeness was not measured.
    analyzer: str
    # Number of photos that were held out.
    held_out: int
    # The step whose weights were chosen.
    chosen_step: int
    # Why that step, in words.
    reason: str
    # Whether the chosen checkpoint is sound, and its portraits count as the same person as the held-out photos.
    passed: bool = False
    # Whether the run ended before its last step because likeness had stopped improving.
    stopped_early: bool = False
    # Every checkpoint that was judged, by step.
    checkpoints: tuple[CheckpointScores, ...] = ()
    # Object-store keys of the contact sheet (JPEG) and the card (Markdown).
    sheet_key: str = ""
    card_key: str = ""

    @property
    def likeness(self) -> float | None:
        """Likeness of the chosen checkpoint; None: not measured."""
        return next((scores.likeness for scores in self.checkpoints if scores.step == self.chosen_step), None)

    def to_json(self) -> dict[str, Any]:
        """For rows, manifests and the training process's last message."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TrainingScores:
        """Inverse of :meth:`to_json`."""
        checkpoints = tuple(CheckpointScores(**scores) for scores in value["checkpoints"])
        return cls(**{**value, "checkpoints": checkpoints})


def best_of(checkpoints: Sequence[CheckpointScores]) -> CheckpointScores:
    """The checkpoint to choose: the last sound one whose likeness is the highest, up to :data:`NOISE`.

    Where none is sound, the one that follows prompts best, then the one with the highest likeness. A later checkpoint
    either is chosen itself or does not change the choice among the earlier ones: so only one set of weights is kept.
    """
    sound = [scores for scores in checkpoints if not scores.flaws]
    if not sound:
        return max(checkpoints, key=lambda scores: (scores.prompt_kept, scores.likeness, -scores.step))
    bar = max(scores.likeness for scores in sound) - NOISE
    return max((scores for scores in sound if scores.likeness >= bar), key=lambda scores: scores.step)


def has_stopped_improving(checkpoints: Sequence[CheckpointScores], patience: int) -> bool:
    """Whether none of the last ``patience`` checkpoints has a higher likeness than all before them; 0: never."""
    if not 0 < patience < len(checkpoints):
        return False
    earlier, recent = checkpoints[:-patience], checkpoints[-patience:]
    bar = max(scores.likeness for scores in earlier) + MIN_GAIN
    return all(scores.likeness < bar for scores in recent)


def not_measured(because: str, last_step: int, held_out: int = 0) -> TrainingScores:
    """The scores of a training without judged checkpoints."""
    reason = f"likeness not measured: {because}; the last checkpoint, step {last_step}, was taken"
    return TrainingScores("", held_out, last_step, reason)


def conclude(
    checkpoints: Sequence[CheckpointScores], *, analyzer: str, same_person_from: float, held_out: int, total_steps: int
) -> TrainingScores:
    """Choose a checkpoint, and say why."""
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
        highest = max(sound, key=lambda scores: scores.likeness)
        if highest.likeness > best.likeness:
            words += f", the last {among} that are as like as step {highest.step} ({highest.likeness:.3f}), up to noise"
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
