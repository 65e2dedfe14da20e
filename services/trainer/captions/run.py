"""Collects every text that a run encodes, and which of them each latent has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from headshots.diffusion.foundations.foundation import Foundation
from services.trainer.captions.filling import Shown, fill
from services.trainer.captions.scenes import class_prompts, run_captions
from services.trainer.lora.batches import BARE, CAPTION, CLASS, EMPTY, FIRST_SCENE
from services.trainer.lora.recipe import Recipe


@dataclass
class CaptionedRun:
    """The texts of a run, in the order of :mod:`services.trainer.lora.batches`; indices are into ``texts``.

    ``photos``: the caption of each crop; ``classes``: of class images, in turns; ``bare``: for each text the same
    without the trigger word; ``negative``: what portraits are led away from.
    """

    texts: list[str]
    first_portrait: int
    photos: list[int] = field(default_factory=list)
    classes: list[int] = field(default_factory=lambda: [CLASS])
    bare: list[int] = field(default_factory=list)
    negative: int = EMPTY

    def of_class(self, image: int) -> int:
        """The caption of class image number ``image``."""
        return self.classes[image % len(self.classes)]

    def index(self, text: str) -> int:
        """Where ``text`` stands; it joins the texts if it does not."""
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text)


def caption_run(
    foundation: Foundation,
    recipe: Recipe,
    class_noun: str,
    scenes: int,
    portraits: Sequence[str],
    shown: Sequence[Shown],
) -> CaptionedRun:
    """The captions of a run.

    Args:
        portraits: prompts of the portraits that checkpoints are judged by.
        shown: what was measured of each crop that trains.
    """
    captions = run_captions(foundation, recipe, class_noun, scenes)
    run = CaptionedRun([*captions, *portraits], len(captions))
    twins = {CAPTION: BARE} | {FIRST_SCENE + scene: FIRST_SCENE + scenes + scene for scene in range(scenes)}
    for words in shown:
        named, bare = (
            run.index(fill(recipe.caption, trigger=trigger, class_noun=class_noun, shown=words))
            for trigger in (foundation.trigger, "")
        )
        run.photos.append(named)
        twins[named] = bare
    if recipe.prior_rows:
        run.classes = [run.index(prompt) for prompt in class_prompts(foundation, recipe, class_noun)]
    run.negative = run.index(foundation.negative_prompt)
    run.bare = [twins.get(number, number) for number in range(len(run.texts))]
    return run
