"""Chooses one of the judged checkpoints of a training, and says why. Plain numbers: no torch, no images.

Among the sound checkpoints (see `scores`) whose likeness to held-out photos is the highest up to noise, the last is
chosen: later ones were learned at a lower learning rate and show clearer faces.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.trainer.selection.scores import CheckpointScores, TrainingScores

# A likeness must grow by at least this to count as an improvement.
MIN_GAIN = 0.005
# The standard error of the mean likeness of six portraits, whose standard deviation is about 0.07. The latest
# checkpoint within it is chosen, as one chooses the simplest model within a standard error and not the luckiest.
NOISE = 0.03


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
