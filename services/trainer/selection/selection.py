"""Choosing a training's checkpoint by portraits, beside the loop: it never touches what the next step depends on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from services.trainer.lora.loop import Run
from services.trainer.lora.recipe import Recipe
from services.trainer.run.checkpoint import Array, Judged
from services.trainer.run.photos import Pixels
from services.trainer.selection.judging import Judge
from services.trainer.selection.sampling import Painter
from services.trainer.selection.scores import (
    CheckpointScores,
    TrainingScores,
    best_of,
    conclude,
    has_stopped_improving,
    not_measured,
)

# Judging may take this share of the training's work.
_LARGEST_SHARE = 0.15
# The first checkpoint is judged after this share of the steps: before, hardly anything has been learned.
_FIRST_AT = 0.4
# Work in units of one row through the UNet forwards. Backwards through frozen weights costs about as much as forwards
# (docs/experiments.md), a portrait's step takes two rows (guidance), and decoding it about three.
_TRAINED_ROW, _PAINTED_STEP, _DECODED = 2, 2, 3


def checkpoint_steps(recipe: Recipe) -> tuple[int, ...]:
    """After which optimizer steps portraits are judged: as many as ``recipe.checkpoints`` where the work allows it.

    Counted in work, never in seconds, so that a run is the same on any machine; the last step is always among them.
    """
    if recipe.checkpoints < 1:
        return ()
    once = recipe.score_prompts * recipe.score_seeds * (recipe.score_steps * _PAINTED_STEP + _DECODED)
    allowed = _LARGEST_SHARE * recipe.steps * (recipe.batch_rows + recipe.prior_rows) * _TRAINED_ROW
    # One more: the bare foundation's portraits, which the first training of a class paints.
    count = max(min(recipe.checkpoints, int(allowed / once) - 1), 1)
    if count == 1:
        return (recipe.steps,)
    shares = (_FIRST_AT + (1 - _FIRST_AT) * number / (count - 1) for number in range(count))
    return tuple(sorted({max(round(share * recipe.steps), 1) for share in shares}))


@dataclass
class Selection:
    """The checkpoints that were judged so far, and the weights of the best.

    ``judge`` is None where likeness cannot be measured; ``why_not`` says why. Then the last step's weights are taken.
    """

    painter: Painter
    judge: Judge | None
    why_not: str
    recipe: Recipe
    analyzer: str
    same_person_from: float
    held_out: int
    judged: list[CheckpointScores] = field(default_factory=list)
    best: dict[str, Array] = field(default_factory=dict)
    # Portraits of the best; after a resume they have to be painted again, and come out the same.
    _portraits: list[list[Pixels]] | None = None

    def is_due(self, step: int) -> bool:
        """Whether the weights after ``step`` are to be judged now."""
        known = {scores.step for scores in self.judged}
        return self.judge is not None and step in checkpoint_steps(self.recipe) and step not in known

    def look(self, run: Run, tick: Callable[[], None]) -> None:
        """Paint and judge ``run`` as it is. Whatever ``tick`` raises leaves everything as it was."""
        assert self.judge is not None
        portraits = self.painter.paint(tick)
        self.judged.append(self.judge.scores(run.step, portraits))
        if best_of(self.judged) is self.judged[-1]:
            self.best, self._portraits = run.weights(), portraits

    @property
    def is_over(self) -> bool:
        """Whether training on is not worth it."""
        return has_stopped_improving(self.judged, self.recipe.patience)

    def state(self) -> Judged:
        """For a snapshot of the run."""
        return Judged(list(self.judged), dict(self.best))

    def restore(self, state: Judged) -> None:
        """Go on from a snapshot's."""
        self.judged, self.best, self._portraits = list(state.scores), dict(state.best), None

    def take(
        self, run: Run, tick: Callable[[], None]
    ) -> tuple[Mapping[str, Array], TrainingScores, Sequence[Sequence[Pixels]]]:
        """The weights of the result, why those, and their portraits. ``run`` ends with these weights."""
        if not self.judged:
            scores = not_measured(self.why_not, run.step, self.held_out)
            return run.weights(), scores, self.painter.paint(tick)
        run.load(self.best)
        if self._portraits is None:
            self._portraits = self.painter.paint(tick)
        scores = conclude(
            self.judged,
            analyzer=self.analyzer,
            same_person_from=self.same_person_from,
            held_out=self.held_out,
            total_steps=self.recipe.steps,
        )
        return self.best, scores, self._portraits
