"""Plans an import with LoRA files fused into it: another plan's pieces, with changed weights and settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headshots.diffusion.foundations.files import INITIAL_WEIGHTS, SETTINGS, invalid_foundation
from headshots.diffusion.foundations.foundation import file_digest
from headshots.diffusion.foundations.fusions import FUSION, FusedFile, FusionRecord
from headshots.diffusion.importing.defaults import as_json
from headshots.diffusion.importing.fusing.few_steps import KINDS, few_steps_text
from headshots.diffusion.importing.fusing.folding import Folding
from headshots.diffusion.importing.fusing.lora_file import not_finite
from headshots.diffusion.importing.fusing.matching import Fold
from headshots.diffusion.importing.fusing.request import Fusion
from headshots.diffusion.importing.fusing.tensor_files import FloatArray, TensorFile, growth, rewrite
from headshots.diffusion.importing.pieces import Piece, Tell, check_unchanged, link_piece, text_piece
from headshots.diffusion.importing.plans import PlainPlan
from headshots.diffusion.importing.single_file.vocabulary import Vocabulary
from headshots.diffusion.lora.files import foundation_of

_WEIGHTS, _INDEX = ".safetensors", ".safetensors.index.json"
_OF = "headshots_fused_of"
"""Metadata of a changed file: what it counted as before. So a killed import need not find it out again."""
_PLAIN = ".plain"


class FusedPlan:
    """A plan with LoRA fused in.

    Raises when it is made:
        InvalidArgumentError: FUSE_TWICE, FUSE_CORRUPT, FUSE_UNSUPPORTED, FUSE_OTHER_FAMILY.
        FailedPreconditionError: FUSE_CHANGED.
    """

    def __init__(self, plain: PlainPlan, fusion: Fusion) -> None:
        self._plain, self._fusion = plain, fusion
        self._folding = Folding(plain, fusion)
        start = plain.sources().get(INITIAL_WEIGHTS)
        # They were learned on the foundation that they name, and trainings on another one refuse them.
        self._leaves_start_out = start is not None and bool(foundation_of(start))

    @property
    def notes(self) -> tuple[str, ...]:
        """The plain foundation's, what is fused, and how images are sampled now."""
        fused = [f"fused {lora.path.name} with a strength of {lora.strength:g}" for lora in self._fusion.loras]
        if self._folding.settings:
            said = ", ".join(f"{key} {value}" for key, value in self._folding.settings.items())
            fused.append(f"sampled as {self._fusion.few_steps} wants: {said} ({KINDS[self._fusion.few_steps].source})")
        if self._leaves_start_out:
            fused.append(f"left out {INITIAL_WEIGHTS}, learned without what is fused: adapters start from noise")
        return (*self._plain.notes, *fused)

    def sources(self) -> dict[str, Path]:
        """The plain foundation's; the LoRA are known by their digests already."""
        return self._plain.sources()

    def check(self) -> None:
        """Find every layer and read every tensor of the LoRA.

        Raises:
            InvalidArgumentError: FOUNDATION_INVALID; FUSE_OTHER_FAMILY, FUSE_UNKNOWN_LAYERS, FUSE_SHAPE_MISMATCH,
                FUSE_CORRUPT, FUSE_NOT_FINITE.
        """
        self._plain.check()
        self._folding.check()

    def pieces(self, digests: Mapping[str, str], vocabulary: Callable[[], Vocabulary]) -> list[Piece]:
        """What the foundation consists of; as of the plain plan."""
        left_out = {FUSION, INITIAL_WEIGHTS} if self._leaves_start_out else {FUSION}
        plain = [piece for piece in self._plain.pieces(digests, vocabulary) if piece.name not in left_out]
        *others, index = [self._piece(piece, plain) for piece in plain]
        return [*others, Piece(FUSION, 0, self._write_record), index]

    def _piece(self, piece: Piece, plain: Sequence[Piece]) -> Piece:
        """A piece of the plain foundation, as it is after fusing."""
        if piece.name in self._folding.folds:
            return Piece(piece.name, piece.size, partial(self._write, piece))
        if piece.name == SETTINGS and self._folding.settings:
            text = piece.text if piece.source is None else piece.source.read_text("utf-8")
            return text_piece(SETTINGS, few_steps_text(text, self._fusion.few_steps, self._plain.family))
        if piece.name.endswith(_INDEX):
            return text_piece(piece.name, self._index(piece, plain))
        if piece.name.endswith(_WEIGHTS) and piece.source is not None:
            return link_piece(piece.name, piece.source, piece.sha256)
        return piece

    def _write(self, piece: Piece, path: Path, tell: Tell) -> None:
        """Write a file of weights with what is fused into it."""
        if piece.source is not None:
            check_unchanged(piece.source, piece.sha256)
            source, of = piece.source, self._plain.fusions.identity(piece.name, piece.sha256)
        else:
            # A checkpoint's networks are converted first; the new names are in the file that this makes.
            source = path.with_name(path.name + _PLAIN)
            piece.write(source, _silent)
            of = file_digest(source)
        changes = {name: partial(_changed, folds) for name, folds in self._folding.folds[piece.name].items()}
        try:
            rewrite(TensorFile.open(source), path, changes, {_OF: of}, tell)
        except KeyError as error:
            raise invalid_foundation(source, f"it holds {error}; get the model with 16 or 32 bits a number") from error
        if piece.source is None:
            source.unlink()

    def _index(self, piece: Piece, plain: Sequence[Piece]) -> str:
        """A shard index with the size that the shards have after fusing."""
        value = json.loads(piece.text)
        part = piece.name.partition("/")[0]
        value["metadata"]["total_size"] += sum(
            growth(TensorFile.open(shard.source), self._folding.folds[shard.name])
            for shard in plain
            if shard.source is not None and shard.name in self._folding.folds and shard.name.startswith(f"{part}/")
        )
        return as_json(value)

    def _write_record(self, path: Path, tell: Tell) -> None:
        """Tell what the changed files were made of; they are written by now."""
        earlier, files = self._plain.fusions, {}
        for name, tensors in self._folding.folds.items():
            file = path.parent / name
            of = TensorFile.open(file).metadata[_OF]
            changed_by = {fold.lora.path for folds in tensors.values() for fold in folds}
            loras = tuple(lora.identity for lora in self._fusion.loras if lora.path in changed_by)
            files[name] = FusedFile(file_digest(file), of, loras)
        named = [
            {"name": lora.path.name, "sha256": lora.sha256, "strength": lora.strength} for lora in self._fusion.loras
        ]
        few_steps = self._fusion.few_steps if self._folding.settings else earlier.few_steps or self._fusion.few_steps
        record = FusionRecord((*earlier.loras, *named), few_steps, {**(earlier.files or {}), **files})
        path.write_text(record.to_json(), "utf-8")


def _changed(folds: Sequence[Fold], weight: FloatArray, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """A weight with all that is fused into it, added up in float32 and rounded once."""
    # What overflows is infinite after it, and told.
    with np.errstate(over="ignore", invalid="ignore"):
        made = sum((fold.delta() for fold in folds), weight).astype(dtype)
    if not np.isfinite(made).all():
        raise not_finite(folds[0].lora.path, folds[0].source.name)
    return made


def _silent(size: int) -> None:
    """Fusing tells of the same bytes."""
