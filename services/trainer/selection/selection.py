"""Selects the checkpoint of a run by its portraits, without changing anything that the next step depends on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from headshots.faces import Pixels
from headshots.telemetry import spans
from services.trainer.lora.loop import Array, TrainingLoop
from services.trainer.lora.recipe import Recipe
from services.trainer.selection.choosing import best_of, conclude, has_stopped_improving, not_measured
from services.trainer.selection.judging import Judge
from services.trainer.selection.sampling import CheckpointSampler
from services.trainer.selection.scores import CheckpointScores, TrainingScores

# Judging may take this share of the training's work.
_MAX_SHARE = 0.15
# The first checkpoint is judged after this share of the steps: before that, little has been learned.
_FIRST_AT = 0.4
# Work in units of one row's forward pass through the UNet. A backward pass through frozen weights costs about as much
# (docs/experiments.md), a sampling step of a portrait takes two rows (guidance), and decoding it about three.
_TRAINED_ROW, _SAMPLING_STEP, _DECODING = 2, 2, 3


def _work_of_step(recipe: Recipe) -> int:
    return (recipe.batch_rows + recipe.prior_rows) * _TRAINED_ROW


def _work_of_judging(recipe: Recipe) -> int:
    return recipe.score_prompts * recipe.score_seeds * (recipe.score_steps * _SAMPLING_STEP + _DECODING)


def checkpoint_steps(recipe: Recipe) -> tuple[int, ...]:
    """The optimizer steps after which portraits are judged: ``recipe.checkpoints`` of them if the work allows it.

    Work is counted in UNet calls, not in seconds, so a run is the same on any machine. The last step is always judged.
    """
    if recipe.checkpoints < 1:
        return ()
    allowed = _MAX_SHARE * recipe.steps * _work_of_step(recipe)
    # One more: the bare foundation's portraits, which the first training of a class samples.
    count = max(min(recipe.checkpoints, int(allowed / _work_of_judging(recipe)) - 1), 1)
    if count == 1:
        return (recipe.steps,)
    shares = (_FIRST_AT + (1 - _FIRST_AT) * number / (count - 1) for number in range(count))
    return tuple(sorted({max(round(share * recipe.steps), 1) for share in shares}))


@dataclass(frozen=True)
class SelectionState:
    """What a resumed run needs of its selection: the scores so far, and the LoRA of the best checkpoint."""

    judged: list[CheckpointScores]
    best: dict[str, Array]


@dataclass(frozen=True)
class Choice:
    """The chosen weights, by PEFT's names; their scores with the reason; their portraits, [prompts][seeds]."""

    weights: Mapping[str, Array]
    scores: TrainingScores
    portraits: Sequence[Sequence[Pixels]]


@dataclass
class Selection:
    """The checkpoints that were judged so far, and the weights of the best.

    ``judge`` is None where likeness cannot be measured; ``not_measured_because`` says why. Then the last step's weights
    are chosen.
    """

    sampler: CheckpointSampler
    judge: Judge | None
    not_measured_because: str
    recipe: Recipe
    analyzer: str
    same_person_from: float
    held_out: int
    judged: list[CheckpointScores] = field(default_factory=list)
    best: dict[str, Array] = field(default_factory=dict)
    # Portraits of the best checkpoint; a resumed run samples them again, with the same result.
    _portraits: list[list[Pixels]] | None = None

    def is_due(self, step: int) -> bool:
        """Whether the weights after ``step`` are to be judged now."""
        return step in self.judged_after(step)[:1]

    def judged_after(self, step: int) -> list[int]:
        """The steps from ``step`` on after which the weights are judged, unless the run ends early."""
        if self.judge is None:
            return []
        known = {scores.step for scores in self.judged}
        return [due for due in checkpoint_steps(self.recipe) if due >= step and due not in known]

    @property
    def judging_work(self) -> float:
        """How much work it is to sample the portraits of a checkpoint, in optimizer steps."""
        return _work_of_judging(self.recipe) / _work_of_step(self.recipe)

    @spans.traced("judge")
    def judge_checkpoint(self, loop: TrainingLoop, check_stop: Callable[[], None]) -> None:
        """Sample and judge portraits with the current weights. If ``check_stop`` raises, nothing has changed."""
        assert self.judge is not None
        portraits = self.sampler.sample(check_stop)
        self.judged.append(self.judge.scores(loop.step, portraits))
        if best_of(self.judged) is self.judged[-1]:
            self.best, self._portraits = loop.weights(), portraits

    @property
    def should_stop(self) -> bool:
        """Whether likeness has stopped improving, so that the run should end early."""
        return has_stopped_improving(self.judged, self.recipe.patience)

    def state(self) -> SelectionState:
        """For a checkpoint of the run."""
        return SelectionState(list(self.judged), dict(self.best))

    def restore(self, state: SelectionState) -> None:
        """Continue from a checkpoint's state."""
        self.judged, self.best, self._portraits = list(state.judged), dict(state.best), None

    @spans.traced("select")
    def choose(self, loop: TrainingLoop, check_stop: Callable[[], None]) -> Choice:
        """Choose the checkpoint of the result; ``loop`` ends with its weights."""
        if not self.judged:
            scores = not_measured(self.not_measured_because, loop.step, self.held_out)
            return Choice(loop.weights(), scores, self.sampler.sample(check_stop))
        loop.load(self.best)
        if self._portraits is None:
            self._portraits = self.sampler.sample(check_stop)
        scores = conclude(
            self.judged,
            analyzer=self.analyzer,
            same_person_from=self.same_person_from,
            held_out=self.held_out,
            total_steps=self.recipe.steps,
        )
        return Choice(self.best, scores, self._portraits)
