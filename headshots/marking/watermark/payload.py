"""Protects the watermark's 64 bits: a checksum, and a convolutional code that is read with soft decisions.

The code is the usual one of rate 1/3 and constraint length 9 (generators 557, 663, 711 octal), which corrects a tenth
of the bits; the checksum tells what could not be corrected.
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BitArray = npt.NDArray[np.uint8]

ID_BYTES = 8
"""Bytes of what a watermark carries."""
_CHECK_BYTES = 2
_MEMORY = 8
_STATES = 1 << _MEMORY
_GENERATORS = (0o557, 0o663, 0o711)
_INFORMATION_BITS = 8 * (ID_BYTES + _CHECK_BYTES)
CODED_BITS = (_INFORMATION_BITS + _MEMORY) * len(_GENERATORS)


def encode(mark_id: bytes) -> BitArray:
    """The coded bits, 0 or 1 [CODED_BITS], of an id of ``ID_BYTES`` bytes."""
    assert len(mark_id) == ID_BYTES
    bits = np.unpackbits(np.frombuffer(mark_id + _checksum(mark_id), np.uint8))
    state, coded = 0, []
    for bit in [*bits.tolist(), *[0] * _MEMORY]:
        register = bit << _MEMORY | state
        coded += [_parity(register & generator) for generator in _GENERATORS]
        state = register >> 1
    return np.array(coded, np.uint8)


def decode(soft: FloatArray) -> bytes | None:
    """The id of soft bits [CODED_BITS], above 0 where a 0 is likelier; None where the checksum does not fit."""
    packed = np.packbits(_most_likely(soft)[:_INFORMATION_BITS]).tobytes()
    mark_id, check = packed[:ID_BYTES], packed[ID_BYTES:]
    return mark_id if check == _checksum(mark_id) else None


def agreement(mark_id: bytes, soft: FloatArray) -> float:
    """How well soft bits fit an id's: their correlation, -1 to 1. Noise that was decoded reaches some 0.45."""
    signs = 1.0 - 2.0 * encode(mark_id)
    energy = float(np.sqrt((soft * soft).sum() * CODED_BITS))
    return float((signs * soft).sum()) / energy if energy else 0.0


def _most_likely(soft: FloatArray) -> BitArray:
    """Viterbi's algorithm: the information bits of the likeliest path from state 0 to state 0."""
    steps = soft.reshape(-1, len(_GENERATORS))
    states = np.arange(_STATES)
    entering, before = states >> (_MEMORY - 1), (states << 1) & (_STATES - 1)
    likelihood = np.full(_STATES, -np.inf)
    likelihood[0] = 0.0
    took_odd = np.zeros((len(steps), _STATES), bool)
    for index, step in enumerate(steps):
        gain = _SIGNS @ step
        even = likelihood[before] + gain[entering, before]
        odd = likelihood[before | 1] + gain[entering, before | 1]
        took_odd[index] = odd > even
        likelihood = np.maximum(even, odd)
    state, bits = 0, np.zeros(len(steps), np.uint8)
    for index in range(len(steps) - 1, -1, -1):
        bits[index] = state >> (_MEMORY - 1)
        state = (state << 1) & (_STATES - 1) | int(took_odd[index, state])
    return bits


def _checksum(mark_id: bytes) -> bytes:
    return (zlib.crc32(mark_id) & 0xFFFF).to_bytes(_CHECK_BYTES, "big")


def _parity(number: int) -> int:
    return number.bit_count() & 1


def _output_signs() -> FloatArray:
    """Signs of the coded bits, [entering bit, state, generator]."""
    return np.array(
        [
            [
                [1.0 - 2.0 * _parity((bit << _MEMORY | state) & generator) for generator in _GENERATORS]
                for state in range(_STATES)
            ]
            for bit in (0, 1)
        ]
    )


_SIGNS = _output_signs()
