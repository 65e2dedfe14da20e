"""Finds the folder of a foundation that is named as it was found; imports it once, by its digest, where it must be.

Nothing here imports torch: an import runs in a process of its own, ``python -m headshots.diffusion.importing``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from headshots.diffusion.child_errors import run_child
from headshots.diffusion.foundations.files import has_plain_weights
from headshots.diffusion.importing.importer import make_plan
from headshots.diffusion.importing.record import import_key, is_whole, recorded_key, source_digests
from headshots.diffusion.importing.request import ImportOptions, Progress
from headshots.errors import UnavailableError
from headshots.settings import make_private


def usable_foundation(source: Path, cache: Path, environ: Mapping[str, str], progress: Progress) -> Path:
    """``source`` itself, where it is a folder whose weights have plain names; else its import in ``cache``.

    Safe under several processes at once: one imports, the others wait for it.

    Args:
        source: a diffusers folder or one safetensors file.
        cache: folder of imported foundations, each under its name and the key of its import.
        environ: what pip is run with, and the child.
        progress: called as an import goes on; not where none is needed.

    Raises:
        HeadshotsError: as :func:`headshots.diffusion.importing.importer.import_foundation`.
        UnavailableError: FOUNDATION_IMPORT_FAILED, with the end of what the child said.
    """
    if has_plain_weights(source) or not source.exists():
        return source
    options = ImportOptions()
    digests = source_digests(make_plan(source, options).sources(), _silent)
    key = import_key(digests, options)
    folder = cache / f"{source.stem if source.is_file() else source.name}-{key[:16]}"
    if recorded_key(folder) == key and is_whole(folder):
        return folder
    make_private(cache)
    command = [sys.executable, "-m", "headshots.diffusion.importing", str(source), str(folder), str(os.getpid())]
    run_child(
        command,
        environ,
        progress,
        lambda status, end: UnavailableError("FOUNDATION_IMPORT_FAILED", f"the import ended with {status}: {end}"),
    )
    return folder


def _silent(what: str, share: float) -> None:
    """Reading a file for its digest is no import."""
