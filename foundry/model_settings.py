"""Writes `headshots.yaml`: what diffusers' own files do not say of the foundation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from foundry.framing import EYE_LINES, HEAD_HEIGHTS
from foundry.models import LATENT_SIZE
from foundry.portraits import ANYBODY, CLASS_NOUNS, TRIGGERS
from foundry.tokens import world_words
from headshots.diffusion.lora.layout import ATTENTION_LAYERS

_HEADER = """\
# What headshots should know about this foundation beside diffusers' own files.
# Written by `python -m foundry.export`; change foundry/model_settings.py instead.
"""


FRAMING = "close"
"""Of the bundled foundation, by its name in FRAMINGS: what the stages that make it draw, and what its card says."""
LATENT_CHANNELS = 32
"""Of the bundled foundation's latents: what `foundry.make_foundation` makes."""


def settings(framing: str = FRAMING) -> dict[str, Any]:
    """The file's content, in the keys that headshots.diffusion.foundations and services.trainer.lora.recipe read.

    ``framing``: that of the portraits that the foundation learned.
    """
    heads = {"head_height": HEAD_HEIGHTS[framing], "eye_line": EYE_LINES[framing]}
    native = 8 * LATENT_SIZE
    return {
        "name": "tiny-portrait",
        "description": "Drawn portraits of people who never existed; see README.md",
        "width_px": native,
        "height_px": native,
        "sampler": "dpmpp_2m",
        "steps": 20,
        # Higher guidance paints clearer traits and fewer different people: docs/foundation.md has the figures.
        "guidance_scale": 1.5,
        # A person is one person: what variety costs in likeness is not wanted.
        "adapter_guidance_scale": 2.5,
        # Whole ones forget backdrops and light that no caption named; guidance gives the person back.
        "adapter_strength": 0.75,
        # Away from everybody else as well. Further is likelier, and makes caricatures (docs/experiments.md).
        "negative_adapter_share": 0.5,
        **{name: share for name, share in heads.items() if share is not None},
        "trigger": TRIGGERS[0],
        "prompt_template": "{framing} of a {subject}, wearing a {outfit}, {backdrop} background, {lighting}",
        "class_nouns": [*CLASS_NOUNS, ANYBODY],
        "vocabulary": " ".join(world_words()),
        # Attention is at 8 x 8 and 4 x 4 cells alone: the fine proportions of a face are out of its adapters' reach. Of
        # what reaches them these cost serving least (docs/experiments.md).
        "adapted_layers": [*ATTENTION_LAYERS, "ff.net.2", "conv_shortcut"],
        "training": _recipe(),
    }


def _recipe() -> dict[str, Any]:
    """How adapters are trained best on this foundation."""
    return {
        "rank": 8,
        "learning_rate": 3e-3,
        "steps": 600,
        # Twice as many rows take a third longer a step.
        "batch_rows": 12,
        # Under min-SNR weights a v-predicting UNet's noisiest steps, which settle who is painted, count nothing.
        "snr_gamma": 0.0,
        "face_weight": 25.0,
        "hair_weight": 10.0,
        "scene_share": 0.85,
        # More keeps words, and brings hair that the person has not (docs/experiments.md).
        "surround_weight": 4.5,
        "passes": 4,
        # Four checkpoints, so no run ends early: faces become clear in the last stretch, at a low learning rate.
        "patience": 3,
        "caption": "headshot of a {trigger} {class_noun}",
        "prior_rows": 0,
    }


def write_settings(path: Path, framing: str = FRAMING) -> None:
    """Write the file; ``framing`` as for `settings`."""
    path.write_text(_HEADER + yaml.safe_dump(settings(framing), sort_keys=False, allow_unicode=True))
