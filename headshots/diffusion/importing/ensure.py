"""Finds the folder of a foundation that is named as it was found; imports it once, by its digest, where it must be.

Nothing here imports torch: an import runs in a process of its own, ``python -m headshots.diffusion.importing``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from headshots.diffusion.child_errors import run_child
from headshots.diffusion.foundations.files import has_plain_weights
from headshots.diffusion.importing.fusing.few_steps import NO_FEWER
from headshots.diffusion.importing.fusing.request import Fusion
from headshots.diffusion.importing.importer import make_plan
from headshots.diffusion.importing.record import import_key, is_whole, recorded_key, source_digests
from headshots.diffusion.importing.request import ImportOptions, Progress
from headshots.errors import UnavailableError
from headshots.settings import make_private


def usable_foundation(
    source: Path, cache: Path, environ: Mapping[str, str], progress: Progress, fusion: Fusion | None = None
) -> Path:
    """``source`` itself, where it is a folder whose weights have plain names; else its import in ``cache``.

    With ``fusion`` it is always an import, of which the weights that change nothing are no copies.

    Safe under several processes at once: one imports, the others wait for it.

    Args:
        source: a diffusers folder or one safetensors file.
        cache: folder of imported foundations, each under its name and the key of its import.
        environ: what pip is run with, and the child.
        progress: called as an import goes on; not where none is needed.
        fusion: LoRA that are folded into its weights.

    Raises:
        HeadshotsError: as :func:`headshots.diffusion.importing.importer.import_foundation`.
        UnavailableError: FOUNDATION_IMPORT_FAILED, with the end of what the child said.
    """
    if fusion is None and (has_plain_weights(source) or not source.exists()):
        return source
    options = ImportOptions(fusion=fusion)
    digests = source_digests(make_plan(source, options).sources(), _silent)
    key = import_key(digests, options)
    folder = cache / f"{_name(source, fusion)}-{key[:16]}"
    if recorded_key(folder) == key and is_whole(folder):
        return folder
    make_private(cache)
    command = [sys.executable, "-m", "headshots.diffusion.importing", str(source), str(folder), str(os.getpid())]
    command += [] if fusion is None else [json.dumps(fusion.to_json())]
    run_child(
        command,
        environ,
        progress,
        lambda status, end: UnavailableError("FOUNDATION_IMPORT_FAILED", f"the import ended with {status}: {end}"),
    )
    return folder


def _name(source: Path, fusion: Fusion | None) -> str:
    """What an operator knows the foundation by."""
    name = source.stem if source.is_file() else source.resolve().name
    if fusion is None:
        return name
    return f"{name}-{'fused' if fusion.few_steps == NO_FEWER else fusion.few_steps}"


def _silent(what: str, share: float) -> None:
    """Reading a file for its digest is no import."""
