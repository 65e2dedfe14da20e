"""Searches files for what must not be there any more: pieces of a person's photos, of their adapters, of their name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

PIECE_BYTES = 64
"""Whatever has twice as many bytes of a secret in a row holds a whole piece of it."""


def residue(folders: Iterable[Path], *secrets: bytes) -> dict[Path, int]:
    """Files below ``folders`` that hold pieces of ``secrets``, each with how many bytes of them.

    A secret shorter than a piece is one piece. Compare with files that may have the same bytes by right, such as the
    head that all files of a format have, by searching for a secret without it. Links are not followed.
    """
    pieces = {piece for secret in secrets for piece in _pieces(secret)}
    found: dict[Path, int] = {}
    for path in _files(folders):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            # A service that runs has removed it since.
            continue
        size = sum(len(piece) for piece in pieces if piece in data)
        if size:
            found[path] = size
    return found


def weights(adapter: bytes) -> bytes:
    """A safetensors file without its header, which other files may share."""
    return adapter[8 + int.from_bytes(adapter[:8], "little") :]


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
