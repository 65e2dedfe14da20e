"""Draws the people that initial weights are learned from, with their training data and true portraits.

Shapes: B rows, C channels, H × W cells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image

from foundry.framing import framing_of
from foundry.portraits import FIRST_HELD_OUT, Identity, render, sample_identity, sample_scene
from headshots.diffusion.foundations.foundation import Foundation
from headshots.faces import Pixels, open_analyzer
from services.trainer.captions.scenes import BACKDROPS, OUTFITS, run_captions
from services.trainer.lora.adapted import AdaptedUNet
from services.trainer.lora.batches import Batches, TrainingData
from services.trainer.lora.frozen import Conditions, encode_captions, encode_images, load_vae, noise_levels
from services.trainer.lora.objective import Objective
from services.trainer.lora.recipe import Recipe
from services.trainer.run.masks import loss_masks
from services.trainer.run.photos import cut_photo

SELFIES, PORTRAITS = 8, 12
_SELFIE_SIDE, _CROPS = 256, 2
# Seeds of a person's portraits and selfies are so far apart that no two people share one.
_PORTRAIT_SEEDS = 2 * FIRST_HELD_OUT


@dataclass(frozen=True)
class Person:
    """The rows of every step on the person's selfies, and of every step on their true portraits.

    Both are made by the trainer's own code: of selfies as in a training, of portraits each whole, under the prompt that
    asks for it.
    """

    selfies: Batches
    portraits: Batches
    seed: int


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
        self._framing = framing_of(foundation)

    def draw(self, rng: np.random.Generator) -> Person:
        """A person that no benchmark knows."""
        seed = int(rng.integers(FIRST_HELD_OUT))
        identity = sample_identity(seed)
        recipe = replace(self._recipe, seed=seed)
        conditions = self._conditions(identity.class_noun)
        selfies = self._data(self._selfies(identity, rng), conditions)
        selfies = replace(selfies, scenes=recipe.scenes if bool(selfies.masks.has_head_B.any()) else 0)
        pictures, prompts = self._portraits(identity, rng)
        portraits = self._data(pictures, encode_captions(self._foundation, prompts, self._device))
        portraits = replace(portraits, subject_caption_L=torch.arange(len(pictures)))
        own = replace(recipe, seed=_PORTRAIT_SEEDS + seed, caption_dropout=0.0)
        return Person(self._batches(selfies, recipe), self._batches(portraits, own), seed)

    def _batches(self, data: TrainingData, recipe: Recipe) -> Batches:
        # Without scenes the bare foundation is never asked.
        return Batches(
            self._objective,
            data,
            recipe,
            self._device,
            lambda rows: self._adapted.predict_bare(data.conditions, rows),
        )

    def _selfies(self, identity: Identity, rng: np.random.Generator) -> list[Pixels]:
        """Crops of photos as people take them, cut as trainings do."""
        found: list[Pixels] = []
        recipe, head_height = replace(self._recipe, crops_per_photo=_CROPS), self._foundation.head_height
        for number in range(SELFIES):
            photo = Image.fromarray(render(identity, sample_scene(rng, "selfie"), _SELFIE_SIDE))
            cut = cut_photo(photo, self._size, recipe, [number], self._analyzer, head_height)
            found += [crop.pixels for crop in cut]
        return found

    def _portraits(self, identity: Identity, rng: np.random.Generator) -> tuple[list[Pixels], list[str]]:
        """In clothes and places that trainings name, in any light, and what asks for each."""
        pictures, prompts = [], []
        for _ in range(PORTRAITS):
            clothes, place = str(rng.choice(OUTFITS)), str(rng.choice(BACKDROPS))
            scene = sample_scene(rng, "studio", self._framing, outfit=clothes, backdrop=place)
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
