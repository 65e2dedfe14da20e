"""The trainer as its own process: what it says at its start."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.foundations.layouts import found
from tests.support.paths import ROOT
from tests.support.waiting import PATIENCE_SECONDS


def start(tmp_path: Path, faces: str, foundation: Path | None = None) -> str:
    """What a trainer says that ends at once."""
    environ = {
        **os.environ,
        "HEADSHOTS_HOME": str(tmp_path),
        # It ends at once.
        "HEADSHOTS_FOUNDATION": str(foundation or tmp_path / "nowhere"),
        "HEADSHOTS_TRAINER_FACES": faces,
    }
    command = [sys.executable, "-m", "services.trainer"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize(("faces", "warnings"), [("none", 1), ("bundled", 0)])
def test_a_trainer_that_judges_no_faces_says_so(tmp_path: Path, faces: str, warnings: int) -> None:
    said = start(tmp_path, faces)
    told = [line for line in said.splitlines() if "Set HEADSHOTS_TRAINER_FACES to people" in line]
    assert len(told) == warnings, said


def test_a_trainer_imports_a_foundation_that_cannot_be_used_as_it_lies(tmp_path: Path) -> None:
    source = shutil.copytree(found("sd15", "fp16"), tmp_path / "model")
    # With this it ends at once, and not before it has read the foundation.
    (source / "headshots.yaml").write_text("training: {rank: 0}\n")
    said = start(tmp_path, "none", source)
    assert "import of the foundation: unet/diffusion_pytorch_model.safetensors" in said
    assert "rank" in said.splitlines()[-1]
    (imported,) = (tmp_path / "foundations").glob("model-*")
    assert (imported / "unet/diffusion_pytorch_model.safetensors").is_file()


def test_a_trainer_whose_analyzer_is_not_installed_tells_the_command(tmp_path: Path) -> None:
    said = start(tmp_path, "people")
    assert f"ANALYZER_NOT_INSTALLED: the analyzer `people` is not in {tmp_path / 'analyzers' / 'people'}" in said
    assert "run `headshots analyzers install people --out " in said
