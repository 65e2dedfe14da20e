"""An installation is whole or not there, whatever breaks; a second one does nothing. The packages are made up."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from headshots.errors import FailedPreconditionError
from headshots.faces.overview import overview
from headshots.faces.people.files import LICENCES, MANIFEST, is_whole, read_manifest
from headshots.faces.people.installing import recorded
from headshots.faces.people.installing.install import install
from headshots.settings import Home
from tests.support.faces.packages import CONTENT, MEMBER, toy_recipe, write_wheel
from tests.support.paths import ROOT

KILLED = """
import os, signal, sys
from pathlib import Path
from headshots.faces.people.installing.install import install
from tests.support.faces.packages import toy_recipe, write_wheel

def write(folder, taken):
    (folder / "net.bin").write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)

links = Path(sys.argv[1])
install(Path(sys.argv[2]), [links], {}, print, toy_recipe(write_wheel(links), write))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "analyzers" / "toy"


def left(folder: Path) -> list[str]:
    """What lies beside the analyzer, but for the lock."""
    return sorted(path.name for path in folder.parent.iterdir() if path.name != f".{folder.name}.lock")


def test_a_second_call_does_nothing(tmp_path: Path, folder: Path) -> None:
    recipe, told = toy_recipe(write_wheel(tmp_path)), list[str]()
    assert install(folder, [tmp_path], {}, told.append, recipe)
    assert told == ["bringing toynets 1.0", "converting and checking the nets"]
    assert (folder / "net.bin").read_bytes() == CONTENT
    assert (folder / LICENCES / "toynets" / "LICENSE").read_text() == "do as you like"
    manifest = read_manifest(folder)
    assert manifest is not None
    assert manifest.sources == {"net.bin": MEMBER}
    before = (folder / MANIFEST).stat()
    assert not install(folder, [], {}, told.append, recipe)
    assert len(told) == 2
    assert (folder / MANIFEST).stat() == before
    assert left(folder) == ["toy"]


@pytest.mark.parametrize("damage", ["changed", "missing", "revision"])
def test_what_is_damaged_or_of_another_version_is_made_anew(tmp_path: Path, folder: Path, damage: str) -> None:
    recipe = toy_recipe(write_wheel(tmp_path))
    install(folder, [tmp_path], {}, print, recipe)
    if damage == "changed":
        (folder / "net.bin").write_bytes(b"weightz")
    elif damage == "missing":
        (folder / "net.bin").unlink()
    else:
        manifest = (folder / MANIFEST).read_text()
        (folder / MANIFEST).write_text(manifest.replace('"revision": ', '"revision": 9'))
    assert not is_whole(folder)
    assert install(folder, [tmp_path], {}, print, recipe)
    assert is_whole(folder)


def test_pip_find_links_names_folders_too(tmp_path: Path, folder: Path) -> None:
    recipe = toy_recipe(write_wheel(tmp_path))
    assert install(folder, [], {"PIP_FIND_LINKS": str(tmp_path), "PIP_NO_INDEX": "1"}, print, recipe)


def test_a_failure_leaves_what_was_there(tmp_path: Path, folder: Path) -> None:
    def fail(partial: Path, taken: Mapping[str, bytes]) -> None:
        (partial / "net.bin").write_bytes(b"half")
        raise ValueError("a defect")

    package = write_wheel(tmp_path)
    with pytest.raises(ValueError, match="a defect"):
        install(folder, [tmp_path], {}, print, toy_recipe(package, fail))
    assert left(folder) == []
    install(folder, [tmp_path], {}, print, toy_recipe(package))
    (folder / "net.bin").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="a defect"):
        install(folder, [tmp_path], {}, print, toy_recipe(package, fail))
    assert (folder / "net.bin").read_bytes() == b"damaged"
    assert left(folder) == ["toy"]


def test_a_killed_installation_leaves_nothing_that_the_next_does_not_remove(tmp_path: Path, folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(folder)], cwd=ROOT, check=False)
    assert done.returncode == -9
    assert not folder.exists()
    assert len(left(folder)) == 1
    (folder.parent / ".toy.partial-download").mkdir()
    install(folder, [tmp_path], {}, print, toy_recipe(write_wheel(tmp_path)))
    assert left(folder) == ["toy"]
    assert is_whole(folder)


def test_a_full_disk_is_told_with_the_cure(tmp_path: Path, folder: Path) -> None:
    def fill(partial: Path, taken: Mapping[str, bytes]) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(FailedPreconditionError, match="HEADSHOTS_HOME") as caught:
        install(folder, [tmp_path], {}, print, toy_recipe(write_wheel(tmp_path), fill))
    assert caught.value.reason == "ANALYZER_NO_ROOM"
    assert left(folder) == []


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    recipe = toy_recipe(write_wheel(tmp_path))
    own = tmp_path / "own"
    own.mkdir()
    (own / "thesis.txt").write_text("years of work")
    with pytest.raises(FailedPreconditionError, match="holds no analyzer") as caught:
        install(own, [tmp_path], {}, print, recipe)
    assert caught.value.reason == "ANALYZER_FOLDER_TAKEN"
    assert (own / "thesis.txt").read_text() == "years of work"


def test_a_net_that_answers_otherwise_than_recorded_is_refused() -> None:
    with pytest.raises(FailedPreconditionError, match=r"embedder\.onnx .*off by 0\.5, allowed") as caught:
        recorded._compare("embedder.onnx", recorded.pattern(2).ravel()[:1] + 0.5, (0.0,))
    assert caught.value.reason == "ANALYZER_CONVERSION_WRONG"
    with pytest.raises(FailedPreconditionError):
        recorded._compare("embedder.onnx", recorded.pattern(2).ravel()[:1] * float("nan"), (0.0,))


def test_the_list_tells_whether_people_is_installed(tmp_path: Path) -> None:
    home = Home(tmp_path)

    def state() -> str:
        return next(each.state for each in overview(home) if each.name == "people")

    assert state() == "not installed: headshots analyzers install people"
    install(home.analyzer("people"), [tmp_path], {}, print, toy_recipe(write_wheel(tmp_path)))
    assert state() == f"ready: {home.analyzer('people')}"
    (home.analyzer("people") / "net.bin").unlink()
    assert state().startswith("damaged")
