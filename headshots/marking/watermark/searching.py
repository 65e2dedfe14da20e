"""Finds out how an image was scaled, stretched and cut since it was marked, by the watermark's pilots.

The pilots' frequencies give the scales: all pairs of a grid are tried on one spectrum. Their phases give the rest: at
the right scales all of them agree on where the tile begins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headshots.marking.watermark.pattern import COUNTS, FINEST, PHASES, PILOTS
from headshots.marking.watermark.whitening import local_mean

FloatArray = npt.NDArray[np.float32]
ComplexArray = npt.NDArray[np.complex128]

_STEP = 0.004
_SMALLEST_PX, _LARGEST_PX, _STRETCH = 40.0, 420.0, 0.22
_CANDIDATES = 4
_APART = 8
_REFINEMENTS = (0.003, 0.0015, 0.0007)
_ROUNDS = 4
_NEIGHBOURS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1))
_PLACES = 256
_PADDING = 1.6
_BACKGROUND_BINS = 8
_PEAK = 20.0
# What a frequency outside the spectrum is taken to say: about what noise does.
_NOTHING = 0.45
_LOUDEST = 1.5


@dataclass(frozen=True)
class Placement:
    """Tiles of ``width_px`` by ``height_px``, the first one shifted by ``right`` and ``down`` (shares of a tile).

    ``coherence``: how well the pilots agree, up to 10.6; noise reaches some 5.
    """

    coherence: float
    right: float
    down: float
    width_px: float
    height_px: float


def find_placements(white: FloatArray) -> list[Placement]:
    """The likeliest placements in a whitened image [height, width], the best first."""
    found = [_refine(white, width_px, height_px) for width_px, height_px in _likely_sizes(white)]
    return sorted(found, key=lambda placement: -placement.coherence)


def waves_at(white: FloatArray, placement: Placement) -> ComplexArray:
    """All waves of the pattern [K] as the image has them, turned back to a tile that begins at its corner."""
    waves = _waves(white, placement.width_px, placement.height_px)
    shift = COUNTS[:, 0] * placement.right + COUNTS[:, 1] * placement.down
    return waves * np.exp(2j * np.pi * shift - 1j * PHASES)


def _likely_sizes(white: FloatArray) -> list[tuple[float, float]]:
    """Sizes of a tile, width and height in pixels, at which the spectrum has most of the pilots."""
    peaks = _peaks(white)
    bins = len(peaks)
    sizes = np.exp(np.arange(np.log(_SMALLEST_PX), np.log(_LARGEST_PX), _STEP))[:, None]
    stretches = np.exp(np.arange(-_STRETCH, _STRETCH + _STEP, _STEP) / 2)[None]
    widths, heights = sizes * stretches, sizes / stretches
    score = np.zeros(widths.shape, np.float32)
    for across, down in COUNTS[PILOTS]:
        # The spectrum of a real image holds each wave twice; the half with counts across from 0 on is kept.
        column = np.rint(abs(across) * bins / widths).astype(np.int32)
        row = np.rint((down if across > 0 else -down) * bins / heights).astype(np.int32)
        inside = (column <= bins // 2) & (abs(row) <= bins // 2)
        score += np.where(inside, peaks[row % bins, np.minimum(column, bins // 2)], _NOTHING)
    likely = []
    for _ in range(_CANDIDATES):
        size, stretch = np.unravel_index(score.argmax(), score.shape)
        likely.append((float(widths[size, stretch]), float(heights[size, stretch])))
        near = slice(max(0, int(size) - _APART), int(size) + _APART + 1)
        score[near, max(0, int(stretch) - _APART) : int(stretch) + _APART + 1] = -np.inf
    return likely


def _peaks(white: FloatArray) -> FloatArray:
    """How far each frequency stands out of those around it, [bins, bins / 2 + 1]."""
    bins = 1 << int(np.ceil(np.log2(max(white.shape) * _PADDING)))
    power = np.square(np.abs(np.fft.rfft2(white, (bins, bins)))).astype(np.float32)
    around = local_mean(power, _BACKGROUND_BINS) + 1e-6
    return np.log1p(np.minimum(power / around, _PEAK))


def _refine(white: FloatArray, width_px: float, height_px: float) -> Placement:
    """Climb from a size to the one near it at which the pilots agree best."""
    best = _agree(white, width_px, height_px)
    for step in _REFINEMENTS:
        for _ in range(_ROUNDS):
            tried = [
                _agree(white, best.width_px * (1 + step * wider), best.height_px * (1 + step * higher))
                for wider, higher in _NEIGHBOURS
            ]
            better = max(tried, key=lambda placement: placement.coherence)
            if better.coherence <= best.coherence:
                break
            best = better
    return best


def _agree(white: FloatArray, width_px: float, height_px: float) -> Placement:
    """Where the tile begins, as most pilots have it: the peak of their sum over all places."""
    pilots = _waves(white, width_px, height_px)[PILOTS] * np.exp(-1j * PHASES[PILOTS])
    pilots = pilots / (np.abs(pilots).mean() + 1e-9)
    # None may outvote the others: a railing has a frequency too.
    pilots = pilots / np.maximum(1.0, np.abs(pilots) / _LOUDEST)
    spectrum = np.zeros((_PLACES, _PLACES), np.complex64)
    spectrum[COUNTS[PILOTS, 1] % _PLACES, COUNTS[PILOTS, 0] % _PLACES] = pilots
    places = np.fft.ifft2(spectrum).real * _PLACES**2
    down, right = np.unravel_index(places.argmax(), places.shape)
    energy = np.sqrt(np.square(np.abs(pilots)).sum() / 2) + 1e-9
    coherence = float(places[down, right] / energy)
    return Placement(coherence, float(right) / _PLACES, float(down) / _PLACES, width_px, height_px)


def _waves(white: FloatArray, width_px: float, height_px: float) -> ComplexArray:
    """The image's Fourier coefficients [K] at the pattern's waves, for tiles of this size."""
    height, width = white.shape
    counts = np.arange(FINEST + 1)
    angles = (2 * np.pi / width_px * np.outer(np.arange(width), counts)).astype(np.float32)
    halves = white @ np.hstack([np.cos(angles), np.sin(angles)])
    right = halves[:, : FINEST + 1] - 1j * halves[:, FINEST + 1 :]
    rows = np.hstack([np.conj(right[:, :0:-1]), right])
    columns = np.exp(-2j * np.pi / height_px * np.outer(counts, np.arange(height))).astype(np.complex64)
    grid = columns @ rows
    return np.asarray(grid[COUNTS[:, 1], COUNTS[:, 0] + FINEST], np.complex128)
