"""Builds captions that name clothes and places which a photo does not show.

None of them is a scene of the benchmark (``benchmarks/training/people.py``): it measures how adapters follow words that
their training never named.
"""

from __future__ import annotations

import re

import numpy as np

from headshots.diffusion.foundations.foundation import Foundation
from headshots.styles.prompts import compose_prompt
from headshots.styles.recipe import Style
from services.trainer.captions.filling import fill
from services.trainer.lora.recipe import Recipe

OUTFITS = ("navy suit", "white shirt", "red shirt", "blue t-shirt", "yellow cardigan", "purple hoodie")
BACKDROPS = ("plain white studio", "black studio", "blue studio", "leafy park", "wooden wall")
# The light of a photo falls on the head, which is learned from the photo: captions with another light would teach that
# such words mean nothing. This one is nearest to how most selfies look.
LIGHTING = "soft studio lighting"
# Class images are painted as portraits of galleries are; their scenes need not be those of captions.
_CLASS_SEED = 0xC1A55
_BARE_SUBJECT = re.compile(r"(?<!\ba )\{subject\}")


def run_captions(foundation: Foundation, recipe: Recipe, class_noun: str, scenes: int) -> list[str]:
    """The captions of a run with ``scenes`` scenes, in the order of :mod:`services.trainer.lora.batches`."""
    photo = fill(recipe.caption, trigger=foundation.trigger, class_noun=class_noun)
    prior = fill(recipe.prior_caption, trigger=foundation.trigger, class_noun=class_noun)
    captions = [photo, "", prior, fill(recipe.caption, trigger="", class_noun=class_noun)]
    for subject in (f"{foundation.trigger} {class_noun}", class_noun):
        captions += scene_prompts(foundation, subject, scenes, recipe.seed)
    return captions


def scene_prompts(foundation: Foundation, subject: str, count: int, seed: int) -> list[str]:
    """``count`` prompts of ``subject`` in random scenes, built from the template as the prompts of galleries are.

    The same ``seed`` gives the same scenes for every subject.
    """
    return _scenes(foundation.prompt_template, subject, count, seed)


def class_prompts(foundation: Foundation, recipe: Recipe, class_noun: str) -> tuple[str, ...]:
    """What class images are painted from, in turns.

    ``recipe.prior_scenes`` scenes of the template, without the trigger and the same for every training; without any the
    one ``prior_caption``.
    """
    if not recipe.prior_scenes:
        return (fill(recipe.prior_caption, trigger=foundation.trigger, class_noun=class_noun),)
    template = _BARE_SUBJECT.sub("a {subject}", foundation.prompt_template)
    return tuple(_scenes(template, class_noun, recipe.prior_scenes, _CLASS_SEED))


def portrait_prompt(template: str, subject: str, *, outfit: str, backdrop: str, lighting: str) -> str:
    """A headshot of ``subject`` as galleries ask for it."""
    words = Style("", 1, "", "", outfit=outfit, backdrop=backdrop, lighting=lighting, framing="headshot")
    return compose_prompt(template, words, trigger="", class_noun=subject)


def _scenes(template: str, subject: str, count: int, seed: int) -> list[str]:
    rng = np.random.default_rng([seed, 0x5CE])
    return [
        portrait_prompt(
            template,
            subject,
            outfit=str(rng.choice(OUTFITS)),
            backdrop=str(rng.choice(BACKDROPS)),
            lighting=LIGHTING,
        )
        for _ in range(count)
    ]
