"""Builds the rows of each optimizer step: those of the subject and, in the same batch, those of its class.

Where an analyzer tells which part of a photo is the head, only the head is learned from the photo. Around it the bare
foundation's prediction is the target: what it predicts for the same noise under the same caption without the trigger
word. So captions can name clothes and places that the photo does not show: these words keep their meaning, and the
subject is learned with all of them (docs/experiments.md has what that is worth). It is the idea of prior preservation
(arXiv 2208.12242), applied to parts of an image and without class images.

Shapes: B rows, C channels, H × W cells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from services.trainer.lora.frozen import Conditions
from services.trainer.lora.objective import Draw, LossMasks, Objective, draw_step
from services.trainer.lora.recipe import Recipe

# Index of each caption in Conditions. After these come `TrainingData.scenes` captions of scenes with the trigger word,
# the same without it, and whatever else is to be encoded, as captions of single photos.
CAPTION, EMPTY, CLASS, BARE, FIRST_SCENE = range(5)
_SUBJECT_STREAM, _CLASS_STREAM = 0, 100
REMEMBERED_BYTES = 128 << 20
"""That a process remembers of what the bare foundation computes for draws that come again."""
CLEAR_SHARE = 0.5
"""Share of the noise levels that are low: there the outlines in the noisy latent can be seen."""


@dataclass(frozen=True)
class TrainingData:
    """Everything that the loop trains on: encoded photos, encoded class images, and encoded captions.

    ``masks``: of the subject's latents. ``scenes``: how many scenes the captions name. ``subject_caption_L``,
    ``class_caption_N``: the caption of each latent; default CAPTION and CLASS. ``bare_K``: of each caption the same
    without the trigger word; default: those of CAPTION and of the scenes. ``size_ids_L6``: SDXL's, of each of the
    subject's latents; default: whole images of the native size.
    """

    subject_BCHW: Tensor
    masks: LossMasks
    class_BCHW: Tensor | None
    conditions: Conditions
    scenes: int = 0
    subject_caption_L: Tensor | None = None
    class_caption_N: Tensor | None = None
    bare_K: Tensor | None = None
    size_ids_L6: Tensor | None = None


@dataclass(frozen=True)
class Rows:
    """The rows of one step.

    ``weight_B``: weight of each row's loss; ``cell_weight_BHW``: of each cell, of mean 1; ``size_ids_B6``: SDXL's, or
    None for whole images of the native size. ``memory``: of what was computed from ``noisy_BCHW`` and ``timestep_B``
    without the adapter, where the same come again.
    """

    noisy_BCHW: Tensor
    timestep_B: Tensor
    caption_B: Tensor
    target_BCHW: Tensor
    weight_B: Tensor
    cell_weight_BHW: Tensor
    size_ids_B6: Tensor | None = None
    memory: dict[int, Any] | None = None


@dataclass
class Batches:
    """The rows of every step, a pure function of (seed, step).

    ``part``: (number, count), which of ``count`` parts of the rows this process has. ``bare`` predicts without the
    adapter, [B, C, H, W] in fp32. A run with scenes goes through its draws ``recipe.passes`` times; the bare prediction
    of a draw is cached, so only the first pass pays for it. A resumed run computes it again, with the same result.
    """

    objective: Objective
    data: TrainingData
    recipe: Recipe
    device: torch.device
    bare: Callable[[Rows], Tensor]
    part: tuple[int, int] = (0, 1)
    _predicted: dict[int, Tensor] = field(default_factory=dict)
    _memories: dict[int, dict[int, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        data = self.data
        bare_K = bare_captions(data.scenes) if data.bare_K is None else data.bare_K
        self._bare_K = bare_K.to(self.device)

    def step(self, number: int) -> Rows:
        """The rows of optimizer step ``number``, from 1."""
        draws = -(-self.recipe.steps // self.recipe.passes) if self.data.scenes else self.recipe.steps
        subject = self._subject((number - 1) % draws + 1)
        if self.data.class_BCHW is None:
            return subject
        parts = [replace(subject, memory=None), self._class(self.data.class_BCHW, number)]
        return Rows(*(_joined([getattr(part, name) for part in parts]) for name in Rows.__dataclass_fields__))  # type: ignore[arg-type]

    def _subject(self, number: int) -> Rows:
        data, masks = self.data, self.data.masks
        draw = self._draw(number, data.subject_BCHW, _SUBJECT_STREAM, self.recipe.batch_rows)
        scene_B = torch.where(masks.has_head_B[draw.index_B], draw.scene_B, -1)
        caption_B = torch.where(scene_B < 0, _of_latents(data.subject_caption_L, draw, CAPTION), FIRST_SCENE + scene_B)
        caption_B = torch.where(draw.dropped_B, EMPTY, caption_B)
        clear_B = draw.timestep_B < CLEAR_SHARE * len(self.objective.alphas_cumprod_T)
        cell_weight_BHW = masks.weight_BHW[draw.index_B] + clear_B.view(-1, 1, 1) * masks.edge_weight_BHW[draw.index_B]
        rows = self._rows(data.subject_BCHW, draw, caption_B, 1 / self.recipe.batch_rows, cell_weight_BHW)
        if data.size_ids_L6 is not None:
            rows = replace(rows, size_ids_B6=data.size_ids_L6[draw.index_B])
        if not data.scenes:
            return rows
        rows = replace(rows, memory=self._memory(number))
        photo_B1HW = masks.photo_share_BHW[draw.index_B][:, None]
        target_BCHW = photo_B1HW * rows.target_BCHW + (1 - photo_B1HW) * self._bare(number, rows)
        return replace(rows, target_BCHW=target_BCHW)

    def _bare(self, number: int, rows: Rows) -> Tensor:
        """The bare foundation's prediction for draw ``number``, with the same caption without the trigger word."""
        if number in self._predicted:
            return self._predicted[number]
        predicted_BCHW = self.bare(replace(rows, caption_B=self._bare_K[rows.caption_B]))
        if self.recipe.passes > 1:
            self._predicted[number] = predicted_BCHW
        return predicted_BCHW

    def _memory(self, number: int) -> dict[int, Any] | None:
        """That of draw ``number``, which every pass takes again; None for draws beyond what may be remembered."""
        if number not in self._memories and self.recipe.passes > 1:
            first = next(iter(self._memories.values()), {})
            if len(self._memories) * _bytes(first) < REMEMBERED_BYTES:
                self._memories[number] = {}
        return self._memories.get(number)

    def _class(self, latents_BCHW: Tensor, number: int) -> Rows:
        """The class's rows, where all cells count the same: the whole image is to be preserved."""
        draw = self._draw(number, latents_BCHW, _CLASS_STREAM, self.recipe.prior_rows)
        cell_weight_BHW = torch.ones_like(latents_BCHW[draw.index_B][:, 0])
        weight = self.recipe.prior_weight / self.recipe.prior_rows
        caption_B = _of_latents(self.data.class_caption_N, draw, CLASS)
        rows = self._rows(latents_BCHW, draw, caption_B, weight, cell_weight_BHW)
        whole_6 = self.data.conditions.time_ids_6
        if self.data.size_ids_L6 is None or whole_6 is None:
            return rows
        return replace(rows, size_ids_B6=whole_6.expand(len(caption_B), -1))

    def _rows(self, pool_BCHW: Tensor, draw: Draw, caption_B: Tensor, weight: float, cell_weight_BHW: Tensor) -> Rows:
        latents_BCHW = pool_BCHW[draw.index_B]
        return Rows(
            noisy_BCHW=self.objective.noisy(latents_BCHW, draw),
            timestep_B=draw.timestep_B,
            caption_B=caption_B,
            target_BCHW=self.objective.target(latents_BCHW, draw),
            # The loss is the mean over the subject's rows plus the weighted mean over the class's rows.
            weight_B=self.objective.weights(draw.timestep_B) * weight,
            cell_weight_BHW=cell_weight_BHW,
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
            scenes=self.data.scenes if subject else 0,
            scene_share=recipe.scene_share,
        )
        number, of = self.part
        # Where rows do not divide evenly, the class's extra rows go to other processes than the subject's.
        return draw.part(number if subject else of - 1 - number, of).to(self.device)


def _bytes(given: Any) -> int:
    """Of all tensors in ``given``, each counted once."""
    waiting, seen = [given], {}
    while waiting:
        one = waiting.pop()
        if isinstance(one, Tensor):
            seen[id(one)] = one.nbytes
        else:
            waiting += one.values() if isinstance(one, dict) else one
    return sum(seen.values())


def bare_captions(scenes: int, captions: int = 0) -> Tensor:
    """For each of ``captions`` captions, at least the scenes', the index of the same without the trigger word."""
    bare_K = torch.arange(max(captions, FIRST_SCENE + 2 * scenes))
    bare_K[CAPTION] = BARE
    bare_K[FIRST_SCENE : FIRST_SCENE + scenes] += scenes
    return bare_K


def _of_latents(caption_L: Tensor | None, draw: Draw, default: int) -> Tensor:
    """The captions [B] of what was drawn."""
    return torch.full_like(draw.index_B, default) if caption_L is None else caption_L[draw.index_B]


def _joined(parts: list[Tensor | None]) -> Tensor | None:
    known = [part for part in parts if part is not None]
    return torch.cat(known) if known else None
