"""Names what lies in the folder of an installed analyzer, and reads what it says of itself."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from headshots.errors import FailedPreconditionError
from headshots.packages import digest

REVISION = 4
"""Grows when the same packages give other files, or other files are needed: what is installed is then made anew."""
MANIFEST = "analyzer.json"
DETECTOR, EMBEDDER, POINTS = "detector.onnx", "embedder.onnx", "points.npz"
MESH, AGES, SAFETY = "mesh.onnx", "ages.onnx", "safety.onnx"
LICENCES = "licences"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an installation says of itself."""

    revision: int
    files: dict[str, str]
    """SHA-256 of each file beside the manifest, by its path within the folder."""
    sources: dict[str, str]
    """Where each net is from: package, version and file."""


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of `folder`; None where there is none that can be read."""
    try:
        value = json.loads((folder / MANIFEST).read_text("utf-8"))
        return Manifest(int(value["revision"]), dict(value["files"]), dict(value["sources"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_manifest(folder: Path, sources: dict[str, str]) -> None:
    """List the files of `folder`, with their digests, in its manifest."""
    files = {str(path.relative_to(folder)): digest(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    manifest = asdict(Manifest(REVISION, files, sources))
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")


def is_whole(folder: Path) -> bool:
    """Whether `folder` holds an installation of this revision, none of its files missing or changed."""
    manifest = read_manifest(folder)
    return (
        manifest is not None
        and manifest.revision == REVISION
        and all((folder / name).is_file() and digest(folder / name) == sha for name, sha in manifest.files.items())
    )


def installed(folder: Path) -> Manifest:
    """The manifest of a whole installation of this revision.

    Raises:
        FailedPreconditionError: ANALYZER_NOT_INSTALLED, when nothing is there; ANALYZER_UNUSABLE, when a file is
            missing or changed, or of another version of headshots.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise FailedPreconditionError(
            "ANALYZER_NOT_INSTALLED",
            f"the analyzer `people` is not in {folder}: run `headshots analyzers install people`, or name the folder "
            "that has it",
        )
    if not is_whole(folder):
        raise FailedPreconditionError(
            "ANALYZER_UNUSABLE",
            f"the analyzer `people` in {folder} is damaged, or of another version of headshots: run `headshots "
            f"analyzers install people --out {folder}`",
        )
    return manifest
