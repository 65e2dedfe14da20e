"""Writes the ``headshots.yaml`` of an imported foundation: what is best for its family where nobody says better.

None of it was measured on real weights here; docs/photographs.md has where each value comes from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

# The words that the training's captions begin with too, so that an adapter meets its subject where it learned it.
_PORTRAIT = "portrait photo of"
PHOTO_TEMPLATE = (
    f"{_PORTRAIT} {{subject}}, wearing a {{outfit}}, {{backdrop}} background, {{lighting}}, {{framing}}, 85mm lens, "
    "natural skin texture, sharp focus"
)
"""Fills the words of any style, so that its name means the same outfit, backdrop and light as on drawn people."""
PHOTO_NEGATIVE = (
    "cartoon, painting, illustration, 3d render, plastic skin, heavy makeup, blurry, low resolution, distorted face, "
    "crooked eyes, extra fingers, text, watermark, logo"
)
"""As the styles of ``styles/photographic`` say it."""
# "sks", which diffusers' examples use, is also a rifle, which these models have seen.
_TRIGGER = "ohwx"
# Portrait sizes of about as many pixels as the family was trained on, by the native side that a UNet tells. SDXL's is
# one of its own buckets (arXiv 2307.01952, appendix I).
_PORTRAITS: Mapping[tuple[str, int], tuple[int, int]] = {("sd15", 512): (512, 768), ("sdxl", 1024): (832, 1216)}
_GUIDANCE: Mapping[str, float] = {"sd15": 6.0, "sdxl": 5.5}
_RECIPE: Mapping[str, Any] = {
    # Faces take 800 to 1200 steps of two photos, and prior preservation (huggingface.co/blog/dreambooth).
    "steps": 1200,
    # 8 to 32 are in use for faces; 1e-4 is what the guides of diffusers (examples/dreambooth) and kohya's sd-scripts
    # (docs/sdxl_train_network.md) have for a LoRA.
    "rank": 16,
    "learning_rate": 0.0001,
    # The face counts twice, hair one and a half times. Not measured on photos: a small weight cannot harm much.
    "face_weight": 1.0,
    "hair_weight": 0.5,
    "caption": f"{_PORTRAIT} {{trigger}} {{class_noun}}, {{shown}}, {{traits}}",
    "prior_caption": f"{_PORTRAIT} a {{class_noun}}",
    # Class images in clothes and places of the template, so that its words keep their meaning.
    "prior_scenes": 16,
}
# What fits a step into the device's memory (docs/photographs.md), and rows enough of each family.
_ROWS: Mapping[str, Mapping[str, Any]] = {
    "sd15": {"batch_rows": 2, "prior_rows": 1, "prior_images": 64},
    "sdxl": {"batch_rows": 1, "prior_rows": 1, "prior_images": 48},
}
_HEAD = "# Written by `headshots foundation import` for the family {family}; change what you know better.\n"


def default_settings(family: str, native_px: int, sampler: str) -> str:
    """The file's text for ``sd15`` or ``sdxl``.

    ``native_px`` is the side that the UNet's configuration names; an empty ``sampler`` leaves it to the scheduler.
    """
    settings: dict[str, Any] = {}
    if (size := _PORTRAITS.get((family, native_px))) is not None:
        settings |= {"width_px": size[0], "height_px": size[1]}
    if sampler:
        settings["sampler"] = sampler
    settings |= {
        "steps": 25,
        "guidance_scale": _GUIDANCE[family],
        "trigger": _TRIGGER,
        "prompt_template": PHOTO_TEMPLATE,
        "negative_prompt": PHOTO_NEGATIVE,
        "training": {**_RECIPE, **_ROWS[family]},
    }
    return _HEAD.format(family=family) + yaml.safe_dump(settings, sort_keys=False)


def as_json(value: Mapping[str, Any]) -> str:
    """A configuration as diffusers writes it: the same bytes for the same content."""
    return json.dumps(value, indent=2, sort_keys=True) + "\n"
