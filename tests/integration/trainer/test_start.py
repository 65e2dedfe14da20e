"""The trainer as its own process: what it says at its start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.waiting import PATIENCE_SECONDS


@pytest.mark.parametrize(("faces", "warnings"), [("none", 1), ("bundled", 0)])
def test_a_trainer_that_judges_no_faces_says_so(tmp_path: Path, faces: str, warnings: int) -> None:
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
    told = [line for line in done.stderr.splitlines() if "Set HEADSHOTS_TRAINER_FACES to opencv" in line]
    assert len(told) == warnings, done.stderr
