"""Hands out the files of a training that has succeeded, in pieces: an adapter may have hundreds of megabytes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum

from headshots.artifacts import ArtifactStore
from headshots.errors import NotFoundError
from services.gateway.api.names import training_name
from services.gateway.trainings.models import Training, finished_adapter

PIECE_BYTES = 2**20


class FileKind(Enum):
    """The files that a training leaves: a name to save each under, and its media type."""

    ADAPTER = ("adapter.safetensors", "application/octet-stream")
    KOHYA = ("adapter.kohya.safetensors", "application/octet-stream")
    MANIFEST = ("manifest.json", "application/json")
    SHEET = ("sheet.jpg", "image/jpeg")
    CARD = ("README.md", "text/markdown")

    def __init__(self, filename: str, content_type: str) -> None:
        self.filename = filename
        self.content_type = content_type


@dataclass(frozen=True)
class FilePiece:
    """The next bytes of a file of `size_bytes` in all."""

    content: bytes
    size_bytes: int
    is_first: bool


def file_key(training: Training, kind: FileKind) -> str:
    """Where the file lies in the object store.

    Raises:
        FailedPreconditionError: TRAINING_UNFINISHED.
        NotFoundError: TRAINING_FILE_NOT_FOUND.
    """
    name = training_name(training.subject_id, training.id)
    adapter, scores = finished_adapter(training), training.job.scores or {}
    keys = {
        FileKind.ADAPTER: adapter.key,
        FileKind.KOHYA: adapter.kohya_key,
        FileKind.MANIFEST: adapter.manifest_key,
        FileKind.SHEET: scores.get("sheet_key"),
        FileKind.CARD: scores.get("card_key"),
    }
    key = keys[kind]
    if not key:
        left = ", ".join(each.filename for each in FileKind if keys[each])
        raise NotFoundError(
            "TRAINING_FILE_NOT_FOUND", f"{name} left no {kind.filename}; it left {left}", metadata={"name": name}
        )
    return str(key)


async def pieces(store: ArtifactStore, key: str) -> AsyncIterator[FilePiece]:
    """The file in order, piece by piece; one without bytes is one empty piece.

    Raises:
        NotFoundError: OBJECT_NOT_FOUND.
        UnavailableError: OBJECT_STORE_UNAVAILABLE.
    """
    size = await store.size(key)
    for start in range(0, max(size, 1), PIECE_BYTES):
        length = min(PIECE_BYTES, size - start)
        content = await store.get_range(key, start, length) if length else b""
        yield FilePiece(content, size, start == 0)
