"""Searches files for what must not be there any more: pieces of a person's photos, of their adapters, of their name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

PIECE_BYTES = 64
"""Whatever has twice as many bytes of a secret in a row holds a whole piece of it."""
_KEY_BYTES = 8


def residue(folders: Iterable[Path], *secrets: bytes) -> dict[Path, int]:
    """Files below ``folders`` that hold pieces of ``secrets``, each with how many bytes of them.

    A secret shorter than a piece is one piece. Compare with files that may have the same bytes by right, such as the
    head that all files of a format have, by searching for a secret without it. Links are not followed.
    """
    pieces = _Pieces({piece for secret in secrets for piece in _pieces(secret)})
    found: dict[Path, int] = {}
    for path in _files(folders):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            # A service that runs has removed it since.
            continue
        size = sum(map(len, pieces.within(data)))
        if size:
            found[path] = size
    return found


def weights(adapter: bytes) -> bytes:
    """A safetensors file without its header, which other files may share."""
    return adapter[8 + int.from_bytes(adapter[:8], "little") :]


class _Pieces:
    """Pieces to look for. Tens of thousands are found by their first eight bytes; the few others one by one."""

    def __init__(self, pieces: set[bytes]) -> None:
        # A key of one byte over and over would be everywhere in a file of zeros.
        self._keyed = {each for each in pieces if len(each) == PIECE_BYTES and len(set(each[:_KEY_BYTES])) > 1}
        self._others = pieces - self._keyed
        keys = sorted({int.from_bytes(each[:_KEY_BYTES], "little") for each in self._keyed})
        self._keys = np.array(keys, np.uint64)

    def within(self, data: bytes) -> set[bytes]:
        """Those that ``data`` holds, at whatever place."""
        found = {each for each in self._others if each in data}
        for shift in range(_KEY_BYTES):
            count = max(0, len(data) - shift) // _KEY_BYTES
            if not count:
                break
            heads = np.frombuffer(data, np.dtype("<u8"), count, shift)
            for place in np.flatnonzero(np.isin(heads, self._keys)):
                at = shift + int(place) * _KEY_BYTES
                found.add(data[at : at + PIECE_BYTES])
        return found & (self._keyed | self._others)


def _pieces(secret: bytes) -> Iterator[bytes]:
    """The secret in pieces, without those of a single byte: zeros are everywhere."""
    if len(secret) < PIECE_BYTES:
        yield secret
        return
    for start in range(0, len(secret) - PIECE_BYTES + 1, PIECE_BYTES):
        piece = secret[start : start + PIECE_BYTES]
        if len(set(piece)) > 1:
            yield piece


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield path
