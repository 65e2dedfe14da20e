"""Finds the folder of a foundation that is named as it was found; imports it once, by its digest, where it must be.

Nothing here imports torch: an import runs in a process of its own, ``python -m headshots.diffusion.importing``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from headshots.diffusion.child_errors import run_child
from headshots.diffusion.foundations.files import has_plain_weights
from headshots.diffusion.foundations.names import hub_name
from headshots.diffusion.importing.fusing.few_steps import NO_FEWER
from headshots.diffusion.importing.fusing.request import Fusion
from headshots.diffusion.importing.hub.repository import Hub, pin
from headshots.diffusion.importing.importer import make_plan
from headshots.diffusion.importing.record import hub_key, import_key, is_import, source_digests
from headshots.diffusion.importing.request import ImportOptions, Progress
from headshots.errors import UnavailableError
from headshots.settings import make_private


def usable_foundation(
    source: Path,
    cache: Path,
    environ: Mapping[str, str],
    progress: Progress,
    note: Callable[[str], None],
    fusion: Fusion | None = None,
    hub: Hub | None = None,
) -> Path:
    """``source`` itself, where it is a folder whose weights have plain names; else its import in ``cache``.

    With ``fusion`` it is always an import, of which the weights that change nothing are no copies.

    Safe under several processes at once: one imports, the others wait for it. A hub's model is always imported: what
    lies in the hub's cache is others' too, who add files to it and clear it. A revision that moves is asked for each
    time.

    Args:
        source: a diffusers folder, one safetensors file, or what a hub calls one
            (:func:`headshots.diffusion.foundations.names.named`).
        cache: folder of imported foundations, each under its name and the key of its import.
        environ: what pip is run with, and the child.
        progress: called as an import goes on; not where none is needed.
        note: called with what a revision that moves means now.
        fusion: LoRA that are folded into its weights.
        hub: that of this process; the child has that of ``environ``.

    Raises:
        HeadshotsError: as :func:`headshots.diffusion.importing.importer.import_foundation`.
        UnavailableError: FOUNDATION_IMPORT_FAILED, with the end of what the child said.
    """
    place = find_place(source, cache, fusion, hub)
    if place.note:
        note(place.note)
    if place.is_there:
        return place.folder
    make_private(cache)
    _import_in_child(place, fusion, environ, progress)
    return place.folder


def _import_in_child(place: Place, fusion: Fusion | None, environ: Mapping[str, str], progress: Progress) -> None:
    arguments = [str(place.source), str(place.folder), str(os.getpid())]
    arguments += [] if fusion is None else [json.dumps(fusion.to_json())]
    run_child(
        [sys.executable, "-m", "headshots.diffusion.importing", *arguments],
        environ,
        progress,
        lambda status, end: UnavailableError("FOUNDATION_IMPORT_FAILED", f"the import ended with {status}: {end}"),
    )


@dataclass(frozen=True)
class Place:
    """Where a foundation is used.

    Attributes:
        source: its name; of a hub's model with its commit.
        folder: that can be used.
        is_there: whether it need not be imported.
        note: what to tell of a revision that moves, or empty.
    """

    source: Path
    folder: Path
    is_there: bool
    note: str = ""


def find_place(source: Path, cache: Path, fusion: Fusion | None = None, hub: Hub | None = None) -> Place:
    """Where :func:`usable_foundation` has a foundation, and whether it is there. Changes nothing.

    Raises:
        HeadshotsError: as :func:`usable_foundation`, as far as names, configurations and headers tell.
    """
    options = ImportOptions(fusion=fusion)
    if (asked := hub_name(source)) is not None:
        pinned = pin(asked, hub or Hub())
        name = PurePosixPath(asked.file).stem or asked.repository.partition("/")[2]
        key, note = hub_key(pinned.name, options), pinned.note() or ""
        return _place(Path(str(pinned.name)), cache, _with_fusion(name, fusion), key, note)
    if fusion is None and (has_plain_weights(source) or not source.exists()):
        return Place(source, source, is_there=True)
    digests = source_digests(make_plan(source, options).sources(), _silent)
    name = source.stem if source.is_file() else source.resolve().name
    return _place(source, cache, _with_fusion(name, fusion), import_key(digests, options))


def _place(source: Path, cache: Path, name: str, key: str, note: str = "") -> Place:
    folder = cache / f"{name}-{key[:16]}"
    return Place(source, folder, is_import(folder, key), note)


def _with_fusion(name: str, fusion: Fusion | None) -> str:
    """What an operator knows the foundation by; ``name``: without what is fused into it."""
    if fusion is None:
        return name
    return f"{name}-{'fused' if fusion.few_steps == NO_FEWER else fusion.few_steps}"


def _silent(what: str, share: float) -> None:
    """Reading a file for its digest is no import."""
