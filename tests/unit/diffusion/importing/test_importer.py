"""An import is whole or not there, goes on after a kill with the same result, and costs nobody's files."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from headshots.diffusion.importing import pieces
from headshots.diffusion.importing.importer import import_foundation
from headshots.diffusion.importing.request import ImportOptions
from headshots.errors import FailedPreconditionError, InvalidArgumentError
from tests.support.foundations.layouts import found
from tests.support.paths import ROOT

KILLED = """
import os, signal, sys
from pathlib import Path
from headshots.diffusion.importing.importer import import_foundation

def show(what, share):
    if share > 0.6:
        os.kill(os.getpid(), signal.SIGKILL)

import_foundation(Path(sys.argv[1]), Path(sys.argv[2]), None, show)
"""


def digests(folder: Path) -> dict[str, str]:
    """Of every file, but for where the source was."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def left(folder: Path) -> list[str]:
    """What lies in a folder, but for the locks."""
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_a_killed_import_goes_on_and_has_the_same_bytes(tmp_path: Path) -> None:
    source, out = found("sd15", "sharded"), tmp_path / "out"
    done = subprocess.run([sys.executable, "-c", KILLED, str(source), str(out)], cwd=ROOT, check=False)
    assert done.returncode == -9
    assert not out.exists()
    unfinished = tmp_path / ".out.unfinished"
    was = {path.relative_to(unfinished): path.stat().st_ino for path in unfinished.rglob("*.safetensors")}
    assert was, "something was written before the kill"
    assert import_foundation(source, out).is_new
    assert {name: (out / name).stat().st_ino for name in was} == was, "what was whole was not written again"
    whole = import_foundation(source, tmp_path / "whole").folder
    assert digests(out) == digests(whole)
    assert left(tmp_path) == ["out", "whole"]
    assert not [path.name for path in out.iterdir() if path.name.startswith(".")]


def test_what_a_kill_left_damaged_or_of_another_source_is_written_anew(tmp_path: Path) -> None:
    source, out = shutil.copytree(found("sd15", "sharded"), tmp_path / "source"), tmp_path / "out"
    done = subprocess.run([sys.executable, "-c", KILLED, str(source), str(out)], cwd=ROOT, check=False)
    assert done.returncode == -9
    damaged = next(iter(sorted((tmp_path / ".out.unfinished").rglob("*.safetensors"))))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    (tmp_path / ".out.unfinished" / "unet" / "stray.json").write_text("{}")
    import_foundation(source, out)
    assert digests(out) == digests(import_foundation(source, tmp_path / "whole").folder)


def test_a_second_import_does_nothing_and_a_damaged_one_is_repaired(tmp_path: Path) -> None:
    source, out = found("sd15", "fp32"), tmp_path / "out"
    import_foundation(source, out)
    before = out.stat().st_ino
    again = import_foundation(source, out)
    assert not again.is_new
    assert out.stat().st_ino == before
    (out / "headshots.yaml").write_text("steps: 9\n")
    assert not import_foundation(source, out).is_new, "the operator's own settings are no damage"
    file = out / "unet/diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:100])
    assert import_foundation(source, out).is_new
    assert file.stat().st_size > 100


def test_nobodys_files_are_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years")
    with pytest.raises(InvalidArgumentError, match="something else") as caught:
        import_foundation(found("sd15", "fp32"), out)
    assert caught.value.reason == "FOUNDATION_OUT_NOT_EMPTY"
    assert left(out) == ["thesis.txt"]
    (out / "thesis.txt").unlink()
    import_foundation(found("sd15", "fp32"), out)
    with pytest.raises(InvalidArgumentError, match="another import"):
        import_foundation(found("sd15", "sharded"), out)


def test_progress_grows_to_the_end_and_names_files(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    import_foundation(found("sd15", "fp32"), tmp_path / "out", None, lambda what, share: told.append((what, share)))
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert {"reading unet/config.json", "unet/diffusion_pytorch_model.safetensors"} <= {what for what, _ in told}


def test_a_source_that_changes_meanwhile_is_refused(tmp_path: Path) -> None:
    source = shutil.copytree(found("sd15", "fp32"), tmp_path / "source")

    def change(what: str, share: float) -> None:
        if what == "vae/config.json":
            (source / "vae/config.json").write_text("{}")

    with pytest.raises(FailedPreconditionError, match="changed while it was imported") as caught:
        import_foundation(source, tmp_path / "out", None, change)
    assert caught.value.reason == "FOUNDATION_CHANGED"
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_told_with_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(source: Path, path: Path, sha256: str, tell: pieces.Tell) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pieces, "_copy", fill)
    with pytest.raises(FailedPreconditionError, match="import again: it goes on") as caught:
        import_foundation(found("sd15", "fp32"), tmp_path / "out")
    assert caught.value.reason == "FOUNDATION_NO_ROOM"


@pytest.mark.parametrize(
    ("name", "reason", "words"),
    [
        ("none", "FOUNDATION_NOT_FOUND", "is not there"),
        ("model.ckpt", "FOUNDATION_PICKLED", r"model\.ckpt can run code"),
        ("model.pt", "FOUNDATION_PICKLED", "Get the model's safetensors"),
        ("model.bin", "FOUNDATION_PICKLED", "save_pretrained"),
        ("model.zip", "FOUNDATION_INVALID", r"neither a diffusers folder nor a \.safetensors file"),
    ],
)
def test_other_files_are_refused_by_name(tmp_path: Path, name: str, reason: str, words: str) -> None:
    if name != "none":
        (tmp_path / name).write_bytes(b"\x80\x02.")
    with pytest.raises(InvalidArgumentError, match=words) as caught:
        import_foundation(tmp_path / name, tmp_path / "out")
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "options", [ImportOptions(sha256="00" * 32), ImportOptions(prediction="epsilon"), ImportOptions(native_px=64)]
)
def test_what_is_of_a_single_file_is_not_taken_with_a_folder(tmp_path: Path, options: ImportOptions) -> None:
    with pytest.raises(InvalidArgumentError, match="are of a single file") as caught:
        import_foundation(found("sd15", "fp32"), tmp_path / "out", options)
    assert caught.value.reason == "IMPORT_OPTIONS_INVALID"
