"""Applies light and camera to the finished picture: light colours the subject more than the backdrop."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from foundry.portraits.canvas import Canvas, Colour
from foundry.portraits.outlines import FloatArray
from foundry.portraits.scene import Scene


@dataclass(frozen=True, slots=True)
class _Light:
    """Multipliers across the subject from the picture's left to its right, for the backdrop, and rim glows."""

    left: Colour
    right: Colour
    backdrop: Colour
    rim_left: Colour = (0, 0, 0)
    rim_right: Colour = (0, 0, 0)


_LIGHTS = {
    "soft studio lighting": _Light((1.04, 1.03, 1.02), (0.98, 0.98, 0.98), (1, 1, 1)),
    "dramatic side lighting": _Light((1.12, 1.08, 1.04), (0.36, 0.36, 0.42), (0.74, 0.74, 0.76)),
    "warm sunset lighting": _Light((0.94, 0.78, 0.64), (1.16, 0.96, 0.7), (1.0, 0.86, 0.7), (0, 0, 0), (255, 170, 70)),
    "cool window lighting": _Light(
        (0.98, 1.05, 1.12), (0.66, 0.76, 0.92), (0.82, 0.92, 1.04), (90, 130, 170), (0, 0, 0)
    ),
    "neon lighting": _Light((1.04, 0.74, 0.98), (0.7, 0.9, 1.08), (0.7, 0.6, 0.84), (255, 40, 170), (30, 210, 255)),
}


def light_picture(canvas: Canvas, scene: Scene, centre_x: float) -> FloatArray:
    """The canvas under the scene's light: float [H, W, 3] in 0..255. `centre_x` is the head's middle in pixels."""
    light = _LIGHTS[scene.light]
    size = canvas.size
    place = (np.arange(size, dtype=np.float32) + 0.5 - centre_x) / (size * 0.21)
    across = (0.5 + 0.5 * np.tanh(place))[None, :, None]
    left, right = np.asarray(light.left, np.float32), np.asarray(light.right, np.float32)
    on_subject = left + across * (right - left)
    solid = canvas.solid[..., None]
    lit = canvas.pixels * (solid * on_subject + (1 - solid) * np.asarray(light.backdrop, np.float32))
    if any(light.rim_left) or any(light.rim_right):
        for colour, direction in ((light.rim_left, 1), (light.rim_right, -1)):
            rim = _rim(canvas.solid, direction * max(size * 4 // 128, 1))
            lit = lit + 0.5 * rim[..., None] * np.asarray(colour, np.float32)
    if scene.flash:
        y = (np.arange(size, dtype=np.float32) / size - 0.42)[:, None]
        x = (np.arange(size, dtype=np.float32) / size - 0.5)[None, :]
        fall = np.exp(-(x**2 + y**2) * 9)[..., None]
        lit = lit * (1 + scene.flash * (0.34 * fall - 0.22 * (1 - solid)))
    return np.asarray(np.clip(lit * scene.exposure, 0, 255), np.float32)


def _rim(solid: FloatArray, shift: int) -> FloatArray:
    """Where the subject's edge faces the left (shift > 0) or the right."""
    moved = np.zeros_like(solid)
    if shift > 0:
        moved[:, shift:] = solid[:, :-shift]
    else:
        moved[:, :shift] = solid[:, -shift:]
    image = Image.fromarray((np.clip(solid - moved, 0, 1) * 255).astype(np.uint8))
    glow = np.asarray(image.filter(ImageFilter.GaussianBlur(abs(shift) * 0.3)), np.float32)
    return np.asarray(glow / 255 * solid, np.float32)


def photograph(lit: FloatArray, scene: Scene) -> npt.NDArray[np.uint8]:
    """What the scene's camera makes of it: blur, noise and compression. uint8 [H, W, 3]."""
    image = Image.fromarray((lit + 0.5).clip(0, 255).astype(np.uint8))
    if scene.blur:
        image = image.filter(ImageFilter.GaussianBlur(scene.blur * image.width / 128))
    if scene.noise:
        rng = np.random.default_rng([scene.seed, 0x015E])
        noisy = np.asarray(image, np.float32) + rng.normal(0, scene.noise, (image.height, image.width, 1))
        image = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
    if scene.jpeg_quality:
        packed = io.BytesIO()
        image.save(packed, "JPEG", quality=scene.jpeg_quality)
        image = Image.open(packed)
    return np.array(image, np.uint8)
