"""Encodes what a run trains on, once: photos, class images and captions. After this no encoder is on the device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from diffusers import AutoencoderKL
from torch import Tensor

from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundations.foundation import Foundation
from headshots.faces import FaceAnalyzer
from headshots.telemetry import spans
from services.trainer.captions.run import CaptionedRun, caption_run
from services.trainer.captions.scenes import class_prompts
from services.trainer.lora.batches import TrainingData
from services.trainer.lora.class_images import class_images
from services.trainer.lora.frozen import encode_captions, encode_images
from services.trainer.lora.recipe import Recipe
from services.trainer.progress.phases import Entered, Phase
from services.trainer.run.masks import loss_masks
from services.trainer.run.messages import Task
from services.trainer.run.photos import Crop
from services.trainer.run.splitting import Split
from services.trainer.selection.sampling import PortraitSet, score_prompts, score_seeds


@dataclass(frozen=True)
class Encoding:
    """Encodes the data of one run; ``check_stop`` may raise, to end it; ``tell`` gets what
    it does. ``vae`` is on the device only meanwhile."""

    task: Task
    store: ArtifactStore
    foundation: Foundation
    recipe: Recipe
    analyzer: FaceAnalyzer | None
    vae: AutoencoderKL
    device: torch.device
    check_stop: Callable[[], None]
    tell: Callable[[Entered], object]

    def encode(self, split: Split) -> tuple[TrainingData, PortraitSet]:
        """What the loop trains on, and the portraits that checkpoints are judged by."""
        foundation, recipe, noun, device = self.foundation, self.recipe, self.task.request.class_noun, self.device
        trained = [crop.pixels for crop in split.trained]
        with spans.span("latents"):
            class_BCHW = self._class_latents(noun) if recipe.prior_rows else None
            self.tell(Entered(Phase.ENCODING))
            subject_BCHW = encode_images(self.vae, trained, device)
        self.check_stop()
        height, width = (int(side) for side in subject_BCHW.shape[2:])
        masks = loss_masks(self.analyzer, trained, height, width, recipe).to(device)
        # Without known heads there is nothing that scenes could be put around.
        scenes = recipe.scenes if bool(masks.has_head_B.any()) else 0
        prompts = score_prompts(foundation, noun, recipe.score_prompts)
        captions = caption_run(foundation, recipe, noun, scenes, prompts, split.shown)
        with spans.span("captions"):
            conditions = encode_captions(foundation, captions.texts, device)
        self.check_stop()
        data = TrainingData(
            subject_BCHW,
            masks,
            class_BCHW,
            conditions,
            scenes,
            subject_caption_L=torch.tensor(captions.photos, device=device),
            class_caption_N=_of_class(captions, recipe.prior_images).to(device),
            bare_K=torch.tensor(captions.bare, device=device),
            size_ids_L6=size_ids(split.trained).to(device) if foundation.family == "sdxl" else None,
        )
        seeds = score_seeds(recipe.score_seeds)
        return data, PortraitSet(prompts, seeds, captions.first_portrait, captions.negative, recipe.score_steps)

    def _class_latents(self, noun: str) -> Tensor:
        prompts, digest = class_prompts(self.foundation, self.recipe, noun), self.task.foundation_digest
        images = class_images(
            self.store, self.foundation, digest, self.recipe, prompts, self.device, self.check_stop, self.tell
        )
        return encode_images(self.vae, images, self.device)


def size_ids(crops: Sequence[Crop]) -> Tensor:
    """SDXL's micro-conditions [L, 6] of crops."""
    return torch.tensor([crop.size_ids for crop in crops], dtype=torch.float32)


def _of_class(captions: CaptionedRun, images: int) -> Tensor:
    return torch.tensor([captions.of_class(image) for image in range(images)])
