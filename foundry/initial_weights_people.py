"""Draws the people that initial weights are learned from, with their training data and true portraits.

Shapes: B rows, C channels, H × W cells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image

from foundry.portraits import FIRST_HELD_OUT, Identity, render, sample_identity, sample_scene
from headshots.diffusion.foundations.foundation import Foundation
from headshots.faces import Pixels, open_analyzer
from services.trainer.captions.scenes import BACKDROPS, OUTFITS, run_captions
from services.trainer.lora.adapted import AdaptedUNet
from services.trainer.lora.batches import CLEAR_SHARE, Batches, Rows, TrainingData
from services.trainer.lora.frozen import Conditions, encode_captions, encode_images, load_vae, noise_levels
from services.trainer.lora.objective import Objective, draw_step
from services.trainer.lora.recipe import Recipe
from services.trainer.run.masks import loss_masks
from services.trainer.run.photos import crops

SELFIES, PORTRAITS = 8, 12
_SELFIE_SIDE, _CROPS = 256, 2
# Apart from the streams of a training.
_PORTRAIT_STREAM = 200


@dataclass(frozen=True)
class Person:
    """``selfies``: the rows of every step on the person's selfies, as the trainer makes them."""

    selfies: Batches
    portraits: TrainingData
    seed: int

    @property
    def conditions(self) -> Conditions:
        """The captions of ``selfies``."""
        return self.selfies.data.conditions

    def portrait_rows(self, step: int) -> Rows:
        """The person's true portraits, each under the prompt that asks for it."""
        objective, latents, masks = self.selfies.objective, self.portraits.subject_BCHW, self.portraits.masks
        levels = len(objective.alphas_cumprod_T)
        draw = draw_step(
            self.seed,
            step,
            stream=_PORTRAIT_STREAM,
            latents=len(latents),
            rows=self.selfies.recipe.batch_rows,
            levels=levels,
            dropout=0.0,
            shape=tuple(latents.shape[1:]),
        )
        chosen_BCHW = latents[draw.index_B]
        clear_B11 = (draw.timestep_B < CLEAR_SHARE * levels).view(-1, 1, 1)
        return Rows(
            noisy_BCHW=objective.noisy(chosen_BCHW, draw),
            timestep_B=draw.timestep_B,
            caption_B=draw.index_B,
            target_BCHW=objective.target(chosen_BCHW, draw),
            weight_B=objective.weights(draw.timestep_B) / len(chosen_BCHW),
            cell_weight_BHW=masks.weight_BHW[draw.index_B] + clear_B11 * masks.edge_weight_BHW[draw.index_B],
        )


class People:
    """Draws training people and encodes their photos; what all of them share is loaded once."""

    def __init__(self, foundation: Foundation, adapted: AdaptedUNet, recipe: Recipe) -> None:
        self._foundation, self._adapted, self._recipe = foundation, adapted, recipe
        self._device = torch.device("cpu")
        self._size = (foundation.native_width_px, foundation.native_height_px)
        self._vae = load_vae(foundation)
        self._analyzer = open_analyzer("bundled")
        self._objective = Objective(
            noise_levels(foundation), foundation.prediction_type == "v_prediction", recipe.snr_gamma
        )
        self._captions: dict[str, Conditions] = {}

    def draw(self, rng: np.random.Generator) -> Person:
        """A person that no benchmark knows."""
        seed = int(rng.integers(FIRST_HELD_OUT))
        identity = sample_identity(seed)
        recipe = replace(self._recipe, seed=seed)
        conditions = self._conditions(identity.class_noun)
        selfies = self._data(self._selfies(identity, rng), conditions)
        selfies = replace(selfies, scenes=recipe.scenes if bool(selfies.masks.has_head_B.any()) else 0)
        batches = Batches(
            self._objective,
            selfies,
            recipe,
            self._device,
            lambda rows: self._adapted.predict_bare(conditions, rows),
        )
        pictures, prompts = self._portraits(identity, rng)
        portraits = self._data(pictures, encode_captions(self._foundation, prompts, self._device))
        return Person(batches, portraits, seed)

    def _selfies(self, identity: Identity, rng: np.random.Generator) -> list[Pixels]:
        """Crops of them, as trainings cut them."""
        found: list[Pixels] = []
        for number in range(SELFIES):
            photo = Image.fromarray(render(identity, sample_scene(rng, "selfie"), _SELFIE_SIDE))
            cut = crops(photo, self._size, count=_CROPS, jitter=self._recipe.crop_jitter, seed=[number])
            found += [crop.pixels for crop in cut]
        return found

    def _portraits(self, identity: Identity, rng: np.random.Generator) -> tuple[list[Pixels], list[str]]:
        """In clothes and places that trainings name, in any light, and what asks for each."""
        pictures, prompts = [], []
        for _ in range(PORTRAITS):
            scene = sample_scene(rng, "studio", outfit=str(rng.choice(OUTFITS)), backdrop=str(rng.choice(BACKDROPS)))
            pictures.append(render(identity, scene, self._size[0]))
            prompts.append(
                self._foundation.prompt_template.format(
                    framing="headshot",
                    subject=f"{self._foundation.trigger} {identity.class_noun}",
                    outfit=scene.outfit,
                    backdrop=scene.backdrop,
                    lighting=scene.light,
                )
            )
        return pictures, prompts

    def _data(self, pictures: list[Pixels], conditions: Conditions) -> TrainingData:
        latents_BCHW = encode_images(self._vae, pictures, self._device)
        height, width = latents_BCHW.shape[2:]
        masks = loss_masks(self._analyzer, pictures, height, width, self._recipe)
        return TrainingData(latents_BCHW, masks, None, conditions)

    def _conditions(self, class_noun: str) -> Conditions:
        if class_noun not in self._captions:
            captions = run_captions(self._foundation, self._recipe, class_noun, self._recipe.scenes)
            self._captions[class_noun] = encode_captions(self._foundation, captions, self._device)
        return self._captions[class_noun]
