"""What is printed for people to copy runs: the Python example's usage, and the snippets of README and docs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.support.paths import ROOT


def python_blocks(page: str) -> list[str]:
    found = re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found, f"no snippet in {page}"
    return found


def test_the_python_example_tells_how_it_is_called() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "python_client.py")], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 1
    assert done.stderr.startswith("usage: python_client.py SELFIES_FOLDER PORTRAITS_FOLDER PACK")


def test_the_python_example_reads_the_folder_before_it_makes_anything(tmp_path: Path) -> None:
    nobody = {**os.environ, "HEADSHOTS_ADDRESS": "127.0.0.1:1", "HEADSHOTS_API_KEY": "hs_key"}
    example = str(ROOT / "examples" / "python_client.py")
    (tmp_path / "empty").mkdir()
    for folder, said in (("nowhere", "No such file or directory"), ("empty", "has no photos")):
        call = [sys.executable, example, str(tmp_path / folder), str(tmp_path / "out"), "business"]
        done = subprocess.run(call, capture_output=True, text=True, cwd=ROOT, env=nobody)
        assert done.returncode == 1
        assert said in done.stderr


def test_the_readme_s_snippets_are_python() -> None:
    for block in python_blocks("README.md"):
        compile(block, "README.md", "exec")


def test_the_snippet_that_draws_a_person_draws_one() -> None:
    snippet, _ = python_blocks("docs/foundation.md")
    names: dict[str, object] = {}
    exec(compile(snippet, "docs/foundation.md", "exec"), names)
    picture = names["picture"]
    assert isinstance(picture, np.ndarray)
    assert (picture.dtype, picture.shape) == (np.uint8, (128, 128, 3))
