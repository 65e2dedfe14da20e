"""Samples what happens around a person in one picture: pose, expression, clothes, place, light, camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

OUTFITS = (
    "navy suit",
    "dark grey blazer",
    "beige blazer",
    "leather jacket",
    "denim jacket",
    "lab coat",
    "white shirt",
    "red shirt",
    "striped shirt",
    "black turtleneck",
    "green sweater",
    "blue t-shirt",
    "yellow cardigan",
    "purple hoodie",
)
BACKDROPS = (
    "plain white studio",
    "plain grey studio",
    "black studio",
    "blue studio",
    "bright office",
    "leafy park",
    "city at night",
    "library",
    "brick wall",
    "sandy beach",
    "snowy mountains",
    "red curtain",
    "wooden wall",
)
LIGHTS = (
    "soft studio lighting",
    "dramatic side lighting",
    "warm sunset lighting",
    "cool window lighting",
    "neon lighting",
)
CASUAL_OUTFITS = ("denim jacket", "striped shirt", "green sweater", "blue t-shirt", "yellow cardigan", "purple hoodie")
CASUAL_BACKDROPS = ("bright office", "leafy park", "library", "brick wall", "sandy beach", "wooden wall")
CASUAL_LIGHTS = ("soft studio lighting", "warm sunset lighting", "cool window lighting")
KINDS = ("studio", "selfie")


@dataclass(frozen=True, slots=True)
class Framing:
    """How near the camera is: the ranges that a scene's zoom and offsets are drawn from, as ``Scene`` has them."""

    zoom: tuple[float, float]
    dx: tuple[float, float]
    dy: tuple[float, float]


# By name and kind of scene. In close ones an eye has 1.8 times the latent cells, and hair may meet the edge.
FRAMINGS: dict[str, dict[str, Framing]] = {
    "wide": {
        "studio": Framing((1.06, 1.16), (-2.5, 2.5), (-2.0, 2.0)),
        "selfie": Framing((1.1, 1.26), (-4.0, 4.0), (-3.0, 3.0)),
    },
    "close": {
        "studio": Framing((1.44, 1.56), (-2.5, 2.5), (-3.5, 0.5)),
        "selfie": Framing((1.4, 1.64), (-4.0, 4.0), (-4.5, 1.5)),
    },
}
DEFAULT_FRAMING = "wide"
"""That of the photos that people take of themselves, and of scenes where nothing else is asked. How a foundation frames
its portraits tells its card: `foundry.framing`."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture's circumstances. Angles in degrees, offsets in 1/128 of the frame."""

    kind: str
    outfit: str
    backdrop: str
    light: str
    yaw: float  # positive: turned to the picture's right
    pitch: float  # positive: looking down
    roll: float
    smile: float  # -0.2 serious .. 1 laughing
    gaze: float  # -1 .. 1 sideways
    zoom: float  # 1: the face's height is about half of the frame
    dx: float
    dy: float
    wind: float  # -1 .. 1, moves long hair
    exposure: float  # 1: as lit
    flash: float  # 0 .. 1, the hard frontal light of a phone
    blur: float  # Gaussian sigma in 1/128 of the frame
    noise: float  # standard deviation in grey levels of 255
    jpeg_quality: int  # 0: never compressed
    seed: int  # of the backdrop's accidents and the noise


def sample_scene(rng: np.random.Generator, kind: str = "studio", framing: str = DEFAULT_FRAMING, **fixed: Any) -> Scene:
    """A random scene of one kind and framing, the same in all else for every framing; `fixed` sets fields by name.

    Raises:
        ValueError: an unknown kind, framing, outfit, backdrop or light.
    """
    for name, value, known in (("kind of scene", kind, KINDS), ("framing", framing, tuple(FRAMINGS))):
        if value not in known:
            raise ValueError(f"unknown {name} {value!r}; know {', '.join(known)}")
    values = _sample_studio(rng, framing) if kind == "studio" else _sample_selfie(rng, framing)
    values.update(fixed)
    scene = Scene(kind=kind, **values)
    for name, value, known in (
        ("outfit", scene.outfit, OUTFITS),
        ("backdrop", scene.backdrop, BACKDROPS),
        ("light", scene.light, LIGHTS),
    ):
        if value not in known:
            raise ValueError(f"unknown {name} {value!r}; know {', '.join(known)}")
    return scene


def _sample_studio(rng: np.random.Generator, framing: str) -> dict[str, Any]:
    frame = FRAMINGS[framing]["studio"]
    return {
        "outfit": str(rng.choice(OUTFITS)),
        "backdrop": str(rng.choice(BACKDROPS)),
        "light": str(rng.choice(LIGHTS)),
        "yaw": float(rng.uniform(-22, 22)),
        "pitch": float(rng.uniform(-8, 8)),
        "roll": float(rng.uniform(-4, 4)),
        "smile": float(rng.uniform(-0.2, 1)),
        "gaze": float(rng.uniform(-0.2, 0.2)),
        "zoom": float(rng.uniform(*frame.zoom)),
        "dx": float(rng.uniform(*frame.dx)),
        "dy": float(rng.uniform(*frame.dy)),
        "wind": float(rng.uniform(-0.5, 0.5)),
        "exposure": 1.0,
        "flash": 0.0,
        "blur": 0.0,
        "noise": 0.0,
        "jpeg_quality": 0,
        "seed": int(rng.integers(1 << 31)),
    }


def _sample_selfie(rng: np.random.Generator, framing: str) -> dict[str, Any]:
    values = _sample_studio(rng, framing)
    frame = FRAMINGS[framing]["selfie"]
    values.update(
        outfit=str(rng.choice(CASUAL_OUTFITS)),
        backdrop=str(rng.choice(CASUAL_BACKDROPS)),
        light=str(rng.choice(CASUAL_LIGHTS)),
        yaw=float(rng.uniform(-26, 26)),
        pitch=float(rng.uniform(-10, 12)),
        roll=float(rng.uniform(-8, 8)),
        zoom=float(rng.uniform(*frame.zoom)),
        dx=float(rng.uniform(*frame.dx)),
        dy=float(rng.uniform(*frame.dy)),
        exposure=float(rng.uniform(0.88, 1.12)),
        flash=float(rng.uniform(0.3, 0.8)) if rng.random() < 0.25 else 0.0,
        blur=float(rng.uniform(0, 0.5)),
        noise=float(rng.uniform(0, 4)),
        jpeg_quality=int(rng.integers(75, 96)),
    )
    return values
