"""Reads the headers of a repository's weights: names and shapes of their tensors, without the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from headshots.diffusion.foundations.fusions import FusionRecord, read_fusions
from headshots.diffusion.importing.folders import plain_files
from headshots.diffusion.importing.hub.repository import Pinned
from headshots.diffusion.importing.hub.telling import telling
from headshots.diffusion.importing.plans import Shapes
from headshots.diffusion.importing.single_file.checkpoints import Checkpoint, describe
from headshots.diffusion.importing.weights import Weights


@dataclass(frozen=True)
class RemotePipeline:
    """A pipeline as LoRA see it before its weights are fetched.

    Attributes:
        pinned: where it is.
        top: folder of its configurations in the cache.
        family: ``sd15`` or ``sdxl``.
        weights: of each part, whose paths are those within the repository.
    """

    pinned: Pinned
    top: Path
    family: str
    weights: Mapping[str, Weights]

    @property
    def fusions(self) -> FusionRecord:
        """What was fused into it already."""
        return read_fusions(self.top)

    def shapes(self) -> dict[str, Shapes]:
        """Of the UNet's and the text encoders' tensors, by file within the foundation.

        Raises:
            HeadshotsError: as :func:`headshots.diffusion.importing.hub.telling.telling`.
        """
        return {
            name: _read(self.pinned, path.as_posix()).shapes
            for part, weights in self.weights.items()
            if part != "vae"
            for name, path in plain_files(part, weights)
        }


def remote_checkpoint(pinned: Pinned, file: str) -> Checkpoint:
    """Describe a repository's file.

    Raises:
        InvalidArgumentError: as :func:`headshots.diffusion.importing.single_file.checkpoints.read_checkpoint`.
        HeadshotsError: as :func:`headshots.diffusion.importing.hub.telling.telling`.
    """
    header = _read(pinned, file)
    return describe(Path(f"{pinned.name.repository}/{file}"), header.shapes, header.types, header.metadata)


@dataclass(frozen=True)
class _Header:
    shapes: Shapes
    types: Mapping[str, str]
    metadata: Mapping[str, str]


def _read(pinned: Pinned, file: str) -> _Header:
    with telling(pinned.name, pinned.hub.url):
        found = pinned.hub.api.parse_safetensors_file_metadata(pinned.name.repository, file, revision=pinned.commit)
    tensors = found.tensors.items()
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors}
    return _Header(shapes, {name: tensor.dtype for name, tensor in tensors}, found.metadata)
