"""Frames scenes closer than the drawn world does by itself, for the judges: they must know faces of any size.

Not as a foundation of the framing "close" paints them (`foundry.portraits.FRAMINGS`), but a little nearer: the judges'
published figures are of these.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from foundry.portraits import Scene

NEAR_ZOOMS = (1.5, 1.65)  # a face of some three quarters of the picture's height


def framed(zoom: float, rng: np.random.Generator) -> dict[str, float]:
    """`zoom`, and a place of the head at which its chin and some of its clothes show; for `sample_scene`."""
    return {"zoom": zoom, "dy": float(rng.uniform(-2, 3 + 12 * (zoom - 1)))}


def closer(scene: Scene) -> Scene:
    """The scene at one of NEAR_ZOOMS; which, its own number decides."""
    rng = np.random.default_rng([scene.seed, 0xC105E])
    place = framed(float(rng.uniform(*NEAR_ZOOMS)), rng)
    return replace(scene, zoom=place["zoom"], dy=place["dy"])


def unchanged(scene: Scene) -> Scene:
    """The scene as it was sampled."""
    return scene
