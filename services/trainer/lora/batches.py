"""What one optimizer step is shown and should say: the subject's rows and, in the same batch, the class's.

Where an analyzer tells which part of a photo is the head, only the head is learned from the photo. Around it the bare
foundation is the teacher: what it predicts for the same noise under the same caption, without the trigger word, the
adapter should go on predicting. So captions may name clothes and places that the photo does not show without losing
their meaning, and the subject is learned in all of them (docs/experiments.md has what that is worth). It is the idea of
prior preservation (arXiv 2208.12242), place by place and without pictures of the class.

Shapes: B rows, C channels, H × W cells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from services.trainer.lora.frozen import Conditions
from services.trainer.lora.objective import Draw, Objective, Places, draw_step
from services.trainer.lora.recipe import Recipe

# Captions by their place in Conditions. After these come `Material.scenes` captions of scenes with the trigger word,
# the same without it, and whatever else is to be encoded.
CAPTION, EMPTY, PRIOR, BARE, FIRST_SCENE = range(5)
_SUBJECT_STREAM, _PRIOR_STREAM = 0, 100
CLEAR_SHARE = 0.5
"""Of the noise levels: below, what is where is settled."""


@dataclass(frozen=True)
class Material:
    """All that the loop reads, cached: latents of the subject and of the class, and the captions.

    ``places``: of each of the subject's latents. ``scenes``: how many scenes the captions have.
    """

    subject_BCHW: Tensor
    places: Places
    prior_BCHW: Tensor | None
    conditions: Conditions
    scenes: int = 0


@dataclass(frozen=True)
class Rows:
    """``weight_B``: how much each row's error counts; ``place_BHW``: each place of a row, of mean 1."""

    noisy_BCHW: Tensor
    timestep_B: Tensor
    caption_B: Tensor
    target_BCHW: Tensor
    weight_B: Tensor
    place_BHW: Tensor


@dataclass
class Batches:
    """The rows of every step, or a ``part`` of them, (number, of how many): a pure function of (seed, step).

    ``bare`` predicts without the adapter, [B, C, H, W] in fp32. A run with scenes goes through its draws
    ``recipe.passes`` times; what the bare foundation predicts for a draw is kept, so that only some steps pay for it. A
    resumed run predicts it anew, and alike.
    """

    objective: Objective
    material: Material
    recipe: Recipe
    device: torch.device
    bare: Callable[[Rows], Tensor]
    part: tuple[int, int] = (0, 1)
    _predicted: dict[int, Tensor] = field(default_factory=dict)

    def step(self, number: int) -> Rows:
        """Of optimizer step ``number``, from 1."""
        draws = -(-self.recipe.steps // self.recipe.passes) if self.material.scenes else self.recipe.steps
        parts = [self._subject((number - 1) % draws + 1)]
        if self.material.prior_BCHW is not None:
            parts.append(self._prior(self.material.prior_BCHW, number))
        return Rows(*(torch.cat([getattr(part, name) for part in parts]) for name in Rows.__dataclass_fields__))

    def _subject(self, number: int) -> Rows:
        material, places = self.material, self.material.places
        draw = self._draw(number, material.subject_BCHW, _SUBJECT_STREAM, self.recipe.batch_rows)
        scene_B = torch.where(places.headed_B[draw.index_B], draw.scene_B, -1)
        caption_B = torch.where(scene_B < 0, CAPTION, FIRST_SCENE + scene_B)
        caption_B = torch.where(draw.dropped_B, EMPTY, caption_B)
        clear_B = draw.timestep_B < CLEAR_SHARE * len(self.objective.alphas_cumprod_T)
        place_BHW = places.weight_BHW[draw.index_B] + clear_B.view(-1, 1, 1) * places.edge_BHW[draw.index_B]
        rows = self._rows(material.subject_BCHW, draw, caption_B, 1 / self.recipe.batch_rows, place_BHW)
        if not material.scenes:
            return rows
        own_B1HW = places.own_BHW[draw.index_B][:, None]
        target_BCHW = own_B1HW * rows.target_BCHW + (1 - own_B1HW) * self._bare(number, rows)
        return replace(rows, target_BCHW=target_BCHW)

    def _bare(self, number: int, rows: Rows) -> Tensor:
        """What the bare foundation says to the draw ``number``, in the same words without the trigger."""
        if number in self._predicted:
            return self._predicted[number]
        caption_B = torch.where(rows.caption_B == CAPTION, BARE, rows.caption_B)
        caption_B = torch.where(caption_B >= FIRST_SCENE, caption_B + self.material.scenes, caption_B)
        predicted_BCHW = self.bare(replace(rows, caption_B=caption_B))
        if self.recipe.passes > 1:
            self._predicted[number] = predicted_BCHW
        return predicted_BCHW

    def _prior(self, latents_BCHW: Tensor, number: int) -> Rows:
        """Of the class all places count: what is to be preserved is the whole picture."""
        draw = self._draw(number, latents_BCHW, _PRIOR_STREAM, self.recipe.prior_rows)
        place_BHW = torch.ones_like(latents_BCHW[draw.index_B][:, 0])
        weight = self.recipe.prior_weight / self.recipe.prior_rows
        return self._rows(latents_BCHW, draw, torch.full_like(draw.index_B, PRIOR), weight, place_BHW)

    def _rows(self, pool_BCHW: Tensor, draw: Draw, caption_B: Tensor, weight: float, place_BHW: Tensor) -> Rows:
        latents_BCHW = pool_BCHW[draw.index_B]
        return Rows(
            noisy_BCHW=self.objective.noisy(latents_BCHW, draw),
            timestep_B=draw.timestep_B,
            caption_B=caption_B,
            target_BCHW=self.objective.target(latents_BCHW, draw),
            # The loss of the subject's rows is their mean, and so is that of the class's.
            weight_B=self.objective.weights(draw.timestep_B) * weight,
            place_BHW=place_BHW,
        )

    def _draw(self, number: int, pool_BCHW: Tensor, stream: int, rows: int) -> Draw:
        recipe, subject = self.recipe, stream == _SUBJECT_STREAM
        draw = draw_step(
            recipe.seed,
            number,
            stream=stream,
            latents=len(pool_BCHW),
            rows=rows,
            levels=len(self.objective.alphas_cumprod_T),
            dropout=recipe.caption_dropout if subject else 0.0,
            shape=tuple(pool_BCHW.shape[1:]),
            scenes=self.material.scenes if subject else 0,
            scene_share=recipe.scene_share,
        )
        number, of = self.part
        # The class's odd rows go to other processes than the subject's.
        return draw.part(number if subject else of - 1 - number, of).to(self.device)
