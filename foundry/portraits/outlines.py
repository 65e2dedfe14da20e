"""Makes the outlines that a canvas fills, as polylines: smooth curves, ellipses, rectangles, ribbons along a line."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Points = Sequence[tuple[float, float]] | FloatArray


@lru_cache
def _spline_weights(steps: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The three Bernstein polynomials of degree 2 at `steps` places, [1, steps, 1] each."""
    t = np.linspace(0.0, 1.0, steps, endpoint=False, dtype=np.float32)[None, :, None]
    return (1 - t) ** 2, 2 * t * (1 - t), t**2


@lru_cache
def _circle(steps: int) -> tuple[FloatArray, FloatArray]:
    """Cosines and sines around the circle, [steps] each."""
    angle = np.linspace(0, 2 * np.pi, steps, endpoint=False)
    return np.cos(angle), np.sin(angle)


@lru_cache
def _fullness(points: int) -> FloatArray:
    """1 in the middle of a line and 0 at its ends, [points, 1]."""
    along = np.linspace(-1.0, 1.0, points, dtype=np.float32)[:, None]
    return 1 - along**2


def smooth(points: Points, closed: bool = True, steps: int = 6) -> FloatArray:
    """A quadratic B-spline through the middles of the control polygon, as a polyline."""
    control = np.asarray(points, np.float32)
    first, second, third = _spline_weights(steps)
    if closed:
        before = (np.concatenate([control[-1:], control[:-1]]) + control) / 2
        after = np.concatenate([before[1:], before[:1]])
    else:
        middles = (control[1:] + control[:-1]) / 2
        before = np.concatenate([control[:1], middles[:-1], middles[-1:]])
        after = np.concatenate([middles[:1], middles[1:], control[-1:]])
    curve = first * before[:, None] + second * control[:, None] + third * after[:, None]
    line: FloatArray = curve.reshape(-1, 2).astype(np.float32)
    return line if closed else np.concatenate([line, control[-1:]], dtype=np.float32)


def ellipse(x: float, y: float, rx: float, ry: float, steps: int = 24) -> FloatArray:
    """An axis-aligned ellipse as a closed polyline."""
    cosines, sines = _circle(steps)
    return np.stack([x + rx * cosines, y + ry * sines], 1).astype(np.float32)


def rectangle(x: float, y: float, width: float, height: float) -> FloatArray:
    """A rectangle as four points."""
    return np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], np.float32)


def ribbon(line: Points, width: float, taper: float = 1.0) -> FloatArray:
    """The outline of a stroke along `line`; its width at both ends is `taper` times that of the middle."""
    path = np.asarray(line, np.float32)
    tangent = np.empty_like(path)
    tangent[1:-1] = (path[2:] - path[:-2]) / 2
    tangent[0], tangent[-1] = path[1] - path[0], path[-1] - path[-2]
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    half = width / 2 * (taper + (1 - taper) * _fullness(len(path)))
    return np.concatenate([path + normal * half, (path - normal * half)[::-1]]).astype(np.float32)
