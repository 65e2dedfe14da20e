"""Installs the analyzer `people` into a folder: brings packages, checks and converts their nets, puts them in place."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import onnx

from headshots.diffusion.publish import exclusive, publish, sweep
from headshots.errors import FailedPreconditionError
from headshots.faces.people.files import (
    AGES,
    DETECTOR,
    EMBEDDER,
    LICENCES,
    MANIFEST,
    MESH,
    POINTS,
    SAFETY,
    is_whole,
    write_manifest,
)
from headshots.faces.people.installing import graphs, recorded, resnet, shapes, tflite
from headshots.faces.people.installing.dat import DatError
from headshots.faces.people.installing.flat import FlatError
from headshots.faces.people.installing.packages import (
    AGE_NET,
    FACE_MESH,
    FIVE_POINTS,
    MESH_NOTICE,
    MESH_PACKAGE,
    OPEN_NSFW,
    PACKAGES,
    RESNET,
    YUNET,
)
from headshots.packages import Package, bring, find_links, take
from headshots.settings import make_private

Tell = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an analyzer is made of packages."""

    packages: tuple[Package, ...]
    write: Callable[[Path, Mapping[str, bytes]], None]
    """Fills an empty folder with what runs, from what was taken out of the packages, or raises."""
    sources: Mapping[str, str]
    """For the manifest: which file of a package each net is from."""
    notices: Mapping[str, str] = field(default_factory=dict)
    """What the licences of nets ask to be told beside them, by the names of packages that do not tell it."""


def install(
    folder: Path, links: Sequence[Path], environ: Mapping[str, str], tell: Tell, recipe: Recipe | None = None
) -> bool:
    """Make `folder` hold the analyzer: whole or, when this fails or is killed, as it was before.

    Args:
        folder: becomes the analyzer's; its parents are made.
        links: folders of packages that are looked through before the package index is asked.
        environ: what pip is run with; the folders of `PIP_FIND_LINKS` come after `links`.
        tell: gets a line before each step that takes time.
        recipe: `PEOPLE` by default.

    Returns:
        False where it was there already and nothing was done.

    Raises:
        FailedPreconditionError: PACKAGE_MISSING, PACKAGE_CHANGED, ANALYZER_CONVERSION_WRONG, ANALYZER_NO_ROOM;
            ANALYZER_FOLDER_TAKEN, when `folder` holds something else.
    """
    if is_whole(folder):
        return False
    _refuse_other(folder)
    make_private(folder.parent)
    sweep(folder.parent, folder.name)
    try:
        with exclusive(folder):
            if is_whole(folder):  # another process was quicker
                return False
            _make(folder, [*links, *find_links(environ)], environ, tell, recipe or PEOPLE)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _no_room(folder.parent) from error
        raise
    return True


def _no_room(folder: Path) -> FailedPreconditionError:
    return FailedPreconditionError(
        "ANALYZER_NO_ROOM",
        f"the disk of {folder} is full; the analyzer needs some 300 MB while it is installed, and 40 MB after. Make "
        "room, or name another home with HEADSHOTS_HOME, and install again",
    )


def _refuse_other(folder: Path) -> None:
    """An installation, also a damaged one, is replaced. Nobody's other files are."""
    if folder.exists() and not (folder / MANIFEST).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise FailedPreconditionError(
            "ANALYZER_FOLDER_TAKEN", f"{folder} is there and holds no analyzer; name another, or remove it"
        )


def _make(folder: Path, links: Sequence[Path], environ: Mapping[str, str], tell: Tell, recipe: Recipe) -> None:
    taken: dict[str, bytes] = {}
    for package in recipe.packages:
        tell(f"bringing {package.name} {package.version}")
        # Named as what `sweep` removes: what is downloaded goes away, also when we are killed.
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.partial-", dir=folder.parent) as work:
            taken |= take(package, bring(package, links, Path(work), environ))

    def write(partial: Path) -> None:
        recipe.write(partial, taken)
        _keep_licences(partial / LICENCES, recipe, taken)
        write_manifest(partial, dict(recipe.sources))

    tell("converting and checking the nets")
    publish(folder, write)


def _write(folder: Path, taken: Mapping[str, bytes]) -> None:
    """Convert what was taken, and hold it to what is recorded."""
    try:
        _save(graphs.any_size(onnx.load_from_string(taken[YUNET])), folder / DETECTOR)
        _save(graphs.halve(resnet.convert(taken[RESNET])), folder / EMBEDDER)
        _save(graphs.halve(onnx.load_from_string(taken[OPEN_NSFW])), folder / SAFETY)
        _save(graphs.halve(onnx.load_from_string(taken[AGE_NET])), folder / AGES)
        _save(graphs.halve(tflite.convert(taken[FACE_MESH])), folder / MESH)
        shapes.convert(taken[FIVE_POINTS]).save(folder / POINTS)
    except (DatError, FlatError, onnx.checker.ValidationError) as error:
        raise FailedPreconditionError(
            "ANALYZER_CONVERSION_WRONG",
            f"a net could not be converted: {error}. Install the version of onnx that constraints.txt pins, and try "
            "again",
        ) from error
    recorded.check(folder)


_SOURCES = {DETECTOR: YUNET, EMBEDDER: RESNET, POINTS: FIVE_POINTS, SAFETY: OPEN_NSFW, AGES: AGE_NET, MESH: FACE_MESH}
PEOPLE = Recipe(PACKAGES, _write, _SOURCES, {MESH_PACKAGE.name: MESH_NOTICE})


def _save(model: onnx.ModelProto, path: Path) -> None:
    path.write_bytes(model.SerializeToString())


def _keep_licences(folder: Path, recipe: Recipe, taken: Mapping[str, bytes]) -> None:
    for package in recipe.packages:
        own = folder / package.name
        own.mkdir(parents=True)
        for name in package.licences:
            (own / os.path.basename(name)).write_bytes(taken[name])
        if package.name in recipe.notices:
            (own / "NOTICE").write_text(recipe.notices[package.name], "utf-8")
