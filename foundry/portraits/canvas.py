"""Paints outlines and strokes on an anti-aliased canvas, with gradients and soft edges, by Pillow and numpy.

Pillow rasterises each outline into a mask at `SUPERSAMPLE` times the resolution, only inside the outline's own
bounding box; numpy blends the colour. Nothing here needs a system library (docs/decisions/0002-drawing-library.md).

Shapes: N points, H x W pixels of one box. Colours are RGB floats in 0..255.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from foundry.portraits.outlines import FloatArray, Points, ribbon

Colour = tuple[float, float, float]

DESIGN_SIZE = 128.0
SUPERSAMPLE = 4


@dataclass(frozen=True, slots=True)
class Linear:
    """A gradient from `start` to `end` (design units), clamped outside."""

    start: tuple[float, float]
    end: tuple[float, float]
    first: Colour
    last: Colour


@dataclass(frozen=True, slots=True)
class Radial:
    """A gradient from `centre` outwards to `radius` (design units), clamped outside."""

    centre: tuple[float, float]
    radius: float
    inner: Colour
    outer: Colour


Fill = Colour | Linear | Radial


def scaled(colour: Colour, factor: float) -> Colour:
    """A lighter (factor > 1) or darker colour; 0..255 is enforced when the picture is finished."""
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)


def mixed(first: Colour, second: Colour, amount: float) -> Colour:
    """`amount` 0 gives the first colour, 1 the second."""
    keep = 1.0 - amount
    return (
        first[0] * keep + second[0] * amount,
        first[1] * keep + second[1] * amount,
        first[2] * keep + second[2] * amount,
    )


class Canvas:
    """RGB pixels, a solid mask of the subject and its parts, and a current transform from design units to pixels."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.pixels: FloatArray = np.zeros((size, size, 3), np.float32)
        self.solid: FloatArray = np.zeros((size, size), np.float32)
        self.parts: npt.NDArray[np.uint8] = np.zeros((size, size), np.uint8)
        self._part = 0
        self._matrix = np.array([[size / DESIGN_SIZE, 0, 0], [0, size / DESIGN_SIZE, 0]], np.float64)

    @contextmanager
    def moved(self, dx: float, dy: float, scale: float = 1.0, degrees: float = 0.0) -> Iterator[None]:
        """Draw with the origin moved, then scaled and rotated; restored afterwards."""
        outer = self._matrix
        cos, sin = np.cos(np.radians(degrees)) * scale, np.sin(np.radians(degrees)) * scale
        inner = np.array([[cos, -sin, dx], [sin, cos, dy], [0, 0, 1]])
        self._matrix = outer @ inner
        yield
        self._matrix = outer

    @contextmanager
    def showing(self, part: int) -> Iterator[None]:
        """Solid outlines drawn inside show this part of the subject; `parts` keeps the topmost."""
        outer = self._part
        self._part = part
        yield
        self._part = outer

    def to_pixels(self, points: Points) -> FloatArray:
        """Design units to pixels under the current transform."""
        values = np.asarray(points, np.float64)
        return (values @ self._matrix[:, :2].T + self._matrix[:, 2]).astype(np.float32)

    @property
    def scale(self) -> float:
        """Pixels per design unit."""
        return math.hypot(*self._matrix[:, 0].tolist())

    def fill(
        self,
        outline: Points,
        colour: Fill,
        opacity: float = 1.0,
        blur: float = 0.0,
        clip: FloatArray | None = None,
        solid: bool = False,
    ) -> None:
        """Blend a filled outline. `blur` is a Gaussian sigma in design units, `clip` a full-size mask in 0..1."""
        found = self._coverage(outline, blur * self.scale)
        if found is None:
            return
        alpha, top, left = found
        rows, columns = slice(top, top + alpha.shape[0]), slice(left, left + alpha.shape[1])
        if clip is not None:
            alpha = alpha * clip[rows, columns]
        if solid:
            self.solid[rows, columns] = np.maximum(self.solid[rows, columns], alpha)
            self.parts[rows, columns][alpha >= 0.5] = self._part
        region = self.pixels[rows, columns]
        region += (alpha * opacity)[..., None] * (self._colours(colour, alpha.shape, top, left) - region)

    def flood(self, colour: Fill) -> None:
        """Paint over the whole frame."""
        self.pixels[:] = self._colours(colour, self.pixels.shape[:2], 0, 0)

    def stroke(
        self,
        line: Points,
        width: float,
        colour: Fill,
        opacity: float = 1.0,
        taper: float = 1.0,
        blur: float = 0.0,
        clip: FloatArray | None = None,
    ) -> None:
        """Blend an open line of the given width (design units)."""
        self.fill(ribbon(line, width, taper), colour, opacity, blur, clip)

    def mask(self, outline: Points) -> FloatArray:
        """The full-size coverage of an outline, 0..1, for clipping."""
        full = np.zeros((self.size, self.size), np.float32)
        found = self._coverage(outline, 0.0)
        if found is not None:
            alpha, top, left = found
            full[top : top + alpha.shape[0], left : left + alpha.shape[1]] = alpha
        return full

    def soften(self, sigma: float) -> None:
        """Blur everything painted so far (a backdrop out of focus)."""
        image = Image.fromarray(np.clip(self.pixels, 0, 255).astype(np.uint8))
        self.pixels = np.asarray(image.filter(ImageFilter.GaussianBlur(sigma * self.scale)), np.float32).copy()

    def _coverage(self, outline: Points, sigma: float) -> tuple[FloatArray, int, int] | None:
        # Some 70 times a picture: plain numbers here are faster than arrays of two.
        points = self.to_pixels(outline)
        margin = math.ceil(3 * sigma) + 1
        (x_low, y_low), (x_high, y_high) = points.min(0).tolist(), points.max(0).tolist()
        left, top = max(math.floor(x_low) - margin, 0), max(math.floor(y_low) - margin, 0)
        width = min(math.ceil(x_high) + margin, self.size) - left
        height = min(math.ceil(y_high) + margin, self.size) - top
        if width <= 0 or height <= 0:
            return None
        image = Image.new("L", (width * SUPERSAMPLE, height * SUPERSAMPLE))
        # Pillow fills the pixels whose centres an integer grid names, so half a sample is taken off.
        corners = (points - np.array([left, top])) * SUPERSAMPLE - 0.5
        ImageDraw.Draw(image).polygon(corners.ravel().tolist(), fill=255)
        image = image.reduce(SUPERSAMPLE)
        if sigma > 0:
            image = image.filter(ImageFilter.GaussianBlur(sigma))
        # What np.asarray(image) does, without asking the image for its interface.
        coverage = np.frombuffer(image.tobytes(), np.uint8).reshape(height, width)
        return np.divide(coverage, np.float32(255), dtype=np.float32), top, left

    def _colours(self, colour: Fill, shape: tuple[int, ...], top: int, left: int) -> FloatArray:
        if isinstance(colour, tuple):
            return np.asarray(colour, np.float32)
        y = np.arange(top, top + shape[0], dtype=np.float32)[:, None] + 0.5
        x = np.arange(left, left + shape[1], dtype=np.float32)[None, :] + 0.5
        if isinstance(colour, Linear):
            (x0, y0), (x1, y1) = self.to_pixels([colour.start, colour.end]).tolist()
            dx, dy = x1 - x0, y1 - y0
            amount = ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy)
            first, last = colour.first, colour.last
        else:
            ((x0, y0),) = self.to_pixels([colour.centre]).tolist()
            amount = np.hypot(x - x0, y - y0) / (colour.radius * self.scale)
            first, last = colour.inner, colour.outer
        amount = np.clip(amount, 0.0, 1.0)[..., None]
        start = np.asarray(first, np.float32)
        return np.asarray(start + amount * (np.asarray(last, np.float32) - start), np.float32)
