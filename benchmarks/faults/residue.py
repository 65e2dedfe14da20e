"""Looks for pieces of given bytes in files, wherever in them they lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

import numpy as np

PIECE_BYTES = 64
_KEY_BYTES = 8
_CHUNK_BYTES = 16 * 2**20


class Pieces:
    """The 64-byte pieces of some secrets; one that is found anywhere in a file is residue.

    A piece is looked for by its first eight bytes and then compared whole. Pieces that say nothing, as those of one
    byte over and over, are left out: every file has them.
    """

    def __init__(self, pieces: frozenset[bytes]) -> None:
        self._pieces = pieces
        self._keys = np.unique(np.array([int.from_bytes(each[:_KEY_BYTES], "little") for each in pieces], np.uint64))

    @classmethod
    def of(cls, secrets: Iterable[bytes]) -> Self:
        """All pieces at multiples of 64 bytes; what stays of a secret in one run of 127 bytes or more has one."""
        return cls(
            frozenset(
                piece
                for secret in secrets
                for at in range(0, len(secret) - PIECE_BYTES + 1, PIECE_BYTES)
                if len(set(piece := secret[at : at + PIECE_BYTES])) >= PIECE_BYTES // 4
            )
        )

    def __len__(self) -> int:
        return len(self._pieces)

    def bytes_in(self, data: bytes) -> int:
        """Bytes of the different pieces that `data` holds."""
        return PIECE_BYTES * len(self._found(data))

    def bytes_in_file(self, path: Path) -> int:
        """Bytes of the different pieces that a file holds; 0 of one that is gone."""
        found: set[bytes] = set()
        try:
            with path.open("rb") as file:
                tail = b""
                while part := file.read(_CHUNK_BYTES):
                    found |= self._found(tail + part)
                    tail = part[-(PIECE_BYTES - 1) :]
        except FileNotFoundError:
            return 0
        return PIECE_BYTES * len(found)

    def _found(self, data: bytes) -> set[bytes]:
        found = set()
        for shift in range(_KEY_BYTES):
            count = (len(data) - shift) // _KEY_BYTES
            if count <= 0 or not len(self._keys):
                break
            keys = np.frombuffer(data, np.dtype("<u8"), count, shift)
            for place in np.flatnonzero(np.isin(keys, self._keys)):
                at = shift + int(place) * _KEY_BYTES
                if (piece := data[at : at + PIECE_BYTES]) in self._pieces:
                    found.add(piece)
        return found


def residue(pieces: Pieces, *folders: Path) -> dict[str, int]:
    """Bytes of pieces by file, of all files below the folders that hold any."""
    found = {str(path): pieces.bytes_in_file(path) for folder in folders for path in _files(folder)}
    return {name: size for name, size in found.items() if size}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
