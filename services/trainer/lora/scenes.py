"""Builds captions that name clothes and places which a photo does not show.

None of them is a scene of the benchmark (``benchmarks/training/people.py``): it measures how adapters follow words that
their training never named.
"""

from __future__ import annotations

import numpy as np

from headshots.diffusion.foundations.foundation import Foundation
from services.trainer.lora.recipe import Recipe

OUTFITS = ("navy suit", "white shirt", "red shirt", "blue t-shirt", "yellow cardigan", "purple hoodie")
BACKDROPS = ("plain white studio", "black studio", "blue studio", "leafy park", "wooden wall")
# The light of a photo falls on the head, which is learned from the photo: captions with another light would teach that
# such words mean nothing. This one is nearest to how most selfies look.
LIGHTING = "soft studio lighting"


def run_captions(foundation: Foundation, recipe: Recipe, class_noun: str, scenes: int) -> list[str]:
    """The captions of a run with ``scenes`` scenes, in the order of :mod:`services.trainer.lora.batches`."""
    words = {"trigger": foundation.trigger, "class_noun": class_noun}
    bare = " ".join(recipe.caption.format(trigger="", class_noun=class_noun).split())
    captions = [recipe.caption.format(**words), "", recipe.prior_caption.format(**words), bare]
    for subject in (f"{foundation.trigger} {class_noun}", class_noun):
        captions += scene_prompts(foundation, subject, scenes, recipe.seed)
    return captions


def scene_prompts(foundation: Foundation, subject: str, count: int, seed: int) -> list[str]:
    """``count`` prompts of ``subject`` in random scenes, built from the template as the prompts of galleries are.

    The same ``seed`` gives the same scenes for every subject.
    """
    rng = np.random.default_rng([seed, 0x5CE])
    return [
        foundation.prompt_template.format(
            subject=subject,
            outfit=rng.choice(OUTFITS),
            backdrop=rng.choice(BACKDROPS),
            lighting=LIGHTING,
            framing="headshot",
        )
        for _ in range(count)
    ]
