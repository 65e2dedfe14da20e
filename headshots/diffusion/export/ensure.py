"""Makes a foundation's engine package once, and finds it again by its key: what ``headshots export`` does.

Nothing here imports torch until a package really has to be made, so that the serving process can ask for a package that
is there already. To make one without torch in the asking process run ``python -m headshots.diffusion.export``.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from headshots.diffusion.child_errors import run_child
from headshots.diffusion.export.options import ExportOptions, Progress
from headshots.diffusion.foundations.foundation import Foundation, foundation_digest
from headshots.diffusion.package import FORMAT, MANIFEST
from headshots.diffusion.publish import exclusive, publish, sweep
from headshots.diffusion.tensorrt.rtx.targets import installed_version
from headshots.errors import InvalidArgumentError, UnavailableError
from headshots.processes.imports import importing
from headshots.settings import make_private

__all__ = [
    "ExportOptions",
    "ensure_package",
    "ensure_package_in_child",
    "export_to",
    "export_to_in_child",
    "exported_package",
    "package_key",
    "package_name",
]

REVISION = 10
"""Grows whenever the export writes something else for the same foundation and options."""


def ensure_package(
    foundation: Path, cache_dir: Path, options: ExportOptions | None = None, progress: Progress | None = None
) -> Path:
    """The package of ``foundation`` within ``cache_dir``, exported if it is not there yet.

    Safe under several processes at once: one exports, the others wait for it. A package appears whole or not at all.

    Raises:
        InvalidArgumentError: FOUNDATION_*, EXPORT_OPTIONS_INVALID, EXPORT_OUT_NOT_WRITABLE.
        InternalError: EXPORT_MISMATCH.
        HeadshotsError: with ``tensorrt_rtx`` what :func:`headshots.diffusion.tensorrt.rtx.building.build_engines`
            raises.
    """
    described, digest, chosen = _resolve(foundation, options)
    # An export may be the first to make the home, where photos and the key will lie.
    make_private(cache_dir)
    sweep(cache_dir)
    return _ensure(cache_dir / package_name(described, digest, chosen), described, digest, chosen, progress)


def export_to(
    foundation: Path, folder: Path, options: ExportOptions | None = None, progress: Progress | None = None
) -> Path:
    """Make ``folder`` the package of ``foundation``, unless it is that already; another package is replaced.

    Raises:
        InvalidArgumentError: as :func:`ensure_package`, and EXPORT_OUT_NOT_EMPTY.
        InternalError: EXPORT_MISMATCH.
    """
    described, digest, chosen = _resolve(foundation, options)
    folder = folder.absolute()
    _check_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    sweep(folder.parent, folder.name)
    return _ensure(folder, described, digest, chosen, progress)


def ensure_package_in_child(
    foundation: Path, cache_dir: Path, options: ExportOptions | None = None, progress: Progress | None = None
) -> Path:
    """:func:`ensure_package`, with torch in a child process only, which ends with this one.

    Raises:
        HeadshotsError: as :func:`ensure_package`.
        UnavailableError: EXPORT_FAILED, with the end of what the child said.
    """
    described, digest, chosen = _resolve(foundation, options)
    folder = cache_dir / package_name(described, digest, chosen)
    sweep(cache_dir)
    if not _is_package(folder, package_key(described, digest, chosen)):
        _check_writable(cache_dir)
        _run_child(["--foundation", str(foundation), "--cache", str(cache_dir)], chosen, progress)
    return folder


def export_to_in_child(
    foundation: Path, folder: Path, options: ExportOptions | None = None, progress: Progress | None = None
) -> Path:
    """:func:`export_to`, with torch in a child process only, which ends with this one.

    Raises:
        HeadshotsError: as :func:`export_to`.
        UnavailableError: EXPORT_FAILED, with the end of what the child said.
    """
    described, digest, chosen = _resolve(foundation, options)
    folder = folder.absolute()
    sweep(folder.parent, folder.name)
    if not _is_package(folder, package_key(described, digest, chosen)):
        _check_replaceable(folder)
        _check_writable(folder.parent)
        _run_child(["--foundation", str(foundation), "--out", str(folder)], chosen, progress)
    return folder


def exported_package(foundation: Path, cache_dir: Path, options: ExportOptions | None = None) -> tuple[Path, bool]:
    """Where :func:`ensure_package` has the package of ``foundation``, and whether it is there. Changes nothing.

    Raises:
        HeadshotsError: as :func:`ensure_package`, of the foundation and the options.
    """
    described, digest, chosen = _resolve(foundation, options)
    folder = cache_dir / package_name(described, digest, chosen)
    return folder, _is_package(folder, package_key(described, digest, chosen))


def package_key(foundation: Foundation, digest: str, options: ExportOptions) -> str:
    """What tells packages apart: the foundation, what was asked for, and what the exporter makes of it.

    ``headshots.yaml`` is not in the foundation's digest, but a package repeats what it says: an edit
    asks for another package. How adapters are trained does not matter to a package.

    Raises:
        FailedPreconditionError: EXTRA_MISSING, where engines are asked for and nothing is installed to build them.
    """
    others = ("path", "initial_weights", "initial_weights_sha256", "training")
    described = {name: value for name, value in asdict(foundation).items() if name not in others}
    if foundation.head_height is None:
        # A package says nothing of heads then, as before it could: it need not be made again.
        del described["eye_line"]
    if foundation.adapter_strength == 1:
        # Nor of adapters' strength.
        del described["adapter_strength"]
    asked = asdict(options)
    # How much memory a build may take does not show in what it makes.
    del asked["build_memory_gb"]
    if options.tensorrt_rtx:
        # Another version cannot run the engines.
        asked["tensorrt_rtx_version"] = installed_version()
    else:
        del asked["tensorrt_rtx"]
    text = json.dumps([digest, described, asked, FORMAT, REVISION], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def package_name(foundation: Foundation, digest: str, options: ExportOptions) -> str:
    """Folder name of a package within a cache: readable, and unique to its key."""
    return f"{foundation.name}-{package_key(foundation, digest, options)[:16]}"


def write_package(
    foundation: Foundation, digest: str, folder: Path, options: ExportOptions, progress: Progress
) -> None:
    """Export into ``folder``, which appears whole or not at all."""
    # torch, diffusers and transformers come in here and nowhere else.
    with importing():
        from headshots.diffusion.export.exporter import export_into

    key = package_key(foundation, digest, options)
    publish(folder, lambda partial: export_into(partial, foundation, digest, options, key, progress))


def _resolve(foundation: Path, options: ExportOptions | None) -> tuple[Foundation, str, ExportOptions]:
    """The foundation's description and digest, and the options with every default filled in."""
    described = Foundation.read(foundation)
    chosen = (options or ExportOptions()).resolved(described)
    return described, foundation_digest(foundation), chosen


def _ensure(
    folder: Path, described: Foundation, digest: str, options: ExportOptions, progress: Progress | None
) -> Path:
    key = package_key(described, digest, options)
    if not _is_package(folder, key):
        _check_writable(folder.parent)
        with exclusive(folder):
            # Another process may have made it while we waited.
            if not _is_package(folder, key):
                write_package(described, digest, folder, options, progress or _silent)
    return folder


def _is_package(folder: Path, key: str) -> bool:
    """Whether ``folder`` holds the package of that key."""
    try:
        value = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    return isinstance(value, dict) and value.get("key") == key


def _check_replaceable(folder: Path) -> None:
    """Only packages and empty folders are replaced: a mistyped path must not cost anybody's files."""
    if not folder.exists() or (folder / MANIFEST).is_file():
        return
    # A file would be replaced by a folder, and a device, as /dev/null, too.
    what = "is no folder" if not folder.is_dir() else f"holds files and no {MANIFEST}" if any(folder.iterdir()) else ""
    if what:
        raise InvalidArgumentError("EXPORT_OUT_NOT_EMPTY", f"{folder} {what}; name an empty folder or a new one")


def _check_writable(parent: Path) -> None:
    """A package is made in ``parent``: said before the minutes that an export takes."""
    there = next(path for path in (parent, *parent.absolute().parents) if path.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        raise InvalidArgumentError(
            "EXPORT_OUT_NOT_WRITABLE",
            f"{there} is no folder that this user may write to; make it one, or name another with --out or --engines",
        )


def _run_child(arguments: Sequence[str], options: ExportOptions, progress: Progress | None) -> None:
    command = [sys.executable, "-m", "headshots.diffusion.export", *arguments]
    command += ["--options", json.dumps(asdict(options)), "--parent", str(os.getpid())]
    run_child(
        command,
        os.environ,
        progress or _silent,
        lambda status, end: UnavailableError("EXPORT_FAILED", f"the export ended with {status}: {end}"),
    )


def _silent(stage: str, share: float) -> None:
    """No progress wanted."""
