"""Renders a person in a scene, with the truth: where the head, its landmarks and its box are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foundry.portraits.canvas import Canvas
from foundry.portraits.draw_backdrop import draw_backdrop
from foundry.portraits.draw_face import draw_head
from foundry.portraits.draw_hair import draw_hair, draw_hair_behind
from foundry.portraits.draw_outfit import draw_body
from foundry.portraits.figure import Figure, figure_of, head_outline
from foundry.portraits.identity import Identity
from foundry.portraits.lighting import light_picture, photograph
from foundry.portraits.outlines import FloatArray
from foundry.portraits.scene import Scene
from headshots.faces.base import LANDMARKS, Part

__all__ = ["LANDMARKS", "Portrait", "face_truth", "render", "render_portrait"]

HEAD_X, HEAD_Y = 64.0, 55.0

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Portrait:
    """A picture and the truth about it, in pixels; left and right are the picture's."""

    pixels: npt.NDArray[np.uint8]  # [H, W, 3]
    subject_mask: FloatArray  # [H, W], 0..1: person against backdrop
    face_mask: FloatArray  # [H, W], 0..1: the head without hair in front of it
    parts: npt.NDArray[np.uint8]  # [H, W], values of `Part`; the neck counts as clothes, beard and ears as face
    landmarks: FloatArray  # [5, 2], x and y, in the order of LANDMARKS
    box: Box  # the face without ears and hair: left, top, right, bottom


def render(identity: Identity, scene: Scene, size: int = 128) -> npt.NDArray[np.uint8]:
    """The picture alone: uint8 [size, size, 3], the same for the same arguments."""
    return render_portrait(identity, scene, size).pixels


def render_portrait(identity: Identity, scene: Scene, size: int = 128) -> Portrait:
    """The picture with its masks, landmarks and face box. `size` in pixels, a multiple of 16 from 32 to 1024.

    Raises:
        ValueError: a size out of range.
    """
    if size % 16 or not 32 <= size <= 1024:
        raise ValueError(f"size must be a multiple of 16 from 32 to 1024, not {size}")
    canvas = Canvas(size)
    figure = figure_of(identity, scene)
    draw_backdrop(canvas, scene.backdrop, np.random.default_rng([scene.seed, 0xBAC]))
    with canvas.moved(HEAD_X + scene.dx, HEAD_Y + scene.dy, scene.zoom):
        with canvas.moved(0, 0, degrees=scene.roll), canvas.showing(Part.HAIR):
            draw_hair_behind(canvas, figure)
        with canvas.showing(Part.CLOTHES):
            draw_body(canvas, figure)
        with canvas.moved(0, 0, degrees=scene.roll):
            with canvas.showing(Part.FACE):
                draw_head(canvas, figure)
            with canvas.showing(Part.HAIR):
                draw_hair(canvas, figure)
            face_mask = canvas.mask(head_outline(figure))
            landmarks, box = _place(canvas, figure)
        centre_x = float(canvas.to_pixels([(0, 0)])[0, 0])
    pixels = photograph(light_picture(canvas, scene, centre_x), scene)
    return Portrait(pixels, canvas.solid, face_mask, canvas.parts, landmarks, box)


def face_truth(identity: Identity, scene: Scene, size: int = 128) -> tuple[FloatArray, Box]:
    """Landmarks and box as `render_portrait` tells them, without drawing."""
    canvas = Canvas(size)
    with (
        canvas.moved(HEAD_X + scene.dx, HEAD_Y + scene.dy, scene.zoom),
        canvas.moved(0, 0, degrees=scene.roll),
    ):
        return _place(canvas, figure_of(identity, scene))


def _place(canvas: Canvas, figure: Figure) -> tuple[FloatArray, Box]:
    """Landmarks and face box in pixels, under the head's transform."""
    corners = canvas.to_pixels(head_outline(figure))
    left, top = corners.min(0).tolist()
    right, bottom = corners.max(0).tolist()
    return canvas.to_pixels(_landmarks(figure)), (left, top, right, bottom)


def _landmarks(figure: Figure) -> list[tuple[float, float]]:
    wide = figure.mouth_half
    mouth_x, mouth_y = figure.mouth_x, figure.mouth_line - 2.0 * figure.scene.smile
    return [
        (figure.eye_x(-1), figure.eye_line),
        (figure.eye_x(1), figure.eye_line),
        figure.nose_tip,
        (mouth_x - wide, mouth_y),
        (mouth_x + wide, mouth_y),
    ]
