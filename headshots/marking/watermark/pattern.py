"""Says where in the spectrum the watermark lies: the waves of one tile, which repeats over the whole image.

The tile is a sum of waves, each a whole number of times across and down it. Some are pilots: stronger, of known phase.
Their frequencies tell how an image was scaled, since cropping does not move these; their phases then tell where the
tile begins. All other waves carry the coded bits in their phases, each bit many times over.

The band is the one that both a camera's view and JPEG leave: coarser waves drown in the picture, finer ones are what
JPEG rounds away first, above all after an image was halved. Shapes: K waves; each has its counts (across, down).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headshots.marking.watermark.payload import CODED_BITS, encode

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
ComplexArray = npt.NDArray[np.complex128]

TILE_PX = 128
"""Side of a tile in an image whose short side is 512 px or less; in larger ones a quarter of that side."""
COARSEST, FINEST = 6, 21
"""Waves across a tile."""
_TILES = 4
_PILOTS = 56
_PILOT_BAND = (9.0, 18.0)
_PILOT_AMPLITUDE = 2.2
_EDGE_BAND = 2
# Part of the format: another seed is another watermark.
_SEED = 20261128


def tile_px(width_px: int, height_px: int) -> int:
    """Side of the tile in an image of this size, in pixels."""
    return max(TILE_PX, round(min(width_px, height_px) / _TILES))


def _waves() -> tuple[IntArray, FloatArray]:
    """Counts [K, 2] and reference phases [K], the pilots first."""
    across, down = np.meshgrid(np.arange(-FINEST, FINEST + 1), np.arange(FINEST + 1))
    radius = np.hypot(across, down)
    # Walls, shoulders and horizons are upright or level: their edges lie on the two axes.
    inside = (radius >= COARSEST) & (radius <= FINEST) & (abs(across) >= _EDGE_BAND) & (down >= _EDGE_BAND)
    counts = np.stack([across[inside], down[inside]], axis=1).astype(np.int64)
    random = np.random.Generator(np.random.PCG64(_SEED))
    counts = counts[random.permutation(len(counts))]
    phases = random.uniform(0.0, 2 * np.pi, len(counts))
    radius = np.hypot(counts[:, 0], counts[:, 1])
    others_last = np.argsort((radius <= _PILOT_BAND[0]) | (radius >= _PILOT_BAND[1]), kind="stable")
    return counts[others_last], phases[others_last]


COUNTS, PHASES = _waves()
PILOTS, CARRIERS = slice(0, _PILOTS), slice(_PILOTS, None)


def _bits_of_carriers() -> IntArray:
    """Which coded bit each carrier's real part has, then each one's imaginary part."""
    random = np.random.Generator(np.random.PCG64(_SEED + 1))
    places = 2 * (len(COUNTS) - _PILOTS)
    rounds = [random.permutation(CODED_BITS) for _ in range(-(-places // CODED_BITS))]
    return np.concatenate(rounds)[:places]


_BITS = _bits_of_carriers()


def make_tile(mark_id: bytes, side_px: int) -> npt.NDArray[np.float32]:
    """The tile [side_px, side_px] that carries an id, of mean 0 and mean square 1."""
    signs = 1.0 - 2.0 * encode(mark_id)[_BITS]
    carriers = len(COUNTS) - _PILOTS
    data = (signs[:carriers] + 1j * signs[carriers:]) / np.sqrt(2)
    waves = np.concatenate([np.full(_PILOTS, _PILOT_AMPLITUDE), data]) * np.exp(1j * PHASES)
    spectrum = np.zeros((side_px, side_px), np.complex128)
    spectrum[COUNTS[:, 1] % side_px, COUNTS[:, 0] % side_px] = waves
    tile = np.fft.ifft2(spectrum).real
    return np.asarray(tile / np.sqrt((tile * tile).mean()), np.float32)


def soft_bits(carriers: ComplexArray) -> FloatArray:
    """What the carriers, turned back by their phases, say of each coded bit [CODED_BITS]; above 0: a 0."""
    bits = np.zeros(CODED_BITS)
    np.add.at(bits, _BITS, np.concatenate([carriers.real, carriers.imag]))
    return bits
