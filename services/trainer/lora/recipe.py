"""The hyperparameters of a training: the family's defaults, overridden by the foundation, overridden by the caller."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.sampling.schedule import make_schedule
from headshots.errors import InvalidArgumentError


@dataclass(frozen=True)
class TrainingOptions:
    """What the caller sets for one training; ``None`` takes the recipe's value. Limits are those of the protos."""

    steps: int | None = None
    rank: int | None = None
    learning_rate: float | None = None
    batch_rows: int | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Recipe:
    """All hyperparameters of a run. A foundation's ``headshots.yaml`` may set any of them under ``training``."""

    # Optimizer steps.
    steps: int = 800
    # LoRA rank; alpha is the rank, so the scale is 1.
    rank: int = 16
    # Peak of the learning rate, reached after warm-up.
    learning_rate: float = 1e-4
    # Latents of the subject in one step.
    batch_rows: int = 2
    # Everything random comes from it.
    seed: int = 0
    # Steps of linear warm-up; at most a tenth of the run is spent on it.
    warmup_steps: int = 20
    # The cosine ends at this share of the peak, 0 to 1.
    final_rate_share: float = 0.05
    # AdamW's decay of the LoRA weights.
    weight_decay: float = 0.01
    # Gradients are scaled down to this L2 norm.
    max_gradient_norm: float = 1.0
    # Min-SNR weighting (arXiv 2303.09556); 0 turns it off. Default 5 for ε-prediction, 0 for v-prediction.
    snr_gamma: float = 5.0
    # Extra weight of the face in the loss, where an analyzer tells which pixels show it; else of the middle of the
    # image, where a selfie has its face. 0: all cells have the same weight.
    face_weight: float = 0.0
    # The same for hair; used only where an analyzer tells which pixels show it.
    hair_weight: float = 0.0
    # Share of the subject's rows whose captions name clothes and a place that the photo does not show, 0 to 1. Above
    # 0, and where an analyzer tells which pixels show the head, only the head is learned from the photo; around it the
    # bare foundation's prediction is the target, so that words keep their meaning.
    scene_share: float = 0.0
    # Weight of the surroundings of the head then, where the face has 1 + face_weight.
    surround_weight: float = 1.0
    # Number of such scenes.
    scenes: int = 32
    # Width of a margin around the head without weight at high noise, as a share of the image's width.
    head_margin: float = 0.0625
    # How often a run with scenes repeats its draws of photo, noise and level; the bare foundation predicts once for
    # each draw.
    passes: int = 1
    # Crops that are made of each photo; the first is the plain centre crop.
    crops_per_photo: int = 4
    # The other crops keep at least this share less of the side; 0 to 0.5.
    crop_jitter: float = 0.08
    # What the photos show, with {trigger} and {class_noun}; {shown} is what an analyzer measured of the photo: how much
    # is in the picture, and where the head is turned; {traits} glasses and a beard, where not all photos have them.
    caption: str = "photo of a {trigger} {class_noun}"
    # Share of rows with the empty caption, so that the unconditional prediction of guidance learns the subject; 0 to 1.
    caption_dropout: float = 0.0
    # Prior preservation: rows of class images beside the subject's in each step; 0 turns it off.
    prior_rows: int = 0
    # Weight of those rows' loss.
    prior_weight: float = 1.0
    # Class images, made once for a foundation and class noun.
    prior_images: int = 32
    # What the class images show, with {class_noun}.
    prior_caption: str = "photo of a {class_noun}"
    # Above 0, class images show so many scenes of the foundation's prompt template instead, and are captioned so.
    prior_scenes: int = 0
    # Photos held out to judge checkpoints by, at most; never more than one in five, and four photos are always trained
    # on.
    held_out: int = 2
    # Checkpoints that are judged by portraits, at most; fewer where sampling would take too much of the training.
    checkpoints: int = 4
    # Early stopping: the run ends after so many judged checkpoints in a row without a higher likeness; 0: never.
    patience: int = 2
    # Portraits of a judged checkpoint: prompts, seeds of each, and denoising steps; default: 8, or as many as images
    # have where these have fewer.
    score_prompts: int = 3
    score_seeds: int = 2
    score_steps: int = 8

    @classmethod
    def resolve(cls, foundation: Foundation, options: TrainingOptions = TrainingOptions()) -> Recipe:
        """The recipe of one training.

        Raises:
            InvalidArgumentError: FOUNDATION_RECIPE_INVALID, where ``headshots.yaml`` names something unknown or of
                the wrong kind.
        """
        recipe = _overlay(_defaults(foundation), foundation.training)
        _check_portraits(recipe, foundation)
        given = {name: value for name, value in dataclasses.asdict(options).items() if value is not None}
        return dataclasses.replace(recipe, **given)

    def learning_rate_at(self, step: int) -> float:
        """The rate of optimizer step ``step`` (from 1): linear warm-up, then a cosine."""
        warmup = min(self.warmup_steps, self.steps // 10)
        if step <= warmup:
            return self.learning_rate * step / (warmup + 1)
        done = (step - warmup) / max(self.steps - warmup, 1)
        share = self.final_rate_share + (1 - self.final_rate_share) * 0.5 * (1 + math.cos(math.pi * done))
        return self.learning_rate * share


_FAMILY_DEFAULTS: Mapping[str, Recipe] = {
    "sd15": Recipe(steps=800, rank=16, batch_rows=2, prior_rows=1, prior_images=64),
    "sdxl": Recipe(steps=800, rank=16, batch_rows=1, prior_rows=1, prior_images=48),
}


def _defaults(foundation: Foundation) -> Recipe:
    """The family's, with portraits of no more steps than images have, and min-SNR only for ε-prediction.

    As weights of the error in the clean image, the plain ε loss weighs a noise level by its SNR and the plain v loss by
    SNR + 1; min-SNR turns both into min(SNR, γ). For ε that lowers the excessive weight of the nearly clean levels. For
    v it also removes the floor of 1 from the noisiest levels, which decide who is shown and where: an adapter that was
    trained so did not learn the person (docs/foundation.md).
    """
    recipe = _FAMILY_DEFAULTS[foundation.family]
    # A few-step model is not taught more, and some of their samplers have no more.
    recipe = dataclasses.replace(recipe, score_steps=min(recipe.score_steps, foundation.steps))
    if foundation.prediction_type == "v_prediction":
        return dataclasses.replace(recipe, snr_gamma=0.0)
    return recipe


# Limits of what a foundation may set. Fields that callers may override too have the limits of the protos.
_LIMITS: Mapping[str, tuple[float, float]] = {
    "steps": (1, 10_000),
    "rank": (1, 128),
    "learning_rate": (1e-9, 0.1),
    "batch_rows": (1, 64),
    "seed": (0, 2**32 - 1),
    "warmup_steps": (0, 10_000),
    "final_rate_share": (0, 1),
    "weight_decay": (0, 1),
    "max_gradient_norm": (1e-6, 1e6),
    "snr_gamma": (0, 1e6),
    "face_weight": (0, 100),
    "hair_weight": (0, 100),
    "scene_share": (0, 1),
    "surround_weight": (0.01, 100),
    "scenes": (1, 256),
    "head_margin": (0, 0.5),
    "passes": (1, 100),
    "crops_per_photo": (1, 64),
    "crop_jitter": (0, 0.5),
    "caption_dropout": (0, 1),
    "prior_rows": (0, 64),
    "prior_weight": (0, 100),
    "prior_images": (1, 1000),
    "prior_scenes": (0, 256),
    "held_out": (0, 2),
    "checkpoints": (0, 20),
    "patience": (0, 20),
    "score_prompts": (2, 4),
    "score_seeds": (2, 8),
    "score_steps": (1, 100),
}


def _overlay(recipe: Recipe, given: Mapping[str, Any]) -> Recipe:
    """``recipe`` with the foundation's own values."""
    kinds: dict[str, type] = {field.name: type(getattr(recipe, field.name)) for field in dataclasses.fields(Recipe)}
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in kinds:
            raise _invalid(f"training.{name} is unknown; known are {', '.join(sorted(kinds))}")
        try:
            values[name] = kinds[name](value)
            # A fraction must not silently become a whole number.
            fits = kinds[name] is not int or values[name] == float(value)
        except (TypeError, ValueError):
            fits = False
        if not fits:
            raise _invalid(f"training.{name} is {value!r}; {kinds[name].__name__} is needed")
    return _checked(dataclasses.replace(recipe, **values))


def _checked(recipe: Recipe) -> Recipe:
    """``recipe``, if every number is within its limits and both captions can be filled in."""
    for name, (lowest, highest) in _LIMITS.items():
        value = getattr(recipe, name)
        if not lowest <= value <= highest:
            raise _invalid(f"training.{name} is {value}; {lowest} to {highest} is possible")
    for name, more in (("caption", {"shown": "", "traits": ""}), ("prior_caption", {})):
        try:
            getattr(recipe, name).format(trigger="", class_noun="", **more)
        except (LookupError, ValueError) as error:
            known = " and ".join(f"{{{field}}}" for field in ("trigger", "class_noun", *more))
            raise _invalid(f"training.{name} may hold {known}, not {error}") from error
    return recipe


def _check_portraits(recipe: Recipe, foundation: Foundation) -> None:
    """The foundation's sampler must have as many steps as portraits are to have."""
    try:
        make_schedule(foundation.scheduler, foundation.sampler, recipe.score_steps, eta=foundation.eta)
    except InvalidArgumentError as error:
        raise _invalid(f"training.score_steps: the sampler {foundation.sampler} refuses {error.message}") from error


def _invalid(what: str) -> InvalidArgumentError:
    return InvalidArgumentError("FOUNDATION_RECIPE_INVALID", f"headshots.yaml: {what}")
