"""Guesses which pixels around a face are hair, by their colours and by where they are. Imports numpy and Pillow only.

No net here knows hair. As GrabCut does (C. Rother, V. Kolmogorov, A. Blake, 2004), colours of hair, skin and all else
are learned from the picture itself: hair's above the face, skin's within it, the rest's far away. A pixel is hair in
the share that its colour, its place and its neighbours say. Where hair has the colour of what is behind it, its place
alone tells; a hat counts as hair, and so does what is above a bald head.

All happens in one upright frame of SIDE x SIDE pixels, in which the face, from the middle of the forehead's edge to the
chin, is HEIGHT pixels high. Shapes: N = SIDE² pixels, K colours of a part.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from headshots.faces.base import Pixels
from headshots.faces.geometry import Floats, similarity
from headshots.faces.people.chips import cut
from headshots.faces.people.mesh import CHIN, fill

SIDE, HEIGHT = 112, 36
_MIDDLE = (56.0, 50.0)
_COLOURS, _ROUNDS = 3, 3
# From the face's middle to its edge 1: hair may fall into the face as far as here.
_BROWS = -0.45
# Of a colour's channel, 0..255: the least standard deviation.
_LEAST_SPREAD = 9.0
# Logarithms of how much more a place speaks for a part than another.
_NEVER = -12.0
_NEIGHBOURS = 3.0


def frame(outline_N2: Floats) -> npt.NDArray[np.float64]:
    """The [2, 3] matrix from the frame to the picture; `outline`: the face's edge, in the order of `mesh.OVAL`."""
    top, chin = outline_N2[0], outline_N2[CHIN]
    x, y = _MIDDLE
    here = np.array([(x, y - HEIGHT / 2), (x, y + HEIGHT / 2)], np.float32)
    return similarity(here, np.stack([top, chin]))


def hair(pixels_HWC: Pixels, outline_N2: Floats) -> Floats:
    """The share of each pixel of an upright picture, [H, W] of 0..1, that is taken for hair."""
    matrix = frame(outline_N2)
    size = pixels_HWC.shape[1], pixels_HWC.shape[0]
    framed_HWC = cut(pixels_HWC, matrix, SIDE).astype(np.float32)
    turn = np.linalg.inv(np.vstack([matrix, (0, 0, 1)]))
    here_N2 = (outline_N2 @ turn[:2, :2].T + turn[:2, 2]).astype(np.float32)
    told_HW = _told(framed_HWC, here_N2, _inside(matrix, size))
    # Pillow asks where in the frame each pixel of the picture is.
    there = Image.fromarray(told_HW).transform(
        size, Image.Transform.AFFINE, turn[:2].ravel().tolist(), Image.Resampling.BILINEAR
    )
    return np.asarray(there, np.float32).clip(0, 1)


def _inside(matrix_23: npt.NDArray[np.float64], size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Which pixels of the frame are in the picture, [SIDE, SIDE]."""
    rows, columns = np.mgrid[:SIDE, :SIDE] + 0.5
    x, y = (axis[0] * columns + axis[1] * rows + axis[2] for axis in matrix_23)
    found: npt.NDArray[np.bool_] = (x >= 0) & (x < size[0]) & (y >= 0) & (y < size[1])
    return found


def _told(pixels_HWC: Floats, outline_N2: Floats, inside_HW: npt.NDArray[np.bool_]) -> Floats:
    """Hair in the frame, [SIDE, SIDE] of 0..1."""
    places_PHW = _places(outline_N2)
    places_PHW[:, ~inside_HW] = np.array([[_NEVER], [_NEVER], [0]])
    share_PHW = _softmax(places_PHW)
    flat = pixels_HWC.reshape(-1, 3)
    for _ in range(_ROUNDS):
        fits_PN = np.stack([_fit(flat, share.ravel() * inside_HW.ravel()) for share in share_PHW])
        near_PHW = np.stack([_blurred(share) for share in share_PHW])
        share_PHW = _softmax(places_PHW + fits_PN.reshape(places_PHW.shape) + _NEIGHBOURS * near_PHW)
    return np.asarray(share_PHW[0] * inside_HW, np.float32)


def _places(outline_N2: Floats) -> Floats:
    """What the place of each pixel says for hair, skin and the rest: [3, SIDE, SIDE], logarithms."""
    middle = outline_N2.mean(axis=0)
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32) + 0.5
    half_wide = float(np.ptp(outline_N2[:, 0])) / 2
    across, down = (columns - middle[0]) / half_wide, (rows - middle[1]) / (HEIGHT / 2)
    # 1 at the edge of the face, measured from its middle.
    away = np.hypot(across, down)
    over = np.interp(away, (1.0, 1.1, 1.2, 1.4, 1.75, 2.05), (-0.5, 0.5, 2.0, 1.5, 0.0, -4.0))
    over -= 4.0 * np.clip(np.abs(across) - 1.2, 0, None)
    under = np.interp(np.abs(across), (0.9, 0.95, 1.3, 1.9), (_NEVER, -0.5, -1.0, -4.0))
    under -= 3.0 * np.clip(down - 0.9, 0, None)
    # From over the brows, where hair is all around, to the jaw, where little is.
    lower = np.clip(down + 0.3, 0, 0.6) / 0.6
    hair = (1 - lower) * over + lower * under
    # Skin beyond the oval: the forehead above it, ears, and the neck below.
    skin = np.where((down > 0) & (np.abs(across) < 0.9), 1.0, np.interp(away, (1.0, 1.2, 1.35), (1.0, 0.0, -5.0)))
    within = fill(outline_N2, SIDE, SIDE) > 0.5
    hair = np.where(within, np.where(down < _BROWS, -1.0, _NEVER), hair)
    return np.stack([hair, np.where(within, 2.0, skin), np.where(within, _NEVER, 0.0)]).astype(np.float32)


def _fit(pixels_N3: Floats, weight_N: Floats) -> Floats:
    """Logarithms of how likely each pixel is in a part: a mixture of colours, by weighted k-means."""
    centres_K3 = _start(pixels_N3, weight_N)
    for _ in range(3):
        nearest_N = np.square(pixels_N3[:, None] - centres_K3).sum(axis=2).argmin(axis=1)
        member_NK = (nearest_N[:, None] == np.arange(_COLOURS)) * weight_N[:, None]
        mass_K = member_NK.sum(axis=0)
        # Not `@`, which runs on BLAS threads: see `likeness`.
        sums_K3 = np.einsum("nk,nc->kc", member_NK, pixels_N3)
        centres_K3 = np.where(mass_K[:, None] > 1, sums_K3 / np.maximum(mass_K, 1)[:, None], centres_K3)
    off_NK3 = np.square(pixels_N3[:, None] - centres_K3)
    spread_K3 = np.einsum("nk,nkc->kc", member_NK, off_NK3) / np.maximum(mass_K, 1)[:, None] + _LEAST_SPREAD**2
    share_K = (mass_K + 1) / (mass_K + 1).sum()
    each_NK = np.log(share_K) - 0.5 * (off_NK3 / spread_K3 + np.log(spread_K3)).sum(axis=2)
    top_N1 = each_NK.max(axis=1, keepdims=True)
    return np.asarray((top_N1 + np.log(np.exp(each_NK - top_N1).sum(axis=1, keepdims=True)))[:, 0], np.float32)


def _start(pixels_N3: Floats, weight_N: Floats) -> Floats:
    """Colours to begin with: of the pixels at equal shares of the weight, from dark to bright."""
    order = np.argsort(pixels_N3.sum(axis=1), kind="stable")
    total = np.cumsum(weight_N[order])
    wanted = (np.arange(_COLOURS) + 0.5) / _COLOURS * total[-1]
    return np.asarray(pixels_N3[order[np.searchsorted(total, wanted).clip(0, len(order) - 1)]], np.float32)


def _softmax(values_PHW: Floats) -> Floats:
    raised = np.exp(values_PHW - values_PHW.max(axis=0))
    return np.asarray(raised / raised.sum(axis=0), np.float32)


def _blurred(share_HW: Floats) -> Floats:
    """The mean of 5 x 5 pixels."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(share_HW, 2, mode="edge"), (5, 5))
    return np.asarray(windows.mean(axis=(2, 3)), np.float32)
