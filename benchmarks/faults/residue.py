"""Searches files for what must not be there any more: pieces of a person's photos, of their adapters, of their name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

PIECE_BYTES = 32
"""Whatever has 64 bytes of a secret in a row holds a whole piece of it, wherever they begin."""
_PNG, _PNG_HEAD_BYTES = b"\x89PNG\r\n\x1a\n", 64
"""What all PNGs of a size begin with, in whole pieces."""
_WORD_BYTES = 8
_HEAD_BITS = 24
_HEAD_SHIFT = np.uint64(64 - _HEAD_BITS)
# Odd, so that no bit of a word is lost; one for each word of a piece.
_FACTORS = tuple(
    np.uint64(each) for each in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F)
)
Hashes = npt.NDArray[np.uint64]


def residue(folders: Iterable[Path], *secrets: bytes, common: Iterable[bytes] = ()) -> dict[Path, int]:
    """Files below ``folders`` that hold pieces of ``secrets``, each with how many bytes of them.

    A secret shorter than a piece is one piece. What is in ``common`` as well tells nothing about anybody: give it files
    of the same kinds of somebody else, whose formats have the same heads. Links are not followed.
    """
    pieces = _Pieces.of(secrets).without(common)
    found: dict[Path, int] = {}
    for path in files(folders):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            # A service that runs has removed it since.
            continue
        size = pieces.within(data)
        if size:
            found[path] = size
    return found


def weights(adapter: bytes) -> bytes:
    """A safetensors file without its header, which other files may share."""
    return adapter[8 + int.from_bytes(adapter[:8], "little") :]


class _Pieces:
    """Pieces to look for: long secrets by the hashes of their pieces, short ones as they are."""

    def __init__(self, hashes: Hashes, short: set[bytes]) -> None:
        self._hashes = hashes
        self._short = short
        # Nearly every place of a file is passed over by one look at this.
        self._heads = np.zeros(2**_HEAD_BITS, np.bool_)
        self._heads[hashes >> _HEAD_SHIFT] = True

    @classmethod
    def of(cls, secrets: Iterable[bytes]) -> _Pieces:
        """Secrets in pieces, without those of a single byte: zeros are everywhere."""
        given = list(secrets)
        hashes = [_pieces(secret) for secret in given if len(secret) >= PIECE_BYTES]
        short = {secret for secret in given if 0 < len(secret) < PIECE_BYTES}
        return cls(np.unique(np.concatenate([*hashes, np.empty(0, np.uint64)])), short)

    def without(self, common: Iterable[bytes]) -> _Pieces:
        """Those that none of ``common`` holds."""
        hashes, short = self._hashes, self._short
        for data in common:
            hashes = np.setdiff1d(hashes, self._found(data), assume_unique=True)
            short = {each for each in short if each not in data}
        return _Pieces(hashes, short)

    def within(self, data: bytes) -> int:
        """Bytes of those that ``data`` holds, at whatever place; a piece counts once."""
        return len(self._found(data)) * PIECE_BYTES + sum(len(each) for each in self._short if each in data)

    def _found(self, data: bytes) -> Hashes:
        found = [np.empty(0, np.uint64)]
        for shift in range(_WORD_BYTES):
            there = _hashes(data, shift)
            likely = there[self._heads[there >> _HEAD_SHIFT]]
            places = np.searchsorted(self._hashes, likely)
            found.append(likely[self._hashes.take(places, mode="clip") == likely] if len(self._hashes) else likely)
        return np.unique(np.concatenate(found))


def _hashes(data: bytes, shift: int) -> Hashes:
    """Of ``PIECE_BYTES`` at every eighth place from ``shift`` on. Two pieces have one hash once in 2^64."""
    words = np.frombuffer(data, np.dtype("<u8"), max(0, len(data) - shift) // _WORD_BYTES, min(shift, len(data)))
    count = max(0, len(words) - len(_FACTORS) + 1)
    hashes: Hashes = np.zeros(count, np.uint64)
    for place, factor in enumerate(_FACTORS):
        mixed = words[place : place + count] * factor
        hashes += mixed ^ (mixed >> np.uint64(29))
    hashes *= _FACTORS[0]
    return hashes


def _pieces(secret: bytes) -> Hashes:
    """The hashes of the pieces that a long secret is cut into."""
    if secret.startswith(_PNG):
        secret = secret[_PNG_HEAD_BYTES:]
    whole = np.frombuffer(secret, np.uint8, len(secret) // PIECE_BYTES * PIECE_BYTES).reshape(-1, PIECE_BYTES)
    varied = (whole != whole[:, :1]).any(axis=1)
    hashes: Hashes = _hashes(secret, 0)[:: PIECE_BYTES // _WORD_BYTES][varied]
    return hashes


def files(folders: Iterable[Path]) -> Iterator[Path]:
    """All files below these, without links; what is removed meanwhile is passed over."""
    for top in folders:
        # Not by `rglob`, which fails where a folder is removed.
        for folder, _, names in os.walk(top, onerror=_raise_unless_gone):
            for path in (Path(folder, name) for name in names):
                if path.is_file() and not path.is_symlink():
                    yield path


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
