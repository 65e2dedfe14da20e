"""Writes the files of an import one after the other, so that a killed import goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from headshots.diffusion.foundations.foundation import file_digest
from headshots.errors import FailedPreconditionError

JOURNAL = ".import-journal"
"""What is written whole so far, with its digest. Not of a type that a foundation's digest counts."""
_CHUNK_BYTES = 8 << 20
_PARTIAL = ".partial"

Tell = Callable[[int], None]
"""Called with the bytes that were written since it was called last."""


@dataclass(frozen=True)
class Piece:
    """One file of an import.

    Attributes:
        name: its path within the folder.
        size: its bytes, about, for progress.
        write: writes it.
        source: the file that it is a copy of, where it is one; ``sha256``: of its bytes, as they must be.
        text: what it says, where it is a small file of text.
    """

    name: str
    size: int
    write: Callable[[Path, Tell], None]
    source: Path | None = None
    sha256: str = ""
    text: str = ""


def text_piece(name: str, text: str) -> Piece:
    """A small file of text."""
    return Piece(name, len(text), lambda path, tell: _write_text(path, text, tell), text=text)


def copy_piece(name: str, source: Path, sha256: str) -> Piece:
    """A copy of a file whose bytes must still be those of the digest.

    Its ``write`` raises FailedPreconditionError: FOUNDATION_CHANGED, where they are not.
    """
    return Piece(name, source.stat().st_size, lambda path, tell: _copy(source, path, sha256, tell), source, sha256)


def link_piece(name: str, source: Path, sha256: str) -> Piece:
    """As :func:`copy_piece`, and takes no room where both are on one disk: a second name for the same bytes.

    Of files that nobody edits in place, as weights.
    """
    return Piece(name, source.stat().st_size, lambda path, tell: _link(source, path, sha256, tell), source, sha256)


def write_pieces(folder: Path, key: str, pieces: Sequence[Piece], progress: Callable[[str, float], None]) -> None:
    """Write what ``folder`` lacks; what an earlier try with the same ``key`` has written whole is taken as it is.

    A file appears under its name when it is whole. What the earlier try left of another key is removed. The journal
    stays: whoever is killed after this has nothing to write again.
    """
    done = _earlier(folder, key)
    _remove_others(folder, [*done, JOURNAL])
    total = sum(piece.size for piece in pieces) or 1
    count = 0
    for piece in pieces:
        begun, so_far = count, 0

        def tell(size: int, piece: Piece = piece, begun: int = begun) -> None:
            nonlocal so_far
            so_far = min(piece.size, so_far + size)
            progress(piece.name, (begun + so_far) / total)

        progress(piece.name, count / total)
        if piece.name not in done:
            done[piece.name] = _write(folder / piece.name, piece, tell)
            _note(folder, key, done)
        count += piece.size


def _write(path: Path, piece: Piece, tell: Tell) -> str:
    """The SHA-256 of what was written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + _PARTIAL)
    piece.write(partial, tell)
    sha256 = file_digest(partial)
    partial.rename(path)
    return sha256


def _earlier(folder: Path, key: str) -> dict[str, str]:
    """The files that an earlier try has written and that are still as it left them."""
    try:
        value = json.loads((folder / JOURNAL).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    if value["key"] != key:
        return {}
    return {
        name: sha256
        for name, sha256 in value["files"].items()
        if (folder / name).is_file() and file_digest(folder / name) == sha256
    }


def _remove_others(folder: Path, done: Iterable[str]) -> None:
    kept = {folder / name for name in done}
    for path in list(folder.rglob("*")):
        if path.is_file() and path not in kept:
            path.unlink()


def _note(folder: Path, key: str, files: dict[str, str]) -> None:
    partial = folder / (JOURNAL + _PARTIAL)
    partial.write_text(json.dumps({"key": key, "files": files}), "utf-8")
    partial.rename(folder / JOURNAL)


def _write_text(path: Path, text: str, tell: Tell) -> None:
    path.write_text(text, "utf-8")
    tell(len(text))


def _copy(source: Path, path: Path, sha256: str, tell: Tell) -> None:
    read = hashlib.sha256()
    with source.open("rb") as file, path.open("wb") as copy:
        while chunk := file.read(_CHUNK_BYTES):
            read.update(chunk)
            copy.write(chunk)
            tell(len(chunk))
    if read.hexdigest() != sha256:
        raise changed(source)


def _link(source: Path, path: Path, sha256: str, tell: Tell) -> None:
    try:
        os.link(source.resolve(), path)
    except OSError:
        # Another disk, one without such links, or a file of somebody else's.
        _copy(source, path, sha256, tell)
        return
    check_unchanged(path, sha256)
    tell(path.stat().st_size)


def check_unchanged(source: Path, sha256: str) -> None:
    """Raises FailedPreconditionError: FOUNDATION_CHANGED, where the file has another digest by now."""
    if file_digest(source) != sha256:
        raise changed(source)


def changed(source: Path) -> FailedPreconditionError:
    """FOUNDATION_CHANGED."""
    return FailedPreconditionError(
        "FOUNDATION_CHANGED", f"{source} changed while it was imported; import again when it is complete"
    )
