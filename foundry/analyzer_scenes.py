"""Composes what the detector learns from: canvases of none to four drawn people at any scale, cut off, in rows.

A few thousand portraits are rendered once with their truth (`analyzer_scenes_N.npz`); canvases are composed from
them at every step, so the net hardly meets one twice.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from foundry.portraits import BACKDROPS, FIRST_HELD_OUT, render_portrait, sample_identity, sample_scene
from foundry.portraits.canvas import Canvas
from foundry.portraits.draw_backdrop import draw_backdrop
from foundry.progress import tqdm
from headshots.faces.detection import SIDE
from headshots.faces.geometry import PADDING_GREY

FIRST_PERSON = 100_000  # far from the people of the other stages, below those held out
SELFIE_SHARE = 0.5
BACKDROPS_APART = 260
SEEN_FROM = 0.4  # share of a face's box that must show for it to count as a face
UNSEEN_BELOW = 0.15  # below, nothing of a face shows; between the two the net may say what it likes
_CHUNK = 64

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Scenes:
    """Rendered people with their truth, and backdrops without anybody. N portraits, M backdrops."""

    pixels: Bytes  # [N, SIDE, SIDE, 3]
    parts: Bytes  # [N, SIDE, SIDE]
    places: Floats  # [N, 7, 2]: the box's corners, then the landmarks
    backdrops: Bytes  # [M, SIDE, SIDE, 3]


@dataclass(slots=True)
class CanvasTruth:
    """A composed picture: pixels, parts, and its faces' corners and landmarks with the share of each that shows."""

    pixels: Bytes
    parts: Bytes
    places: list[Floats]
    shown: list[float]


def render_scenes(start: int, stop: int, first_person: int = FIRST_PERSON) -> tuple[Bytes, Bytes, Floats]:
    """Portraits start .. stop-1, a person each from number `first_person`, with parts and places."""
    pixels, parts, places = [], [], []
    for index in range(start, stop):
        rng = np.random.default_rng([first_person + index, 0x5CE7E])
        kind = "selfie" if rng.random() < SELFIE_SHARE else "studio"
        portrait = render_portrait(sample_identity(first_person + index), sample_scene(rng, kind), SIDE)
        pixels.append(portrait.pixels)
        parts.append(portrait.parts)
        places.append(np.concatenate([np.reshape(portrait.box, (2, 2)), portrait.landmarks]))
    return np.stack(pixels), np.stack(parts), np.stack(places).astype(np.float32)


def prepare_scenes(work: Path, count: int, processes: int = 1) -> Scenes:
    """`work/analyzer_scenes_{count}.npz` with `count` portraits, rendered where missing."""
    path = work / f"analyzer_scenes_{count}.npz"
    if not path.exists():
        assert FIRST_PERSON + count <= FIRST_HELD_OUT
        work.mkdir(parents=True, exist_ok=True)
        starts = range(0, count, _CHUNK)
        stops = [min(start + _CHUNK, count) for start in starts]
        with ProcessPoolExecutor(processes) as pool:
            blocks = list(tqdm(pool.map(render_scenes, starts, stops), desc="scenes", total=len(starts)))
        pixels, parts, places = (np.concatenate(column) for column in zip(*blocks, strict=True))
        partial = path.with_suffix(".partial.npz")
        np.savez(partial, pixels=pixels, parts=parts, places=places, backdrops=render_backdrops(BACKDROPS_APART))
        partial.replace(path)
    with np.load(path) as file:
        return Scenes(*(file[name] for name in ("pixels", "parts", "places", "backdrops")))


def render_backdrops(count: int) -> Bytes:
    """Every backdrop in turn, with nobody in front of it."""
    drawn = []
    for index in range(count):
        canvas = Canvas(SIDE)
        draw_backdrop(canvas, BACKDROPS[index % len(BACKDROPS)], np.random.default_rng([index, 0xBAC]))
        drawn.append(np.clip(canvas.pixels, 0, 255).astype(np.uint8))
    return np.stack(drawn)


def compose(scenes: Scenes, rng: np.random.Generator) -> CanvasTruth:
    """One canvas of SIDE pixels, of a kind drawn at random."""
    kinds: tuple[tuple[float, Callable[[Scenes, np.random.Generator], CanvasTruth]], ...] = (
        (0.14, nobody),
        (0.18, one_as_rendered),
        (0.2, one_cut_and_framed),
        (0.25, one_anywhere),
        (0.23, several),
    )
    draw = rng.random()
    for share, kind in kinds:
        draw -= share
        if draw < 0:
            return kind(scenes, rng)
    return several(scenes, rng)


def nobody(scenes: Scenes, rng: np.random.Generator) -> CanvasTruth:
    """A ground alone, or a body whose head is outside the picture."""
    canvas = ground(scenes, rng)
    if rng.random() < 0.35:
        index = int(rng.integers(len(scenes.pixels)))
        scale = float(rng.uniform(0.8, 2.0))
        chin = scenes.places[index, 1, 1] * scale
        paste(canvas, scenes, index, scale, float(rng.uniform(-40, 40)) * scale, -chin - float(rng.uniform(2, 16)))
    return canvas


def one_as_rendered(scenes: Scenes, rng: np.random.Generator) -> CanvasTruth:
    """A portrait that fills the canvas, as selfies and galleries do, at most a little moved."""
    canvas = ground(scenes, rng)
    scale = float(rng.uniform(1.0, 1.12))
    slack = SIDE * (scale - 1)
    left, top = (-slack * rng.random(2)).tolist()
    paste(canvas, scenes, int(rng.integers(len(scenes.pixels))), scale, left, top)
    return canvas


def one_anywhere(scenes: Scenes, rng: np.random.Generator) -> CanvasTruth:
    """One person at any scale, the face's middle somewhere in the canvas or just outside, at times cut out."""
    canvas = ground(scenes, rng)
    index = int(rng.integers(len(scenes.pixels)))
    scale = float(np.exp(rng.uniform(np.log(0.3), np.log(2.0))))
    middle = scenes.places[index, :2].mean(0) * scale
    target = rng.uniform(-0.08 * SIDE, 1.08 * SIDE, 2)
    left, top = (target - middle).tolist()
    paste(canvas, scenes, index, scale, left, top, cut_out=rng.random() < 0.4)
    return canvas


def one_cut_and_framed(scenes: Scenes, rng: np.random.Generator) -> CanvasTruth:
    """A portrait cropped to any shape, face cut off or not, in the bars that `letterbox` puts around it."""
    canvas = CanvasTruth(np.full((SIDE, SIDE, 3), PADDING_GREY, np.uint8), np.zeros((SIDE, SIDE), np.uint8), [], [])
    width, height = rng.integers(SIDE // 3, SIDE + 1, 2).tolist()
    left, top = int(rng.integers(0, SIDE - width + 1)), int(rng.integers(0, SIDE - height + 1))
    scale = SIDE / max(width, height)
    corner = np.array([SIDE - width * scale, SIDE - height * scale]) / 2
    x, y = (corner - scale * np.array([left, top])).tolist()
    paste(canvas, scenes, int(rng.integers(len(scenes.pixels))), scale, x, y)
    window = np.rint([corner, SIDE - corner]).astype(int)
    bars = np.ones((SIDE, SIDE), bool)
    bars[window[0, 1] : window[1, 1], window[0, 0] : window[1, 0]] = False
    canvas.pixels[bars], canvas.parts[bars] = PADDING_GREY, 0
    canvas.shown = [_share(place[:2], window) for place in canvas.places]
    return canvas


def several(scenes: Scenes, rng: np.random.Generator) -> CanvasTruth:
    """Portraits in a row, a column or a square, or scattered; cells may stay empty, bars may frame them."""
    canvas = ground(scenes, rng)
    columns, rows = [(2, 1), (2, 1), (3, 1), (1, 2), (2, 2), (3, 2), (1, 3)][int(rng.integers(7))]
    if rng.random() < 0.3:
        for _ in range(int(rng.integers(2, 4))):
            scale = float(rng.uniform(0.3, 0.7))
            left, top = rng.uniform(-0.1 * SIDE, SIDE * (1.1 - scale), 2).tolist()
            paste(canvas, scenes, int(rng.integers(len(scenes.pixels))), scale, left, top, cut_out=rng.random() < 0.5)
        return canvas
    cell = min(SIDE / columns, SIDE / rows)
    scale = cell / SIDE
    left, top = (SIDE - cell * columns) / 2, (SIDE - cell * rows) / 2
    for row in range(rows):
        for column in range(columns):
            if rng.random() < 0.88:
                index = int(rng.integers(len(scenes.pixels)))
                paste(canvas, scenes, index, scale, left + column * cell, top + row * cell)
    return canvas


def ground(scenes: Scenes, rng: np.random.Generator) -> CanvasTruth:
    """Nobody yet: a backdrop, a part of one, a gradient, a plain colour, noise or grey."""
    draw = rng.random()
    if draw < 0.5:
        backdrop = scenes.backdrops[int(rng.integers(len(scenes.backdrops)))]
        cut = int(rng.integers(0, SIDE // 2))
        left, top = (int(value) for value in rng.integers(0, cut + 1, 2))
        image = Image.fromarray(backdrop).crop((left, top, left + SIDE - cut, top + SIDE - cut))
        pixels = np.array(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    elif draw < 0.65:
        first, last = rng.uniform(0, 255, (2, 3))
        along = np.linspace(0, 1, SIDE)[:, None, None]
        gradient = np.broadcast_to(first + along * (last - first), (SIDE, SIDE, 3))
        pixels = np.array(gradient if rng.random() < 0.5 else gradient.transpose(1, 0, 2), np.uint8)
    elif draw < 0.8:
        grain = SIDE // int(2 ** rng.integers(0, 5))
        coarse = Image.fromarray(rng.integers(0, 256, (grain, grain, 3), np.uint8))
        pixels = np.array(coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    else:
        pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
        pixels[:] = 128 if rng.random() < 0.5 else rng.integers(0, 256, 3)
    return CanvasTruth(pixels, np.zeros((SIDE, SIDE), np.uint8), [], [])


def paste(
    canvas: CanvasTruth, scenes: Scenes, index: int, scale: float, left: float, top: float, cut_out: bool = False
) -> None:
    """Lay portrait `index` on the canvas; what it covers of earlier faces no longer shows."""
    side = max(round(SIDE * scale), 1)
    x, y = round(left), round(top)
    target = np.array([[max(x, 0), max(y, 0)], [min(x + side, SIDE), min(y + side, SIDE)]])
    if np.any(target[1] <= target[0]):
        return
    rows, columns = slice(target[0, 1], target[1, 1]), slice(target[0, 0], target[1, 0])
    source = (rows.start - y, rows.stop - y, columns.start - x, columns.stop - x)
    image = Image.fromarray(scenes.pixels[index]).resize((side, side), Image.Resampling.BILINEAR)
    parts = np.asarray(Image.fromarray(scenes.parts[index]).resize((side, side), Image.Resampling.NEAREST))
    pixels = np.asarray(image)[source[0] : source[1], source[2] : source[3]]
    parts = parts[source[0] : source[1], source[2] : source[3]]
    covers = parts > 0 if cut_out else np.ones_like(parts, bool)
    for number, place in enumerate(canvas.places):
        canvas.shown[number] -= _share(place[:2], target)
    canvas.pixels[rows, columns][covers] = pixels[covers]
    canvas.parts[rows, columns][covers] = parts[covers]
    place = scenes.places[index] * (side / SIDE) + np.array([x, y], np.float32)
    canvas.places.append(place.astype(np.float32))
    canvas.shown.append(_share(place[:2], target))


def _share(corners_22: Floats, window_22: npt.NDArray[np.int64]) -> float:
    """How much of a box lies in a window."""
    sides = np.minimum(corners_22[1], window_22[1]) - np.maximum(corners_22[0], window_22[0])
    return float(np.prod(np.maximum(sides, 0)) / np.prod(corners_22[1] - corners_22[0]))
