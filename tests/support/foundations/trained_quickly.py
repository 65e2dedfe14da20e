"""Makes a tiny foundation whose trainings are short, in a process of its own: torch's threads and forks do not mix."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.support.paths import ROOT

_SCRIPT = """
import pathlib, sys
from tests.support.foundations.tiny import make_tiny_foundation
make_tiny_foundation(pathlib.Path(sys.argv[1]))
"""


def make_foundation(folder: Path, **recipe: Any) -> Path:
    """The tiny foundation without class images; `recipe` changes more keys of its training recipe."""
    subprocess.run([sys.executable, "-c", _SCRIPT, str(folder)], check=True, cwd=ROOT, capture_output=True)
    settings = yaml.safe_load((folder / "headshots.yaml").read_text())
    settings["training"] |= {"prior_rows": 0, **recipe}
    (folder / "headshots.yaml").write_text(yaml.safe_dump(settings))
    return folder
