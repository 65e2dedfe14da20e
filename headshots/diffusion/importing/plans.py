"""Defines what an import knows of its source before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from headshots.diffusion.foundations.fusions import FusionRecord
from headshots.diffusion.importing.pieces import Piece
from headshots.diffusion.importing.single_file.vocabulary import Vocabulary

Shapes = Mapping[str, tuple[int, ...]]
"""Of tensors, by their names."""


class Plan(Protocol):
    """What is taken of a source."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the operator should know."""
        ...

    def sources(self) -> dict[str, Path]:
        """Files that are read, by a name within the source."""
        ...

    def check(self) -> None:
        """Refuse what only its weights' shapes tell; a single file's are read with torch.

        Raises:
            InvalidArgumentError: FOUNDATION_INVALID, FUSE_*.
        """
        ...

    def pieces(self, digests: Mapping[str, str], vocabulary: Callable[[], Vocabulary]) -> list[Piece]:
        """What the foundation consists of, ``model_index.json`` last.

        Args:
            digests: SHA-256 of each of the sources.
            vocabulary: brings CLIP's.
        """
        ...


class FusionTarget(Protocol):
    """What LoRA can be fused into."""

    @property
    def family(self) -> str:
        """``sd15`` or ``sdxl``."""
        ...

    @property
    def fusions(self) -> FusionRecord:
        """What was fused into the source already."""
        ...

    def shapes(self) -> Mapping[str, Shapes]:
        """Of the UNet's and the text encoders' tensors, by file within the foundation."""
        ...


class PlainPlan(Plan, FusionTarget, Protocol):
    """A plan that LoRA can be fused into."""
