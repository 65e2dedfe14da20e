"""Writes the ``headshots.yaml`` of an imported foundation: what is best for its family where nobody says better."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

_TEMPLATE = "photo of {subject}, wearing {outfit}, {backdrop}, {lighting}, {framing}"
# Portrait sizes of as many pixels as the family was trained on, by the native side that a UNet tells.
_PORTRAITS: Mapping[tuple[str, int], tuple[int, int]] = {("sd15", 512): (512, 768), ("sdxl", 1024): (832, 1216)}
_GUIDANCE: Mapping[str, float] = {"sd15": 6.0, "sdxl": 5.5}
_RECIPE: Mapping[str, Any] = {"steps": 1200, "rank": 16, "learning_rate": 0.0001}
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
        "prompt_template": _TEMPLATE,
        "training": dict(_RECIPE),
    }
    return _HEAD.format(family=family) + yaml.safe_dump(settings, sort_keys=False)


def as_json(value: Mapping[str, Any]) -> str:
    """A configuration as diffusers writes it: the same bytes for the same content."""
    return json.dumps(value, indent=2, sort_keys=True) + "\n"
