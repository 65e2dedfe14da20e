"""Finds the folder of a foundation that is named as it was found; imports it once, by its digest, where it must be.

Nothing here imports torch: an import runs in a process of its own, ``python -m headshots.diffusion.importing``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from headshots.diffusion.child_errors import run_child
from headshots.diffusion.foundations.files import has_plain_weights
from headshots.diffusion.foundations.names import hub_name
from headshots.diffusion.importing.hub.repository import Hub, pin
from headshots.diffusion.importing.importer import make_plan
from headshots.diffusion.importing.record import hub_key, import_key, is_import, source_digests
from headshots.diffusion.importing.request import ImportOptions, Progress
from headshots.errors import UnavailableError
from headshots.settings import make_private


def usable_foundation(
    source: Path, cache: Path, environ: Mapping[str, str], progress: Progress, hub: Hub | None = None
) -> Path:
    """``source`` itself, where it is a folder whose weights have plain names; else its import in ``cache``.

    Safe under several processes at once: one imports, the others wait for it. A hub's model is always imported: what
    lies in the hub's cache is others' too, who add files to it and clear it. A revision that moves is asked for each
    time; what it means is told to ``progress``.

    Args:
        source: a diffusers folder, one safetensors file, or what a hub calls one
            (:func:`headshots.diffusion.foundations.names.named`).
        cache: folder of imported foundations, each under its name and the key of its import.
        environ: what pip is run with, and the child.
        progress: called as an import goes on; not where none is needed.
        hub: that of this process; the child has that of ``environ``.

    Raises:
        HeadshotsError: as :func:`headshots.diffusion.importing.importer.import_foundation`.
        UnavailableError: FOUNDATION_IMPORT_FAILED, with the end of what the child said.
    """
    options = ImportOptions()
    if (asked := hub_name(source)) is not None:
        pinned = pin(asked, hub or Hub())
        if (note := pinned.note()) is not None:
            progress(note, 0.0)
        name = PurePosixPath(asked.file).stem or asked.repository.partition("/")[2]
        return _imported(Path(str(pinned.name)), name, hub_key(pinned.name, options), cache, environ, progress)
    if has_plain_weights(source) or not source.exists():
        return source
    digests = source_digests(make_plan(source, options).sources(), _silent)
    name = source.stem if source.is_file() else source.name
    return _imported(source, name, import_key(digests, options), cache, environ, progress)


def _imported(source: Path, name: str, key: str, cache: Path, environ: Mapping[str, str], progress: Progress) -> Path:
    folder = cache / f"{name}-{key[:16]}"
    if is_import(folder, key):
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
