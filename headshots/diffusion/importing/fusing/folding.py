"""Finds what LoRA change of a foundation, of which no more than names and shapes have to be there."""

from __future__ import annotations

from functools import cached_property

from headshots.diffusion.foundations.foundation import file_digest
from headshots.diffusion.importing.fusing.few_steps import few_step_settings
from headshots.diffusion.importing.fusing.lora_file import LoraFile
from headshots.diffusion.importing.fusing.matching import Fold, by_tensor, match
from headshots.diffusion.importing.fusing.names import Layers
from headshots.diffusion.importing.fusing.request import Fusion
from headshots.diffusion.importing.plans import FusionTarget
from headshots.errors import FailedPreconditionError, InvalidArgumentError


class Folding:
    """LoRA that are to be fused into a foundation.

    Raises when it is made:
        InvalidArgumentError: FUSE_TWICE, FUSE_CORRUPT, FUSE_UNSUPPORTED, FUSE_OTHER_FAMILY.
        FailedPreconditionError: FUSE_CHANGED.
    """

    def __init__(self, target: FusionTarget, fusion: Fusion) -> None:
        self._target = target
        self._loras = [(LoraFile.open(lora.path), lora.strength) for lora in fusion.loras]
        before = {lora["sha256"] for lora in target.fusions.loras}
        for lora in fusion.loras:
            if lora.sha256 in before:
                raise InvalidArgumentError(
                    "FUSE_TWICE", f"{lora.path} is fused into this foundation already; fuse into the plain one"
                )
            if file_digest(lora.path) != lora.sha256:
                raise FailedPreconditionError(
                    "FUSE_CHANGED", f"{lora.path} changed while it was read; fuse it when it is complete"
                )
        self.settings = few_step_settings(fusion.few_steps, target.family)
        """What ``headshots.yaml`` says of sampling then; empty: as before."""

    @cached_property
    def folds(self) -> dict[str, dict[str, list[Fold]]]:
        """By the file and the tensor that they change.

        Raises:
            InvalidArgumentError: FUSE_OTHER_FAMILY, FUSE_UNKNOWN_LAYERS, FUSE_SHAPE_MISMATCH, FUSE_CORRUPT.
        """
        layers = Layers(self._target.shapes())
        return by_tensor(
            [fold for lora, strength in self._loras for fold in match(lora, strength, layers, self._target.family)]
        )

    def check(self) -> None:
        """Find every layer and read every tensor of the LoRA.

        Raises:
            InvalidArgumentError: as :attr:`folds`; FUSE_NOT_FINITE.
        """
        for tensors in self.folds.values():
            for folds in tensors.values():
                for fold in folds:
                    fold.check()
