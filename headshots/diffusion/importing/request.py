"""Defines what an import is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from headshots.diffusion.importing.fusing.few_steps import NO_FEWER
from headshots.diffusion.importing.fusing.request import Fusion
from headshots.diffusion.sampling.options import SAMPLERS
from headshots.errors import InvalidArgumentError

Progress = Callable[[str, float], None]
"""Called with what is being done now and the share done, 0 to 1."""

REVISION = 1
"""Grows whenever an import writes something else for the same source and options."""


@dataclass(frozen=True)
class ImportOptions:
    """What a source does not say of itself.

    Attributes:
        variant: of a diffusers folder whose parts have several files of weights, which to take: ``fp16``, or empty for
            the plain ones. None: the plain ones, else ``fp16``.
        sha256: what the publisher of a single file says its SHA-256 is, in hex; empty: not checked.
        prediction: of a single file, ``epsilon`` or ``v_prediction``; empty: what its keys and metadata
            say, else ``epsilon``.
        zero_terminal_snr: of a single file, whether it was taught to begin with noise alone; None: what its keys say.
        native_px: of a single file, the side in pixels that it was trained for; 0: what its metadata say,
            else the family's, 512 or 1024.
        sampler: what ``headshots.yaml`` names; empty: none, the scheduler's own is taken.
        fusion: LoRA files that are folded into the weights.
    """

    variant: str | None = None
    sha256: str = ""
    prediction: str = ""
    zero_terminal_snr: bool | None = None
    native_px: int = 0
    sampler: str = ""
    fusion: Fusion | None = None

    @property
    def few_steps(self) -> str:
        """The kind of few-step LoRA among what is fused, or ``none``."""
        return NO_FEWER if self.fusion is None else self.fusion.few_steps


@dataclass(frozen=True)
class Imported:
    """What an import has made.

    Attributes:
        folder: the foundation.
        is_new: False where it was there already, whole, and nothing was done.
        notes: what the operator should know, a sentence each.
    """

    folder: Path
    is_new: bool
    notes: tuple[str, ...]


def check_options(source: str, options: ImportOptions, *, is_folder: bool) -> None:
    """Refuse options that the source has no use for.

    Raises:
        InvalidArgumentError: IMPORT_OPTIONS_INVALID.
    """
    if options.sampler and options.sampler not in SAMPLERS:
        why = f"to have the sampler {options.sampler!r}; known are {', '.join(SAMPLERS)}"
    elif options.sampler and options.few_steps != NO_FEWER:
        why = f"to be sampled as {options.few_steps} wants; leave the sampler out"
    elif is_folder and options != ImportOptions(options.variant, sampler=options.sampler, fusion=options.fusion):
        why = "a folder: digest, prediction, SNR and size are of a single file"
    elif not is_folder and options.variant is not None:
        why = "a single file: variants are of a folder's files"
    else:
        return
    raise InvalidArgumentError("IMPORT_OPTIONS_INVALID", f"{source} is {why}")
