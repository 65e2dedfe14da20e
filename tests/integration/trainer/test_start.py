"""The trainer as its own process: what it says at its start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.waiting import PATIENCE_SECONDS


def start(tmp_path: Path, faces: str) -> str:
    """What a trainer says that ends at once."""
    environ = {
        **os.environ,
        "HEADSHOTS_HOME": str(tmp_path),
        # It ends at once.
        "HEADSHOTS_FOUNDATION": str(tmp_path / "nowhere"),
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


def test_a_trainer_whose_analyzer_is_not_installed_tells_the_command(tmp_path: Path) -> None:
    said = start(tmp_path, "people")
    assert f"ANALYZER_NOT_INSTALLED: the analyzer `people` is not in {tmp_path / 'analyzers' / 'people'}" in said
    assert "run `headshots analyzers install people`" in said
